"""What tests are given: a host in this process, a Kandji that respx plays, and calls with a key."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import respx
from fastapi import FastAPI

from connector.engine import seals
from connector.engine.host import Host, open_host
from connector.engine.settings import Settings
from connector.rest.app import app

HOST = "http://upcard.test"
TENANT = "https://acme.api.kandji.io"
TOKEN = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@dataclass(frozen=True)
class Upcard:
    """A host with one connection, `acme`, and a client that sends its key."""

    host: Host
    app: FastAPI
    http: httpx.AsyncClient

    async def call(self, card: str, **body: Any) -> httpx.Response:
        """`await upcard.call("kandji.get_device", options={...}, inputs={...})`."""
        return await self.http.post(f"/v1/cards/{card.replace('.', '/')}", json=body)


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
    async with opened(folder, allow_receivers="127.0.0.1:*", unregistered_flows=True) as found:
        yield found


class opened:  # noqa: N801
    """`async with opened(tmp_path) as upcard`: a host of one's own, with the settings given."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._settings = Settings(data_dir=folder, **settings)

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
        await _connect(host)
        return Upcard(host, made, self._http)

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._host.__aexit__(None, None, None)


async def _connect(host: Host) -> None:
    with respx.mock(using="httpx", base_url=f"{TENANT}/api/v1") as router:
        router.get("/devices").respond(json=[])
        account = await host.connections.create("acme", "kandji", {"url": TENANT, "token": TOKEN})
    account.service.sleep = _no_wait


async def _no_wait(_: float) -> None:
    """Retries in tests follow at once."""
