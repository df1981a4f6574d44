"""Servers to test against, in-process."""

from typing import Any

import httpx
import pytest

from sandbox.snipeit import server
from tests.sandbox.snipeit.servers import Api


@pytest.fixture
def api() -> Api:
    """A client of a new server with these settings."""

    def start(**settings: Any) -> httpx.AsyncClient:
        app = server(**{"assets": 24, "users": 12, **settings})
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://server.test/api/v1",
            headers={"Authorization": f"Bearer {app.database.token}", "Accept": "application/json"},
        )

    return start


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api()
