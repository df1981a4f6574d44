"""What the store knows of streams at work: how far they are, which pages are in flight, what their flow did not take.

A page is kept, sealed, before its first record is sent. Whoever holds a stream writes; who lost it cannot.
"""

import json
import time
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from connector.engine import tables
from connector.engine.clock import now, seconds_since
from connector.engine.delivery import Attempt, Parcel
from connector.engine.seals import Seals
from connector.engine.source import InFlight
from connector.engine.store import Store
from connector.sdk.errors import UpcardError
from connector.sdk.kinds import Json

MOST_DUE = 100  # failed records taken up again at once

runs, pages, failures = tables.runs, tables.pages, tables.failures

# Made once: for what is written for every page, making a statement costs more than running it.
AT_WORK = sa.or_(runs.c.state == "running", runs.c.state == "canceling")
THE_RUN: sa.BindParameter[str] = sa.bindparam("the_run")
TURN: sa.BindParameter[int] = sa.bindparam("turn")
WHO: sa.BindParameter[str] = sa.bindparam("who")
AT: sa.BindParameter[int] = sa.bindparam("at")
NOTED = sa.update(runs).where(runs.c.id == THE_RUN, runs.c.segment == TURN, runs.c.host == WHO, AT_WORK)
THE_PAGE = (pages.c.run == THE_RUN, pages.c.first == AT)
PAGE_BEGINS = sa.insert(pages)
PAGE_GOES_ON = sa.update(pages).where(*THE_PAGE)
PAGE_ENDS = sa.delete(pages).where(*THE_PAGE)


class Lost(Exception):
    """Another host works on this stream now."""


@dataclass(frozen=True)
class Holder:
    """Who works on a stream: its segment, and the name of this one taking-up of it."""

    run: str
    segment: int
    name: str

    @property
    def held(self) -> Json:
        """Whom `NOTED` is about: this run, as long as nobody else has taken it up."""
        return {"the_run": self.run, "turn": self.segment, "who": self.name}


@dataclass(frozen=True)
class Begun:
    """A stream as it was found: its row, the pages in flight, and how many failed records are to be tried again."""

    row: Json
    pages: list[InFlight]
    due: int


@dataclass(frozen=True)
class Failed:
    """A parcel that its flow did not take; `due` is when it is tried again (None: never)."""

    parcel: Parcel
    attempt: Attempt
    due: float | None


@dataclass
class Change:
    """What is noted at once: progress, pages that begin, go on and end, what failed, and what did not after all."""

    counts: Json
    state: str = "running"
    error: UpcardError | None = None
    begins: InFlight | None = None
    goes_on: list[InFlight] = field(default_factory=list)
    ends: list[InFlight] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    taken: list[Parcel] = field(default_factory=list)  # that had failed before
    gives_up: bool = False  # what was to be tried again is not: it has failed

    @property
    def is_last(self) -> bool:
        return self.state != "running"

    @property
    def is_news(self) -> bool:
        """Whether there is anything to write but counts."""
        return self.is_last or bool(self.begins or self.goes_on or self.ends or self.failed or self.taken)


