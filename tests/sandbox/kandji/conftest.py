"""Tenants to test against: in-process with a clock in hand, or behind a real server on loopback."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from sandbox.kandji import tenant
from tests.sandbox.kandji.tenants import Act, Api, Device, Find, Hands, Served


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def api(hands: Hands) -> Api:
    """A client of a new in-process tenant with these settings."""

    def start(**settings: Any) -> httpx.AsyncClient:
        app = tenant(**{"devices": 100, "clock": hands, "rate_limit": False, **settings})
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://acme.test/api/v1",
            headers={"Authorization": f"Bearer {app.tenant.token}"},
        )

    return start


@pytest.fixture
def find() -> Find:
    """The first device that the filters, and then the facts of its details, fit."""

    async def first(client: httpx.AsyncClient, *, supervised: str | None = None, **wanted: Any) -> Device:
        for device in (await client.get("/devices")).json():
            if wanted.items() <= device.items() and supervised in (None, await _supervised(client, device)):
                return dict(device)
        raise LookupError(wanted)

    return first


async def _supervised(client: httpx.AsyncClient, device: Device) -> str:
    details = await client.get(f"/devices/{device['device_id']}/details")
    return str(details.json()["mdm"]["supervised"])


@pytest.fixture
def act() -> Act:
    """Asks a device for an action."""

    async def ask(client: httpx.AsyncClient, device: Device, action: str, **body: Any) -> httpx.Response:
        return await client.post(f"/devices/{device['device_id']}/action/{action}", json=body)

    return ask


@pytest.fixture
def served(server: Served) -> Served:
    """The tenant of the server, as it was at the start."""
    server.reset()
    return server


@pytest.fixture(scope="session")
def server() -> Iterator[Served]:
    """One server on a free port for all tests."""
    app = tenant(devices=100, rate_limit=False)
    uvicorn_server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=uvicorn_server.run, daemon=True)
    thread.start()
    while not uvicorn_server.started:
        time.sleep(0.005)
    url = f"http://127.0.0.1:{uvicorn_server.servers[0].sockets[0].getsockname()[1]}"
    headers = {"Authorization": f"Bearer {app.tenant.token}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers) as client:
        yield Served(app, url, client)
    uvicorn_server.should_exit = True
    thread.join()
