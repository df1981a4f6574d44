"""Work on streams: read a page, keep it, hand it over, note how far it came. One call of `page` is one durable step.

A page is kept, sealed, before its first record is sent. If the host dies, the next one sends that page again with the
same ids and the same bytes, and goes on from there. A pause keeps which of its records are done.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import sqlalchemy as sa
import structlog

from connector.catalog.find import Catalog
from connector.engine import tables
from connector.engine.budget import Share
from connector.engine.clock import now
from connector.engine.connections import Connections, meant
from connector.engine.delivery import Attempt, Handover, Parcel, batch_of, body_of
from connector.engine.flows import Flows, Target
from connector.engine.runs import COUNTS
from connector.engine.seals import Seals
from connector.engine.store import AWAY, Store
from connector.engine.streams import job_place
from connector.engine.telemetry import Telemetry
from connector.sdk.card import Card
from connector.sdk.client import Client
from connector.sdk.errors import DeliveryFailed, Unexpected, UpcardError
from connector.sdk.kinds import Json
from connector.sdk.pages import MOST_PAGES
from connector.sdk.results import Cursor, Stream
from connector.sdk.tables import CardInputs, CardOptions

WATCH = 0.5  # seconds until what a caller asked of another host is seen here
log = structlog.get_logger()

AGAIN = 300  # failures sent again in one step
DRAIN = 5.0  # seconds that pages in flight get when the host stops

runs, pages, failures = tables.runs, tables.pages, tables.failures


class Lost(Exception):
    """Another host works on this stream now."""


class Halted(Exception):
    """This stream was to stop while it waited for a page."""


@dataclass
class InFlight:
    """A page on its way. `done` are the positions that need no sending any more."""

    first: int
    records: list[Json]
    next: str | None
    skipped: int = 0
    truncated: bool = False
    done: set[int] = field(default_factory=set)
    kept: bool = False


@dataclass
class Active:
    """A stream at work on this host: what it was told, and how far it is. `holder` names this one taking-up of it."""

    run: str
    segment: int
    holder: str
    card: Card
    client: Client[Any]
    share: Share | None
    options: CardOptions
    inputs: CardInputs
    wanted: Stream
    handover: Handover
    counts: Json
    page: InFlight | None
    redeliver: Json | None
    halt: asyncio.Event = field(default_factory=asyncio.Event)
    asked: str = ""
    state: str = "running"
    ahead: "asyncio.Task[InFlight] | None" = None
    last: frozenset[Any] = frozenset()

    @property
    def waits_for(self) -> str | None:
        """What keeps it from going on, in words."""
        if self.handover.waits:
            return "the helper flow asks to slow down"
        return self.share.waits_for if self.share else None

    def parcels(self, page: InFlight) -> list[Parcel]:
        """What of a page is still to be sent; how it is cut depends on the page alone, so that ids stay the same."""
        state, size = orjson.dumps(self.wanted.state or {}), self.wanted.batch or 1
        cut = ((page.first + at, page.records[at : at + size]) for at in range(0, len(page.records), size))
        left = [(position, some) for position, some in cut if position not in page.done]
        if self.wanted.batch is None:
            return [Parcel(position, 1, body_of(some[0], state)) for position, some in left]
        return [Parcel(position, len(some), batch_of(some, state)) for position, some in left]

    def ids(self, records: Sequence[Json]) -> list[Any]:
        """What tells records from one another; nothing where their table does not say."""
        key = self.card.record.identity if self.card.record else ""
        return [str(record[key]) for record in records if record.get(key) is not None] if key else []


class Worker:
    """Works on the streams that the queue gives to this host."""

    def __init__(
        self,
        store: Store,
        seals: Seals,
        catalog: Catalog,
        connections: Connections,
        flows: Flows,
        session: aiohttp.ClientSession,
        telemetry: Telemetry,
        ended: Callable[[str], None],
    ) -> None:
        self._store = store
        self._seals = seals
        self._catalog = catalog
        self._connections = connections
        self._flows = flows
        self._session = session
        self._telemetry = telemetry
        self._ended = ended
        self._active: dict[str, Active] = {}
        self._pages = 0  # under way
        self._draining = False
        self._drained = asyncio.Event()

    async def page(self, run: str, segment: int, holder: str = "") -> bool:
        """Do one page of a stream for who holds it; returns whether there is more to do."""
        if self._draining:
            await asyncio.Event().wait()  # for the end of this process: another one takes the stream up
        self._pages += 1
        try:
            return await self._held(run, segment, holder)
        finally:
            self._pages -= 1
            if self._draining and not self._pages:
                self._drained.set()

    async def drain(self) -> None:
        """Let every stream stop where it is, with its page kept and which of its records are done."""
        self._draining = True
        for active in self._active.values():
            active.halt.set()
        if self._pages:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), DRAIN)

    async def _held(self, run: str, segment: int, holder: str) -> bool:
        active = self._active.get(run)
        if active is None or active.holder != holder:
            active = await self._begin(run, segment, holder)
        more = False
        try:
            more = active is not None and await self._worked(active)
        finally:
            if active and not more:
                self._forget(active)
        return more

    async def _worked(self, active: Active) -> bool:
        """One page, and what its failure means for the stream."""
        began = time.monotonic()
        try:
            return await (self._redelivered(active) if active.redeliver else self._one_page(active, began))
        except UpcardError as error:
            return await self._end(active, "failed", began, meant(error))
        except Lost:
            return False
        except AWAY:
            raise
        except Exception as error:
            log.error("stream", run=active.run, error=type(error).__name__, exc_info=error)
            if active.page and not active.page.kept:  # it may be the page that cannot be written
                self._put_back(active, active.page)
            return await self._end(active, "failed", began, UpcardError("Something went wrong on our side."))

    async def watch(self) -> None:
        """See what callers ask of streams at work here, which of them were lost, and show what they wait for."""
        while True:
            await asyncio.sleep(WATCH)
            if self._active:
                with suppress(*AWAY):
                    for run, asked in await self._store.run(self._asked):
                        self.tell(run, asked)

    def tell(self, run: str, asked: str) -> None:
        """Pause or cancel a stream, if it is at work here; or halt it without a word, if it was lost."""
        if active := self._active.get(run):
            active.asked = asked
            active.halt.set()

    def _asked(self, db: sa.Connection) -> list[tuple[str, str]]:
        for active in list(self._active.values()):
            waits = active.waits_for
            if waits != active.counts["waiting_for"]:
                active.counts["waiting_for"] = waits
                mine = (runs.c.id == active.run, runs.c.host == active.holder)
                db.execute(sa.update(runs).where(*mine).values(waiting_for=waits))
        lost = runs.c.host.not_in([active.holder for active in self._active.values()])
        wanted = sa.select(runs.c.id, runs.c.wanted).where(
            runs.c.id.in_(self._active), sa.or_(runs.c.wanted != "", lost)
        )
        return [(row.id, row.wanted) for row in db.execute(wanted)]

    async def _begin(self, run: str, segment: int, holder: str) -> Active | None:
        """Take up a segment where the store says it is; None where it is over, or another segment's turn.

        Who held it before writes nothing any more: see `_write`.
        """

        def work(db: sa.Connection) -> tuple[Json, Json | None] | None:
            mine = (runs.c.id == run, runs.c.segment == segment, runs.c.state.in_(["queued", "running", "canceling"]))
            if not db.execute(sa.update(runs).where(*mine).values(state="running", host=holder)).rowcount:
                return None
            row = db.execute(sa.select(runs).where(runs.c.id == run)).mappings().one()
            page = db.execute(sa.select(pages).where(pages.c.run == run)).mappings().first()
            return dict(row), dict(page) if page else None

        found = await self._store.run(work)
        if found is None:
            return None
        row, page = found
        try:
            active = await self._opened(row, self._kept(page) if page else None)
        except UpcardError as error:
            await self._not_opened(run, holder, error)
            return None
        if before := self._active.get(run):
            before.halt.set()
        if self._draining:
            active.halt.set()
        self._active[run] = active
        self._telemetry.stream_began(run, active.card.key)
        if row["wanted"]:
            self.tell(run, row["wanted"])
        return active

    async def _opened(self, row: Json, page: InFlight | None) -> Active:
        """Raises NotFound where the flow, the connection or the card is not there any more."""
        job = json.loads(self._seals.open(row["job"], job_place(row["id"])))
        card = self._catalog.card(row["card"])
        wanted = Stream.model_validate(job["wanted"])
        target = (await self._flows.get(wanted.flow)).target if wanted.flow else Target(**job["target"])
        account = self._connections.get(row["connection"])
        share = account.bulk(patient=True)
        return Active(
            run=row["id"],
            segment=row["segment"],
            holder=row["host"],
            card=card,
            client=self._connections.client(account, share=share),
            share=share,
            options=card.options.model_validate(job["options"]),
            inputs=card.inputs.model_validate(job["inputs"]),
            wanted=wanted,
            handover=Handover(self._session, target, row["id"]),
            counts={name: row[name] for name in COUNTS},
            page=page,
            redeliver=json.loads(row["redeliver"]) if row["redeliver"] else None,
        )

    async def _not_opened(self, run: str, holder: str, error: UpcardError) -> None:
        """What a stream needs is gone: it failed where it was, and can be resumed once that is there again."""
        mine = (runs.c.id == run, runs.c.host == holder, runs.c.state.in_(["running", "canceling"]))
        ended = {"state": "failed", "finished": now(), "wanted": "", "error": json.dumps(error.shown(run))}
        await self._store.run(lambda db: db.execute(sa.update(runs).where(*mine).values(**ended)))
        self._ended(run)

    async def _one_page(self, active: Active, began: float) -> bool:
        try:
            page = active.page or await self._next(active)
        except Halted:
            return await self._halted(active, began)
        if page is None:
            return await self._end(active, "succeeded", began)
        if active.page is None:
            self._take(active, page)
            await self._store.run(lambda db: self._taken(db, active, page))
        if page.next is not None:
            active.last = frozenset(active.ids(page.records))
            active.ahead = asyncio.create_task(self._fetched(active, page.next, page.first + len(page.records)))
        left = active.parcels(page)
        stops = active.wanted.on_failure == "stop"
        done = await active.handover.send(left, active.wanted.concurrency, active.halt, stop_at_failure=stops)
        return await self._settle(active, page, left, done, began)

    async def _settle(
        self, active: Active, page: InFlight, left: list[Parcel], done: dict[int, Attempt], began: float
    ) -> bool:
        """Note what became of a page; returns whether the stream goes on."""
        tried = [parcel for parcel in left if parcel.position in done]
        failed = [parcel for parcel in tried if not done[parcel.position].taken]
        page.done |= set(done)
        over = len(tried) == len(left)
        counts = active.counts
        counts["failed"] += _records(failed)
        counts["delivered"] += _records(tried) - _records(failed)
        self._telemetry.handed_over(_records(tried) - _records(failed), _records(failed))
        if over:
            self._turn(active, page)
        rows_ = [self._failure(active, parcel, done[parcel.position]) for parcel in failed]
        stopped = self._stopped(active, failed)
        state = stopped[0] if stopped else "succeeded" if over and page.next is None else "running"
        await self._note(active, state, began, stopped[1] if stopped else None, rows_)
        return state == "running"

    def _take(self, active: Active, page: InFlight) -> None:
        """The page is in flight from now on."""
        active.counts["fetched"] += len(page.records) + page.skipped
        active.counts["skipped"] += page.skipped
        active.page = page

    def _put_back(self, active: Active, page: InFlight) -> None:
        active.counts["fetched"] -= len(page.records) + page.skipped
        active.counts["skipped"] -= page.skipped
        active.page = None

    def _taken(self, db: sa.Connection, active: Active, page: InFlight) -> None:
        self._write(db, active, "running", {})
        self._keep(db, active, page)

    def _turn(self, active: Active, page: InFlight) -> None:
        """The page is done: the next one's turn."""
        counts = active.counts
        counts["pages"] += 1
        counts["cursor"] = page.next
        counts["truncated"] = page.truncated
        active.page = None

    def _stopped(self, active: Active, failed: list[Parcel]) -> tuple[str, UpcardError | None] | None:
        """Why a stream stops here, if it does: its new state, and the error where it is one."""
        if active.handover.gone:
            return "failed", DeliveryFailed("The helper flow answered 410: it is gone, and takes no more records.")
        if failed and active.wanted.on_failure == "stop":
            return "failed", DeliveryFailed("The helper flow did not take a record, and the stream was to stop then.")
        if active.asked:
            return ("paused" if active.asked == "pause" else "canceled"), None
        return None

    async def _halted(self, active: Active, began: float) -> bool:
        """Stop between two pages: as a caller asked, or as things are, since this host stops or lost the stream."""
        if stopped := self._stopped(active, []):
            return await self._end(active, stopped[0], began)
        if self._draining:
            return True
        raise Lost(active.run)

    async def _next(self, active: Active) -> InFlight | None:
        """The page after the last one; None where there is none. Raises Halted if it is to stop before it is there."""
        counts = active.counts
        if active.ahead is None:
            if counts["pages"] and counts["cursor"] is None:
                return None
            fetched = self._fetched(active, counts["cursor"], counts["delivered"] + counts["failed"])
            active.ahead = asyncio.create_task(fetched)
        halted = asyncio.create_task(active.halt.wait())
        try:
            await asyncio.wait([active.ahead, halted], return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()
        if not active.ahead.done():
            raise Halted
        ahead, active.ahead = active.ahead, None
        return _or_nothing(ahead.result())

    async def _fetched(self, active: Active, cursor: str | None, first: int) -> InFlight:
        """Read a page from the service, without what the page before had already."""
        limit = active.wanted.record_limit
        left = None if limit is None else limit - first
        if left == 0:
            return InFlight(first, [], None)
        page = await active.card.ask(active.options, active.inputs, active.client, Cursor(cursor, left))
        new = [record for record in page.records if not active.last.intersection(active.ids([record]))]
        if page.records and not new and page.next is not None:
            raise Unexpected("The service sent the same page again.")
        if page.next is not None and page.next == cursor:
            raise Unexpected("The service leads back to the page that was just read.")
        skipped, some = len(page.records) - len(new), new[:left]
        before = active.counts["pages"] + (active.page is not None)
        truncated = page.next is not None and before + 1 >= MOST_PAGES
        is_last = truncated or not page.records or len(some) == left
        return InFlight(first, some, None if is_last else page.next, skipped, truncated)

    async def _redelivered(self, active: Active) -> bool:
        """Send some failed records again; returns whether there are more."""
        told = active.redeliver or {}
        some = await self._store.run(lambda db: self._failures(db, active.run, told))
        done = await active.handover.send(some, active.wanted.concurrency, active.halt)
        taken = [parcel for parcel in some if parcel.position in done and done[parcel.position].taken]
        active.counts["delivered"] += _records(taken)
        active.counts["failed"] -= _records(taken)
        tried = len(done) == len(some)
        if tried:
            told["after"] = max((parcel.position for parcel in some), default=told["after"])
        over = (tried and len(some) < AGAIN) or active.handover.gone or active.asked != ""
        state = active.state = told["then"] if over else "running"
        gone = sa.delete(failures).where(
            failures.c.run == active.run, failures.c.position.in_([parcel.position for parcel in taken])
        )
        refused = [parcel for parcel in some if parcel.position in done and not done[parcel.position].taken]
        still = [_again(active.run, parcel.position, done[parcel.position]) for parcel in refused]
        values = {"redeliver": None if over else json.dumps(told), "finished": now() if over else None}

        def work(db: sa.Connection) -> None:
            db.execute(gone)
            for change in still:
                db.execute(change)
            self._write(db, active, state, values)

        await self._store.run(work)
        return not over

    async def _end(self, active: Active, state: str, began: float, error: UpcardError | None = None) -> bool:
        """The stream is over; always False."""
        await self._note(active, state, began, error, [])
        return False

    async def _note(
        self, active: Active, state: str, began: float, error: UpcardError | None, failed: list[Json]
    ) -> None:
        """Write how far the stream is, in one transaction with its failures and the page that comes next."""
        goes_on, active.state = state == "running", state
        wants_next = goes_on and active.page is None
        if wants_next and active.ahead and active.ahead.done() and not active.ahead.exception():
            ahead, active.ahead = _or_nothing(active.ahead.result()), None
            if ahead:
                self._take(active, ahead)
        active.counts["seconds"] += time.monotonic() - began
        values: Json = {} if goes_on else {"finished": None if state == "paused" else now(), "wanted": ""}
        values |= {"error": json.dumps(error.shown(active.run))} if error else {}
        keeps = active.page is not None and state != "canceled"

        def work(db: sa.Connection) -> None:
            self._write(db, active, state, values)
            if keeps and active.page:
                self._keep(db, active, active.page)
            else:
                db.execute(sa.delete(pages).where(pages.c.run == active.run))
            if failed:
                db.execute(sa.insert(failures), failed)

        await self._store.run(work)

    def _write(self, db: sa.Connection, active: Active, state: str, values: Json) -> None:
        held = (runs.c.id == active.run, runs.c.segment == active.segment, runs.c.host == active.holder)
        mine = (*held, runs.c.state.in_(["running", "canceling"]))
        change = {**active.counts, **values}
        if state != "running":
            change |= {"state": state, "waiting_for": None}
        if not db.execute(sa.update(runs).where(*mine).values(**change)).rowcount:
            raise Lost(active.run)

    def _keep(self, db: sa.Connection, active: Active, page: InFlight) -> None:
        records = self._seals.seal_bytes(orjson.dumps(page.records), _page_place(active.run, page.first))
        row: Json = {"first": page.first, "next": page.next, "skipped": page.skipped, "truncated": page.truncated}
        row |= {"records": records, "done": json.dumps(sorted(page.done))}
        if not db.execute(sa.update(pages).where(pages.c.run == active.run).values(**row)).rowcount:
            db.execute(sa.insert(pages).values(run=active.run, **row))
        page.kept = True

    def _kept(self, row: Json) -> InFlight:
        records = orjson.loads(self._seals.open_bytes(row["records"], _page_place(row["run"], row["first"])))
        done = set(json.loads(row["done"]))
        return InFlight(row["first"], records, row["next"], row["skipped"], row["truncated"], done, kept=True)

    def _failure(self, active: Active, parcel: Parcel, attempt: Attempt) -> Json:
        body = self._seals.seal_bytes(parcel.body, _failure_place(active.run, parcel.position))
        row = {"run": active.run, "position": parcel.position, "records": parcel.records, "body": body}
        return {**row, "status": attempt.status, "reason": attempt.reason, "at": now()}

    def _failures(self, db: sa.Connection, run: str, told: Json) -> list[Parcel]:
        wanted = sa.select(failures).where(failures.c.run == run, failures.c.position > told["after"])
        wanted = wanted.where(failures.c.position.in_(told["only"])) if told["only"] is not None else wanted
        found = db.execute(wanted.order_by(failures.c.position).limit(AGAIN)).mappings()
        return [
            Parcel(
                row["position"],
                row["records"],
                self._seals.open_bytes(row["body"], _failure_place(run, row["position"])),
            )
            for row in found
        ]

    def _forget(self, active: Active) -> None:
        if active.ahead:
            active.ahead.cancel()
        if self._active.get(active.run) is active:
            del self._active[active.run]
            counts = active.counts["delivered"], active.counts["failed"]
            self._telemetry.stream_stopped(active.run, active.card.key, active.state, *counts)
        self._ended(active.run)


def _page_place(run: str, first: int) -> str:
    return f"pages/{run}/{first}/records"


def _failure_place(run: str, position: int) -> str:
    return f"failures/{run}/{position}/body"


def _again(run: str, position: int, attempt: Attempt) -> sa.Update:
    """The record failed once more: what its flow answers now."""
    same = sa.update(failures).where(failures.c.run == run, failures.c.position == position)
    return same.values(status=attempt.status, reason=attempt.reason, at=now())


def _records(parcels: Sequence[Parcel]) -> int:
    return sum(parcel.records for parcel in parcels)


def _or_nothing(page: InFlight) -> InFlight | None:
    return page if page.records or page.skipped else None
