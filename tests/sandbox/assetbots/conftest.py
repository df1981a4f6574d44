"""Workspaces to test against, in-process."""

from typing import Any

import httpx
import pytest

from sandbox.assetbots import workspace
from tests.sandbox.assetbots.workspaces import Api


@pytest.fixture
def api() -> Api:
    """A client of a new workspace with these settings."""

    def start(**settings: Any) -> httpx.AsyncClient:
        app = workspace(**{"assets": 12, "people": 3, **settings})
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://workspace.test/v1",
            headers={"X-Api-Key": app.database.key},
        )

    return start


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api()
