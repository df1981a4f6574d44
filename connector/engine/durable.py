"""Durable work on DBOS: a stream is a workflow, a page of it a step. Knows nothing of cards or flows.

One host launches DBOS once. Streams are queued in the transaction that accepts their run, taken over from hosts that
died, and never run on two hosts at a time: a host that lost one finds its run moved on, and stops.
"""

import asyncio
import fcntl
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import DBOSPortableJSONSerializer as Serializer

from connector.engine import tables
from connector.engine.retention import forget
from connector.engine.store import Store

NAME = "upcard"
VERSION = "streams-1"  # changes only when the order of a workflow's steps does; else running streams would be stranded
QUEUE = "streams"
POLL = 0.1  # seconds until a queued stream is seen
AT_ONCE = 32  # streams on one host
BEAT = 5.0  # seconds between signs of life
DEAD = 15.0  # seconds without one
AGAIN = 1.0  # seconds until a step is tried again that did not reach the store
AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)  # the store cannot be reached


class Works(Protocol):
    """What does the work: one page of a stream, and a watch over what callers ask meanwhile."""

    async def page(self, run: str, segment: int, holder: str) -> bool: ...

    async def watch(self) -> None: ...

    async def drain(self) -> None: ...


class Queue:
    """Puts streams in the queue; any host may."""

    def __init__(self, store: Store) -> None:
        self._client = DBOSClient(system_database_engine=store.engine, serializer=Serializer(), lazy=True)

    def put(self, db: sa.Connection, run: str, segment: int) -> None:
        """Queue a segment of a run, in the transaction that accepts it. The same segment is queued once."""
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": "stream",
            "workflow_id": f"{run}.{segment}",
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(db, options, run, segment)


@asynccontextmanager
async def working(store: Store, data_dir: Path, worker: Works, days: int) -> AsyncIterator[str]:
    """Work on queued streams while the block runs, forget those that ended long ago; gives the host's ID."""
    with _slot(data_dir) as host:
        DBOS(config=_config(store, host))

        @DBOS.step(name="page")
        async def step(run: str, segment: int, holder: str) -> bool:
            while True:
                try:
                    return await worker.page(run, segment, holder)
                except AWAY:  # an error here would end the workflow, and leave its run at work for ever
                    await asyncio.sleep(AGAIN)

        @DBOS.workflow(name="stream")
        async def stream(run: str, segment: int) -> None:
            holder = secrets.token_hex(8)  # another one whenever the workflow is taken up again, here or elsewhere
            while await step(run, segment, holder):
                pass

        await asyncio.to_thread(_beat, store, host)
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=POLL, on_conflict="always_update"
        )
        duties = (_watch(store, host), worker.watch(), forget(store, days))
        watches = [asyncio.create_task(duty) for duty in duties]
        try:
            yield host
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
            await worker.drain()
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)


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


async def _watch(store: Store, host: str) -> None:
    """Show that this host is alive, and take over the streams of those that are not."""
    while True:
        await asyncio.sleep(BEAT)
        with suppress(*AWAY):
            for dead in await asyncio.to_thread(_beat, store, host):
                await _take_over(store, dead)


async def _take_over(store: Store, dead: str) -> None:
    left = await DBOS.list_workflows_async(status="PENDING", executor_id=dead, load_input=False, load_output=False)
    await DBOS.resume_workflows_async([workflow.workflow_id for workflow in left], queue_name=QUEUE)
    await asyncio.to_thread(_bury, store, dead)


def _beat(store: Store, host: str) -> list[str]:
    """Note that this host is alive; returns those that have not been for too long.

    A host that was away itself judges nobody: when a store comes back, all have been silent for as long.
    """

    def work(db: sa.Connection) -> list[str]:
        known = tables.hosts.c
        now = time.time()
        last = db.execute(sa.select(known.seen).where(known.id == host)).scalar()
        if last is None:
            db.execute(sa.insert(tables.hosts).values(id=host, seen=now))
        else:
            db.execute(sa.update(tables.hosts).where(known.id == host).values(seen=now))
        if last is None or last < now - DEAD:
            return []
        return list(db.execute(sa.select(known.id).where(known.seen < now - DEAD, known.id != host)).scalars())

    return store.run_here(work)


def _bury(store: Store, dead: str) -> None:
    """Unless it is back."""
    known = tables.hosts.c
    gone = sa.delete(tables.hosts).where(known.id == dead, known.seen < time.time() - DEAD)
    store.run_here(lambda db: db.execute(gone))


class _slot:  # noqa: N801
    """An ID for this process that is free, and the same again after a restart: the first lock file nobody holds."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir
        self._file: IO[str] | None = None

    def __enter__(self) -> str:
        for number in range(1000):
            path = self._folder / f"slot-{number}.lock"
            self._file = path.open("w")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._file.close()
            else:
                folder = hashlib.sha256(str(self._folder.resolve()).encode()).hexdigest()[:8]
                return f"{socket.gethostname()}-{folder}-{number}"
        raise RuntimeError("More than 1000 hosts share this data folder.")

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
