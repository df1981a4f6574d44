"""Durable work on DBOS: a run is a workflow, a second of it a step. Knows nothing of cards, flows or syncs.

One host launches DBOS once. Work is queued in the transaction that accepts its run, taken over from hosts that
died, and never done on two hosts at a time: a host that lost a run finds it moved on, and stops.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import DBOSPortableJSONSerializer as Serializer

from connector.engine.hosts import Presence
from connector.engine.store import AWAY, Store

NAME = "upcard"
VERSION = "streams-1"  # changes only when the order of a workflow's steps does; else running streams would be stranded
QUEUE = "streams"
STEPS = {"stream": "page"}  # what a step is called, where that is not what its work is; see VERSION
POLL = 0.1  # seconds until a queued stream is seen
AT_ONCE = 64  # runs on one host; a stream that waits for its flow counts as well
AGAIN = 1.0  # seconds until a step is tried again that did not reach the store


class Works(Protocol):
    """What does one kind of work: a second of a run at a time."""

    async def go_on(self, run: str, segment: int, holder: str) -> bool: ...

    async def drain(self) -> None: ...


class Queue:
    """Puts runs in the queue; any host may."""

    def __init__(self, store: Store) -> None:
        self._client = DBOSClient(
            system_database_engine=store.engine, serializer=Serializer(), lazy=True, retry_connection_errors=False
        )

    def migrate(self) -> None:
        """Make DBOS's tables. It has no public way to do so on an engine of ours; hosts wait for one another.

        The queue is made as well: DBOS looks for new ones once a second, and the first stream would wait for that.
        """
        self._client._sys_db.run_migrations()
        self._client.register_queue(QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=POLL, application_name=NAME)

    def put(self, db: sa.Connection, run: str, segment: int, kind: str = "stream") -> None:
        """Queue a segment of a run, in the transaction that accepts it. The same segment is queued once."""
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": kind,
            "workflow_id": f"{run}.{segment}",
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(db, options, run, segment)

    def put_back(self, host: str) -> None:
        """Queue again what a host has, which has died or is leaving."""
        left = self._client.list_workflows(status="PENDING", executor_id=host, load_input=False, load_output=False)
        self._client.resume_workflows([workflow.workflow_id for workflow in left], queue_name=QUEUE)


@asynccontextmanager
async def working(
    store: Store, queue: Queue, presence: Presence, works: Mapping[str, Works], look: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """Do queued work of these kinds while the block runs; others go on with it after that.

    `look` sees what other hosts changed: a run may have been accepted for a connection that was made just before.
    """
    DBOS(config=_config(store, presence.id))
    for kind, worker in works.items():
        _register(kind, worker, look)
    DBOS.launch()
    try:
        yield
    finally:
        await asyncio.gather(*(worker.drain() for worker in works.values()))
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())  # DBOS's goes with it, duties go on
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        with suppress(*AWAY):
            queue.put_back(presence.id)  # in this thread: the loop's others were DBOS's


def _register(kind: str, worker: Works, look: Callable[[], Awaitable[None]]) -> None:
    """Make a kind of work known, before DBOS is launched."""

    @DBOS.step(name=STEPS.get(kind, kind))
    async def step(run: str, segment: int, holder: str) -> bool:
        while True:
            try:
                return await worker.go_on(run, segment, holder)
            except AWAY:  # an error here would end the workflow, and leave its run at work for ever
                await asyncio.sleep(AGAIN)

    @DBOS.workflow(name=kind)
    async def work(run: str, segment: int) -> None:
        holder = secrets.token_hex(8)  # another one whenever the workflow is taken up again, here or elsewhere
        with suppress(*AWAY):
            await look()
        while await step(run, segment, holder):
            pass


def _config(store: Store, host: str) -> DBOSConfig:
    return {
        "name": NAME,
        "system_database_url": store.engine.url.render_as_string(hide_password=False),
        "system_database_engine": store.engine,
        "application_version": VERSION,
        "executor_id": host,
        "serializer": Serializer(),
        "log_level": "WARNING",
        "use_listen_notify": False,
        "enable_otlp": False,
    }


async def take_over(queue: Queue, presence: Presence, cut_off: Callable[[str], Awaitable[None]]) -> None:
    """Put the streams of hosts that died back in the queue, and end their calls."""
    for dead in presence.dead:
        await asyncio.to_thread(queue.put_back, dead)
        await cut_off(dead)
        await presence.bury(dead)
