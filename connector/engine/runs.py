"""Runs: every call is one. What changes something, and every stream, is on record before it begins.

Calls that only read are written behind, some at a time: a crash may lose the last second of their records.
"""

import asyncio
import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import RowMapping

from connector.engine import tables
from connector.engine.clock import now
from connector.engine.store import AWAY, Store, inserting
from connector.sdk.errors import NoSuchRun, UpcardError
from connector.sdk.kinds import Json

BEHIND = 0.5  # seconds that records of finished reads wait to be written

INSERT = sa.insert(tables.runs)  # made once: to build a statement costs more than to execute it
UPDATE = sa.update(tables.runs).where(tables.runs.c.id == sa.bindparam("of"))

MISSING = "There is no run of this name."

State = Literal["queued", "running", "paused", "waiting_approval", "succeeded", "failed", "canceling", "canceled"]
ENDED = frozenset({"succeeded", "failed", "canceled", "paused"})
PLAIN = ("id", "card", "connection", "caller", "state", "started", "finished", "host")  # columns that are as in a Run
COUNTS = ("fetched", "delivered", "failed", "skipped", "pages", "cursor", "truncated", "waiting_for", "seconds")


def new_id(kind: str) -> str:
    """An ID of its own: a later one is the later text."""
    return f"{kind}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


@dataclass
class Run:
    """One invocation.

    host: that makes the call. replayed: its answer was given before, and is given again.
    """

    card: str
    connection: str
    caller: str
    id: str = field(default_factory=lambda: new_id("run"))
    state: State = "running"
    started: str = field(default_factory=now)
    finished: str | None = None
    error: Json | None = None
    progress: Json | None = None
    host: str = ""
    replayed: bool = False

    @classmethod
    def of(cls, row: RowMapping) -> "Run":
        error = json.loads(row["error"]) if row["error"] else None
        progress = {name: row[name] for name in COUNTS} if row["job"] else None
        return cls(**{name: row[name] for name in PLAIN}, error=error, progress=progress)

    def shown(self) -> Json:
        found: Json = {"run": self.id, "card": self.card, "connection": self.connection, "state": self.state}
        found |= {"started": self.started, "finished": self.finished}
        found |= {"progress": _progress(self.progress)} if self.progress else {}
        return found | ({"error": self.error} if self.error else {})


def _progress(counts: Json) -> Json:
    """sent = delivered + failed; fetched = sent + skipped + pending: in flight, or to be tried again (CB-11)."""
    rest = {name: value for name, value in counts.items() if name != "seconds"}
    rate = round(counts["delivered"] / counts["seconds"], 1) if counts["seconds"] else 0.0
    sent = counts["delivered"] + counts["failed"]
    return {**rest, "sent": sent, "pending": counts["fetched"] - counts["skipped"] - sent, "rate": rate}


class Runs:
    """The runs of all hosts that share the store, and the live reads of this one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._live: dict[str, Run] = {}
        self._behind: list[Run] = []
        self._flushing = asyncio.Lock()
        self._writer = asyncio.create_task(self._write_behind())

    def begin_read(self, run: Run) -> Run:
        """A call that only reads: kept in memory until it ends."""
        self._live[run.id] = run
        return run

    def end_read(self, run: Run, error: UpcardError | None = None) -> None:
        """It is written soon."""
        end(run, error)
        del self._live[run.id]
        self._behind.append(run)

    async def get(self, id_: str, caller: str) -> Run:
        """A run of this caller; another's is not there."""
        unwritten = {run.id: run for run in [*self._live.values(), *self._behind] if run.id == id_}
        found = unwritten.get(id_) or await self._store.run(lambda db: stored(db, id_))
        if found and found.caller == caller:
            return found
        raise NoSuchRun(MISSING)

    async def list(
        self, caller: str, *, card: str | None, state: str | None, since: str | None, cursor: str | None, limit: int
    ) -> tuple[list[Run], str | None]:
        """The caller's runs, newest first, and the cursor of the next page."""
        await self.flush()
        known = tables.runs.c
        wanted = sa.select(tables.runs).where(known.caller == caller).order_by(known.id.desc()).limit(limit + 1)
        for column, value in ((known.card, card), (known.state, state)):
            wanted = wanted.where(column == value) if value else wanted
        wanted = wanted.where(known.started >= since) if since else wanted
        wanted = wanted.where(known.id < cursor) if cursor else wanted
        found = await self._store.run(lambda db: [Run.of(row) for row in db.execute(wanted).mappings()])
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    async def flush(self) -> None:
        """Write what is kept back."""
        async with self._flushing:
            if some := self._behind[:]:
                await self._store.run(lambda db: _insert_all(db, some))
                del self._behind[: len(some)]

    async def stop(self) -> None:
        async with self._flushing:  # cancelled in the middle of it, it would not know that it has written
            self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer
        await self.flush()

    async def _write_behind(self) -> None:
        while True:
            await asyncio.sleep(BEHIND)
            with suppress(*AWAY):
                await self.flush()


def _insert_all(db: sa.Connection, some: list[Run]) -> None:
    """Also such as are there already: a write that was cut off here went on in its thread."""
    db.execute(inserting(db)(tables.runs).on_conflict_do_nothing(), [_row(run) for run in some])


def stored(db: sa.Connection, id_: str) -> Run | None:
    row = db.execute(sa.select(tables.runs).where(tables.runs.c.id == id_)).mappings().first()
    return Run.of(row) if row else None


def insert(db: sa.Connection, run: Run, **more: str) -> None:
    db.execute(INSERT, {**_row(run), **more})


def update(db: sa.Connection, run: Run) -> None:
    db.execute(UPDATE, {"of": run.id, **_row(run)})


def end(run: Run, error: UpcardError | None = None) -> None:
    """Say how it ended, by the problem that its caller is told."""
    run.state, run.finished = ("failed" if error else "succeeded"), now()
    run.error = error.shown(run.id) if error else None


def _row(run: Run) -> Json:
    return {**{name: getattr(run, name) for name in PLAIN}, "error": json.dumps(run.error) if run.error else None}