class Ledger:
    """One for all streams of a host."""

    def __init__(self, store: Store, seals: Seals) -> None:
        self._store = store
        self._seals = seals

    async def begin(self, holder: Holder) -> Begun | None:
        """Take up a segment where it is; None where it is over, or another segment's turn."""

        def work(db: sa.Connection) -> Begun | None:
            turn = (runs.c.id == holder.run, runs.c.segment == holder.segment)
            mine = sa.update(runs).where(*turn, sa.or_(runs.c.state == "queued", AT_WORK))
            if not db.execute(mine.values(state="running", host=holder.name)).rowcount:
                return None
            row = db.execute(sa.select(runs).where(runs.c.id == holder.run)).mappings().one()
            kept = sa.select(pages).where(pages.c.run == holder.run).order_by(pages.c.first)
            due = sa.select(sa.func.count()).where(failures.c.run == holder.run, failures.c.due.is_not(None))
            found = [self._opened(dict(page)) for page in db.execute(kept).mappings()]
            return Begun(dict(row), found, int(db.execute(due).scalar_one()))

        return await self._store.run(work)

    async def note(self, holder: Holder, change: Change) -> None:
        """Write all of a change, or nothing. Raises Lost."""

        def work(db: sa.Connection) -> None:
            self._note_run(db, holder, change)
            self._note_pages(db, holder.run, change)
            self._note_failures(db, holder.run, change)
            if change.gives_up:
                _give_up(db, holder.run)

        await self._store.run(work)

    async def due(self, run: str, but: Collection[int]) -> list[Parcel]:
        """Failed records whose time has come, the first ones first; without those at these positions."""
        come = (failures.c.run == run, failures.c.due <= time.time(), failures.c.position.not_in(but))
        wanted = sa.select(failures).where(*come).order_by(failures.c.due).limit(MOST_DUE)
        found = await self._store.run(lambda db: db.execute(wanted).mappings().all())
        return [
            Parcel(
                row["position"],
                row["records"],
                self._seals.open_bytes(row["body"], _failure_place(run, row["position"])),
                row["attempts"],
                again=True,
            )
            for row in found
        ]

    async def backlog(self) -> tuple[int, float, int]:
        """Records to be sent again, the age of the oldest in seconds, and records that have failed; of all runs."""
        is_due = failures.c.due.is_not(None)
        wanted = sa.select(
            sa.func.count().filter(is_due), sa.func.min(failures.c.at).filter(is_due), sa.func.count()
        ).select_from(failures)
        due, oldest, all_ = await self._store.run(lambda db: db.execute(wanted).one())
        return due, seconds_since(oldest) if oldest else 0.0, all_ - due

    async def asked(self, held: Iterable[Holder]) -> list[tuple[str, str]]:
        """What callers ask of these runs; an empty word for those that were lost."""
        names = {holder.run: holder.name for holder in held}
        wanted = sa.select(runs.c.id, runs.c.wanted, runs.c.host).where(runs.c.id.in_(names))
        found = await self._store.run(lambda db: db.execute(wanted).all())
        return [(row.id, row.wanted) for row in found if row.wanted or row.host != names[row.id]]

    async def not_begun(self, holder: Holder, error: UpcardError) -> None:
        """What a stream needs is gone: it failed where it was, and can be resumed once that is there again."""
        ended = {"state": "failed", "finished": now(), "wanted": "", "error": _written(error, holder.run)}
        await self._store.run(lambda db: db.execute(NOTED, {**holder.held, **ended}))

    def _note_run(self, db: sa.Connection, holder: Holder, change: Change) -> None:
        values = {**change.counts}
        if change.is_last:
            finished = None if change.state == "paused" else now()
            values |= {"state": change.state, "finished": finished, "wanted": "", "redeliver": None}
        if change.error:
            values["error"] = _written(change.error, holder.run)
        if not db.execute(NOTED, {**holder.held, **values}).rowcount:
            raise Lost(holder.run)

    def _note_pages(self, db: sa.Connection, run: str, change: Change) -> None:
        if change.state == "canceled":
            db.execute(sa.delete(pages).where(pages.c.run == run))
            return
        for page in change.ends:
            db.execute(PAGE_ENDS, {"the_run": run, "at": page.first})
        for page in change.goes_on:
            db.execute(PAGE_GOES_ON, {"the_run": run, "at": page.first, "done": _listed(page.done)})
        if change.begins and change.begins.records:
            db.execute(PAGE_BEGINS, self._sealed(run, change.begins))

    def _note_failures(self, db: sa.Connection, run: str, change: Change) -> None:
        if change.taken:
            gone = [parcel.position for parcel in change.taken]
            db.execute(sa.delete(failures).where(failures.c.run == run, failures.c.position.in_(gone)))
        new = [self._failure(run, failed) for failed in change.failed if not failed.parcel.again]
        if new:
            db.execute(sa.insert(failures), new)
        for failed in change.failed:
            if failed.parcel.again:
                same = (failures.c.run == run, failures.c.position == failed.parcel.position)
                db.execute(sa.update(failures).where(*same).values(_answer(failed)))

    def _sealed(self, run: str, page: InFlight) -> Json:
        records = self._seals.seal_bytes(zlib.compress(orjson.dumps(page.records), 1), _page_place(run, page.first))
        row = {"run": run, "first": page.first, "next": page.next, "skipped": page.skipped, "truncated": page.truncated}
        return {**row, "records": records, "done": _listed(page.done)}

    def _opened(self, row: Json) -> InFlight:
        records = self._seals.open_bytes(row["records"], _page_place(row["run"], row["first"]))
        done = set(json.loads(row["done"]))
        return InFlight(
            row["first"], orjson.loads(zlib.decompress(records)), row["next"], row["skipped"], row["truncated"], done
        )

    def _failure(self, run: str, failed: Failed) -> Json:
        parcel = failed.parcel
        body = self._seals.seal_bytes(parcel.body, _failure_place(run, parcel.position))
        return {"run": run, "position": parcel.position, "records": parcel.records, "body": body, **_answer(failed)}


def _give_up(db: sa.Connection, run: str) -> None:
    """Whatever was to be tried again has failed."""
    waiting = (failures.c.run == run, failures.c.due.is_not(None))
    count = db.execute(sa.select(tables.failed_records).where(*waiting)).scalar_one()
    db.execute(sa.update(runs).where(runs.c.id == run).values(failed=runs.c.failed + int(count)))
    db.execute(sa.update(failures).where(*waiting).values(due=None))


def _answer(failed: Failed) -> dict[str, Any]:
    attempt = failed.attempt
    told = {"status": attempt.status, "reason": attempt.reason, "at": now()}
    return {**told, "attempts": failed.parcel.attempts + 1, "due": failed.due}


def _listed(positions: Collection[int]) -> str:
    return json.dumps(sorted(positions))


def _written(error: UpcardError, run: str) -> str:
    return json.dumps(error.shown(run))


def _page_place(run: str, first: int) -> str:
    return f"pages/{run}/{first}/records"


def _failure_place(run: str, position: int) -> str:
    return f"failures/{run}/{position}/body"
