"""Parts of a host: stores, seals, sessions, and flows that take records."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import respx
from aiohttp import web

from cards.kandji import _client
from connector.engine import course
from connector.engine.addresses import Allowed
from connector.engine.network import open_session
from connector.engine.seals import Seals
from connector.engine.store import Store
from tests.connector.engine.parts import KEY, OpenFlow, OpenStore
from tests.connector.engine.station import Station


@pytest.fixture
def open_store() -> Iterator[OpenStore]:
    """`open_store(url)`: a store with its tables, closed when the test ends."""
    opened: list[Store] = []

    def make(url: str) -> Store:
        opened.append(Store(url))
        opened[-1].migrate()
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with its tables: copying it takes a hundredth of what its migrations take."""
    file = tmp_path_factory.mktemp("store") / "upcard.db"
    store = Store(f"sqlite:///{file}")
    store.migrate()
    store.close()
    return file


@pytest.fixture
def copied_store(open_store: OpenStore, migrated: Path) -> OpenStore:
    """`copied_store(url)`: the same as `open_store`, for tests that are not about migrations."""

    def make(url: str) -> Store:
        file = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite") and not file.exists():
            file.parent.mkdir(exist_ok=True)
            shutil.copy(migrated, file)
        return open_store(url)

    return make


@pytest.fixture
def seals() -> Seals:
    return Seals({"k1": KEY})


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session as the host has one for callbacks, which may reach the loopback address."""
    async with open_session(Allowed.parse("127.0.0.1:*"), limit=256) as opened:
        yield opened


@pytest_asyncio.fixture
async def station(
    database: str,
    copied_store: OpenStore,
    seals: Seals,
    session: aiohttp.ClientSession,
    kandji: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
) -> Station:
    """A host that works when it is told, connected to a Kandji that gives three records a page."""
    monkeypatch.setattr(_client, "PAGE", 3)
    monkeypatch.setattr(course, "TURN", 0.0)  # a step is over when it has noted something
    monkeypatch.setattr(course, "NOTED", 0.05)
    made = Station(copied_store(database), seals, session)
    kandji.get("/devices").respond(json=[])
    await made.connect()
    return made


@pytest.fixture
async def open_flow() -> AsyncIterator[OpenFlow]:
    """`await open_flow(handler)`: the URL of a flow that an aiohttp handler answers for."""
    async with AsyncExitStack() as stack:

        async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
            application = web.Application()
            application.router.add_post("/flow", handler)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.01)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}/flow"

        yield start


@pytest.fixture
def played() -> Iterator[respx.MockRouter]:
    """Services at any address, played by respx; what is not routed here fails the test."""
    with respx.mock(using="httpx", assert_all_called=False) as router:
        yield router
