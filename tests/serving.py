"""A simulated service behind a real server on the loopback address, and a host that is connected to it."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from connector.catalog.find import catalog
from connector.sync.systems.cards import ConnectionCards, caller_of
from tests.conftest import Upcard, opened

CONNECTION = "live"


@dataclass(frozen=True)
class Served:
    """The cards of a connection as a sync calls them, and the host that has it."""

    upcard: Upcard
    cards: ConnectionCards

    def only(self, *scopes: str) -> ConnectionCards:
        """The same for a caller with these scopes."""
        grant = replace(self.cards.caller.grant, scopes=frozenset(scopes))
        return replace(self.cards, caller=replace(self.cards.caller, grant=grant))

    async def audit(self) -> list[dict[str, Any]]:
        """Newest first."""
        return list((await self.upcard.http.get("/v1/audit")).json()["items"])


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of an app on a free port."""
    served = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    while not served.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{served.servers[0].sockets[0].getsockname()[1]}"
    served.should_exit = True
    thread.join()


@asynccontextmanager
async def connected(folder: Path, connector: str, app: Any, **fields: str) -> AsyncIterator[Served]:
    """A host with one connection to the app, as fast as both are."""
    with serving(app) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog().connector(connector).client, "limits", None)
        async with opened(folder, services=(), allow_services="127.0.0.1:*") as upcard:
            body = {"name": CONNECTION, "connector": connector, "fields": {"url": url, **fields}}
            (await upcard.http.post("/v1/connections", json=body)).raise_for_status()
            upcard.host.connections.get(CONNECTION).service.sleep = _at_once
            caller = caller_of("nightly", CONNECTION)
            yield Served(upcard, ConnectionCards(upcard.host.runner, connector, CONNECTION, caller))


async def _at_once(_: float) -> None:
    """Retries in tests follow at once."""
