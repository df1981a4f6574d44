"""The course of one stream on this host: read ahead, hand over, note how far it is, and know when it is over.

Records are handed over while others are noted: a page ends while the next one begins. A record that its flow did not
take waits among the failures for its next attempt, and holds nobody up; only with concurrency 1 the others wait for it.
"""

import asyncio
import json
import random
import time
from contextlib import suppress

import orjson

from connector.engine.connections import meant
from connector.engine.delivery import Attempt, Parcel, batch_of, body_of
from connector.engine.jobs import Job
from connector.engine.ledger import Begun, Change, Failed, Holder, Ledger
from connector.engine.runs import COUNTS
from connector.engine.sender import Done, Sender
from connector.engine.source import InFlight, Source
from connector.sdk.errors import DeliveryFailed, Unexpected, UpcardError
from connector.sdk.kinds import Json
from connector.sdk.pages import MOST_PAGES

TURN = 1.0  # seconds of work in one durable step: a step costs as much as twenty records (bench/README.md)
NOTED = 0.5  # seconds until what was done is noted, at most
IN_FLIGHT = 2  # pages: one that ends, and one that begins
ATTEMPTS = 3  # for a record whose refusal will not heal (CB-4)


class Course:
    """From where a stream was found to where it is over, halted, or lost to another host."""

    def __init__(self, holder: Holder, begun: Begun, job: Job, ledger: Ledger) -> None:
        self.holder = holder
        self.card = job.card
        self.state = "running"
        self.counts: Json = {name: begun.row[name] for name in COUNTS}
        self._job = job
        self._ledger = ledger
        redeliver = begun.row["redeliver"]  # failures alone are sent again: no page, and the state goes back
        self._then: str | None = json.loads(redeliver)["then"] if redeliver else None
        self._pages = [] if self._then else begun.pages
        self._due = begun.due  # failed records that are tried again
        self._again: set[int] = set()  # the positions of those that are on their way
        self._asked = ""  # by a caller: pause or cancel
        self._error: UpcardError | None = None
        self._news = asyncio.Event()
        self._since = time.monotonic()
        self._sender = Sender(self._send, job.wanted.concurrency, self._news.set)
        self._source = None if self._then else self._open(begun)
        for page in self._pages:
            self._sender.put(self._parcels(page))
        self._news.set()

    @property
    def is_halted(self) -> bool:
        return self._sender.is_halted

    async def work(self) -> bool:
        """Go on for a second or so; whether there is more to do. Raises Lost."""
        end = time.monotonic() + TURN
        while True:
            await self._until_news()
            self._sender.check()
            done = self._sender.done()
            await self._note(self._change(done), done)
            if self.state != "running" or self.is_halted or time.monotonic() >= end:
                return self.state == "running"

    def halt(self, asked: str = "") -> None:
        """Stop where it is, because a caller asked to pause or cancel; or without a word, and go on elsewhere."""
        self._asked = asked or self._asked
        self._sender.halt()
        self._news.set()

    async def fail(self, error: UpcardError) -> None:
        """End it here, with what is noted."""
        await self.stop()
        await self._note(Change({**self.counts, "waiting_for": None}, state="failed", error=error), [])

    async def stop(self) -> None:
        """Leave nothing behind that runs."""
        await self._sender.stop()
        if self._source:
            await self._source.stop()
        self._job.handover.close()

    def _open(self, begun: Begun) -> Source:
        counts, kept = self.counts, begun.pages
        source = Source(
            self._job.ask,
            self._job.identity,
            self._page_is_there,
            cursor=counts["cursor"],
            first=counts["fetched"] - counts["skipped"],
            pages=counts["pages"] + len(kept[:-1]),
            limit=self._job.wanted.record_limit,
        )
        source.go_on(kept[-1] if kept else None)
        return source

    def _page_is_there(self) -> None:
        if self._sender.is_hungry:
            self._news.set()

    def _parcels(self, page: InFlight) -> list[Parcel]:
        """What of a page is still to be sent; how it is cut depends on the page alone, so that ids stay the same."""
        wanted = self._job.wanted
        state, size = orjson.dumps(wanted.state or {}), wanted.batch or 1
        cut = ((page.first + at, page.records[at : at + size]) for at in range(0, len(page.records), size))
        left = [(position, some) for position, some in cut if position not in page.done]
        if wanted.batch is None:
            return [Parcel(position, 1, body_of(some[0], state)) for position, some in left]
        return [Parcel(position, len(some), batch_of(some, state)) for position, some in left]

    async def _send(self, parcel: Parcel) -> Attempt:
        attempt = await self._job.handover.send(parcel)
        if attempt.taken:
            return attempt
        if self._job.wanted.concurrency == 1:
            attempt = await self._sent_in_order(parcel, attempt)
        is_stop = self._job.wanted.on_failure == "stop" and not attempt.taken and self._next(parcel, attempt) is None
        if is_stop or self._job.handover.gone:
            self.halt()
        return attempt

    async def _sent_in_order(self, parcel: Parcel, attempt: Attempt) -> Attempt:
        """Nothing overtakes a record that is sent again (CB-9)."""
        while not attempt.taken and (wait := self._next(parcel, attempt)) is not None:
            await self._job.sleep(wait)
            parcel = parcel._replace(attempts=parcel.attempts + 1)
            attempt = await self._job.handover.send(parcel)
        return attempt._replace(final=True)

    def _next(self, parcel: Parcel, attempt: Attempt) -> float | None:
        """Seconds until it is sent again, with full jitter (CB-5); None: never."""
        done, schedule = parcel.attempts + 1, self._job.schedule
        if attempt.final or done > len(schedule) or (done >= ATTEMPTS and not attempt.may_heal):
            return None
        return max(random.uniform(0, schedule[done - 1]), attempt.after)

    async def _until_news(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(NOTED):
                await self._news.wait()
        self._news.clear()
        if self._sender.is_halted:
            await self._sender.stop()

    def _change(self, done: Done) -> Change:
        """What has happened since the last one. Changes nothing that cannot be done twice."""
        change = Change({**self.counts, "seconds": self.counts["seconds"] + time.monotonic() - self._since})
        for parcel, attempt in done:
            self._judge(change, parcel, attempt)
        self._turn_pages(change, [parcel.position for parcel, _ in done if not parcel.again])
        if self._source and not self._sender.is_halted:
            self._begin_page(self._source, change)
        change.state, change.error = self._outcome(change)
        change.gives_up = change.is_last and (change.state == "canceled" or self._then is not None)
        change.counts["waiting_for"] = None if change.is_last else self._waits_for()
        return change

    def _judge(self, change: Change, parcel: Parcel, attempt: Attempt) -> None:
        if attempt.taken:
            change.counts["delivered"] += parcel.records
            change.taken += [parcel] if parcel.again else []
            return
        wait = self._next(parcel, attempt)
        change.counts["failed"] += parcel.records if wait is None else 0
        change.failed.append(Failed(parcel, attempt, None if wait is None else time.time() + wait))

    def _turn_pages(self, change: Change, done: list[int]) -> None:
        size = self._job.wanted.batch or 1
        for page in self._pages:
            before = len(page.done)
            page.done.update(position for position in done if page.first <= position < page.end)
            if len(page.done) * size >= len(page.records):
                change.ends.append(page)
            elif len(page.done) > before:
                change.goes_on.append(page)
        change.counts["pages"] += len(change.ends)

    def _begin_page(self, source: Source, change: Change) -> None:
        if self._error or len(self._pages) - len(change.ends) >= IN_FLIGHT:
            return
        try:
            page = source.read()
        except UpcardError as error:
            self._error = meant(error)
            return
        if page:
            change.begins = page
            change.counts["pages"] += not page.records
            change.counts["fetched"] += len(page.records) + page.skipped
            change.counts["skipped"] += page.skipped
            change.counts["cursor"] = page.next
            change.counts["truncated"] = page.truncated

    def _outcome(self, change: Change) -> tuple[str, UpcardError | None]:
        """The state after this change, and the error where it is one."""
        state, error = self._ended(change)
        if self._then and state != "running":
            return self._then, None
        return state, error

    def _ended(self, change: Change) -> tuple[str, UpcardError | None]:
        if self._job.handover.gone:
            return "failed", DeliveryFailed("The helper flow answered 410: it is gone, and takes no more records.")
        if self._job.wanted.on_failure == "stop" and any(failed.due is None for failed in change.failed):
            return "failed", DeliveryFailed("The helper flow did not take a record, and the stream was to stop then.")
        if self._asked:
            return ("paused" if self._asked == "pause" else "canceled"), None
        if self._sender.is_halted or change.begins or len(self._pages) > len(change.ends):
            return "running", None
        if self._error:
            return "failed", self._error
        if (self._source and not self._source.is_over) or self._left_due(change):
            return "running", None
        if change.counts["truncated"]:
            return "failed", Unexpected(f"The list has more than {MOST_PAGES} pages; the rest was not read.")
        return "succeeded", None

    def _left_due(self, change: Change) -> int:
        """Failed records that are tried again after this change."""
        tried = [failed for failed in change.failed if failed.due is not None and not failed.parcel.again]
        over = [failed for failed in change.failed if failed.due is None and failed.parcel.again]
        return self._due + len(tried) - len(over) - len(change.taken)

    def _waits_for(self) -> str | None:
        if waits := self._job.handover.waits_for or (self._job.share and self._job.share.waits_for):
            return waits
        return "records that failed are sent again" if self._sender.is_idle and self._due else None

    async def _note(self, change: Change, done: Done) -> None:
        """Write it down, and go on from there; what could not be written is in the next change again."""
        parcels = self._parcels(change.begins) if change.begins else []
        if change.is_news or change.counts["waiting_for"] != self.counts["waiting_for"]:
            await self._ledger.note(self.holder, change)
            self._since += change.counts["seconds"] - self.counts["seconds"]
            self.counts, self.state = change.counts, change.state
        self._due = self._left_due(change)
        self._pages = [page for page in self._pages if page not in change.ends]
        if change.begins and self._source:
            self._source.go_on(change.begins)
            self._pages += [change.begins] if parcels else []
        self._again -= {parcel.position for parcel, _ in done}
        self._sender.noted(len(done))
        self._sender.put(parcels)
        if self._due > len(self._again) and self.state == "running":
            await self._send_again()

    async def _send_again(self) -> None:
        some = await self._ledger.due(self.holder.run, self._again)
        self._again.update(parcel.position for parcel in some)
        self._sender.put(some)
