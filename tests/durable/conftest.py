"""A stage for streams: a host that works on them, one that only takes calls, a simulated tenant and a flow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.conftest import empty_database
from tests.processes import HostProcess, admin, hosts, tenant, until
from tests.receiver import Receiver, receiving

DEVICES, PAGE, CONCURRENCY = 650, 300, 16

Figure = Callable[[str, object], None]  # record_property: what a test measured, in the report of `--junitxml`


@dataclass(frozen=True)
class Stage:
    """A host at work, another one that only takes calls, the service they read and the flow they deliver to."""

    works: HostProcess
    other: HostProcess
    service: str
    token: str
    receiver: Receiver

    async def begun(self, **stream: Any) -> str:
        """A stream whose first requests are under way."""
        run = await asyncio.to_thread(self.other.stream, **{"concurrency": CONCURRENCY, **stream})
        await until(lambda: self.taken(run, 1))
        return run

    async def taken(self, run: str, count: int) -> bool:
        return len(self.receiver.of(run).sent) >= count


@pytest_asyncio.fixture(scope="package")
async def pair(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder, database = tmp_path_factory.mktemp("pair"), empty_database(postgres)
    with tenant(DEVICES) as service:
        async with receiving() as receiver, hosts(1, folder, database, service, receiver.url) as (works,):
            other = HostProcess(folder, service[0], database, works=False)
            await asyncio.to_thread(other.start)
            yield Stage(works, other, *service, receiver)
            other.kill()


@pytest_asyncio.fixture
async def stage(pair: Stage) -> AsyncIterator[Stage]:
    """The pair, with a flow that takes everything at once and a service that works."""
    pair.receiver.forget()
    yield pair
    pair.receiver.delay, pair.receiver.script = 0.0, _taken
    await admin(pair.service, "POST", "/reset")


def counts(run: dict[str, Any]) -> tuple[int, int, int, int]:
    progress = run["progress"]
    return progress["fetched"], progress["delivered"], progress["failed"], progress["skipped"]


def adds_up(run: dict[str, Any]) -> bool:
    """fetched = sent + skipped + pending, of which two pages can be in flight, and sent = delivered + failed."""
    fetched, delivered, failed, skipped = counts(run)
    sent, pending = run["progress"]["sent"], run["progress"]["pending"]
    return bool(sent == delivered + failed and fetched == sent + skipped + pending and 0 <= pending <= 2 * PAGE)


def _taken(_: dict[str, Any]) -> web.Response:
    return web.Response(status=204)
