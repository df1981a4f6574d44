"""A host without a face and without DBOS: streams are accepted, and worked on when a test says so, step by step."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import respx
import sqlalchemy as sa

from connector.catalog.find import catalog
from connector.engine import tables
from connector.engine.addresses import Allowed
from connector.engine.calls import Call, Reader
from connector.engine.connections import Connections
from connector.engine.destinations import Destinations
from connector.engine.flows import Flows
from connector.engine.hosts import Presence
from connector.engine.jobs import Jobs
from connector.engine.ledger import Ledger
from connector.engine.runs import Run
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.engine.streams import Streams
from connector.engine.telemetry import Telemetry
from connector.engine.worker import Worker
from tests.conftest import TENANT, TOKEN
from tests.connector.engine.parts import caller

RECEIVERS = Allowed.parse("127.0.0.1:*")


class Line:
    """What was queued: run and segment, in their order."""

    def __init__(self) -> None:
        self.queued: list[tuple[str, int]] = []

    def put(self, _: sa.Connection, run: str, segment: int) -> None:
        self.queued.append((run, segment))


class Fleet:
    """Kandji's list of devices; `asked` are the offsets it was asked for."""

    def __init__(self, router: respx.MockRouter, devices: Sequence[dict[str, Any]]) -> None:
        self.devices = list(devices)
        self.asked: list[int] = []
        self.failing: dict[int, httpx.Response] = {}
        router.get("/devices").mock(side_effect=self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params.get(name, 0)) for name in ("offset", "limit"))
        self.asked.append(offset)
        return self.failing.get(offset) or httpx.Response(200, json=self.devices[offset : offset + limit])


@dataclass
class Station:
    """The parts of one host that streams need; `another()` is a second host on the same store."""

    store: Store
    seals: Seals
    session: aiohttp.ClientSession
    line: Line = field(default_factory=Line)
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connections = Connections(catalog(), self.store, self.seals, self.session, Allowed())
        self.flows = Flows(self.store, self.seals, RECEIVERS)
        self.reader = Reader(catalog(), self.connections, self.flows, RECEIVERS, unregistered_flows=True)
        self.streams = Streams(self.store, self.seals, self.line)  # type: ignore[arg-type]  # DBOS has its own tests
        self.telemetry = Telemetry()
        self.destinations = Destinations(self.store, Presence(self.store, "h1"))
        parts = (catalog(), self.connections, self.flows, self.seals, self.session, self.destinations)
        self.jobs = Jobs(*parts, schedule=(0.0, 0.0))  # attempts follow at once

    @property
    def jobs(self) -> Jobs:
        return self._jobs

    @jobs.setter
    def jobs(self, jobs: Jobs) -> None:
        """With another schedule, for example."""
        self._jobs = jobs
        self.worker = Worker(Ledger(self.store, self.seals), jobs, self.telemetry, self.ended.append)

    def another(self) -> "Station":
        return Station(self.store, self.seals, self.session, self.line)

    async def connect(self) -> None:
        await self.connections.create("acme", "kandji", {"url": TENANT, "token": TOKEN})

    async def accept(self, url: str, **stream: Any) -> Run:
        """A stream of all devices, on record and in the queue."""
        said: dict[str, Any] = {"options": {"result_set": "stream"}, "stream": {"url": url, "concurrency": 1, **stream}}
        run = await self.streams.accept(await self.reader.read(Call("kandji.list_devices", caller("k1"), **said)))
        assert isinstance(run, Run)
        return run

    async def step(self, run: Run) -> bool:
        """A second of a stream, or what `course.TURN` says."""
        return await self.worker.go_on(run.id, max(segment for id_, segment in self.line.queued if id_ == run.id))

    async def work(self, run: Run) -> Run:
        """All that is to be done; the run afterwards."""
        while await self.step(run):
            pass
        return self.seen(run)

    async def steps(self, run: Run) -> AsyncIterator[None]:
        """All that is to be done, with a break after each step."""
        while await self.step(run):
            yield

    async def stream(self, url: str, **stream: Any) -> Run:
        return await self.work(await self.accept(url, **stream))

    def seen(self, run: Run) -> Run:
        wanted = sa.select(tables.runs).where(tables.runs.c.id == run.id)
        return self.store.run_here(lambda db: Run.of(db.execute(wanted).mappings().one()))

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        return [dict(row) for row in self.store.run_here(lambda db: db.execute(sa.select(table)).mappings().all())]


def counts(run: Run) -> dict[str, Any]:
    """What adds up: fetched = sent + skipped + pending, sent = delivered + failed."""
    shown = run.shown()["progress"]
    return {name: shown[name] for name in ("fetched", "sent", "delivered", "failed", "skipped", "pages")}


def devices(count: int) -> list[dict[str, Any]]:
    return [{"device_id": f"d{number}", "device_name": "N\u00f6ra's Mac"} for number in range(count)]


Open = Callable[[], Station]
