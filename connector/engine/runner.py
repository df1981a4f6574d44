"""Run a call that was read: through the gate, to the service, and on record; a stream is accepted for later."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from connector.engine.accounts import Living
from connector.engine.answers import Earlier
from connector.engine.approvals import Approved
from connector.engine.callers import Caller
from connector.engine.calls import Reader, Ready, scopes
from connector.engine.connections import Connections, meant
from connector.engine.gate import Gate, Pass
from connector.engine.outputs import ask, held, outputs, safe, would_send, written
from connector.engine.runs import ENDED, Run, Runs
from connector.engine.streams import Streams
from connector.engine.telemetry import Telemetry
from connector.sdk.client import WouldSend
from connector.sdk.errors import Forbidden, OutcomeUnknown, Unavailable, UpcardError
from connector.sdk.kinds import Json
from connector.sdk.pages import pages
from connector.sdk.results import Counted, Cursor, Page
from connector.sdk.tables import CardOutputs

LAST = 2.0  # seconds in which a host that stops writes what became of a call
RETRY = 2.0  # seconds after which another host, or the next process of this one, takes calls

T = TypeVar("T")


class Stopping(Unavailable):
    """The host is about to leave; nothing was done."""

    def __init__(self) -> None:
        super().__init__("The host is about to stop. Nothing was done: call again.", retry_after=RETRY)


@dataclass(frozen=True)
class Answer:
    """What a run gave: outputs, the problem it ended with, or for a dry run what would have been sent.

    written: the outputs as JSON; of an answer that is given again there is nothing else.
    """

    outputs: CardOutputs | None = None
    written: bytes = b""
    problem: Json | None = None
    would_send: Json | None = None
    dry_run: bool = False


Then = Callable[[Run, Answer], Awaitable[None]]


@dataclass(frozen=True)
class Runner:
    """Runs calls; one of these serves every face of the host."""

    reader: Reader
    connections: Connections
    runs: Runs
    streams: Streams
    gate: Gate
    telemetry: Telemetry
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: "set[asyncio.Task[Answer]]" = field(default_factory=set)
    heard: list[Callable[[Ready], Awaitable[None]]] = field(default_factory=list)
    """Called with each call that changed something, once it is on record."""

    async def run(self, ready: Ready, wait: float, then: Then | None = None) -> tuple[Run, Answer | None]:
        """Begin the work, and wait for it so many seconds. It goes on when nobody waits (None).

        `then` is told the answer of a call that is made now, before anybody else is.
        """
        self._refuse_when_stopping()
        if ready.streaming and not ready.dry_run:
            run = await self.streams.accept(ready, self.gate.claim(ready))
            return await (self._replayed(run, wait) if isinstance(run, Earlier) else self._stream(run, wait))
        entered = await self.gate.enter(ready, Run(ready.card.key, ready.account.name, ready.caller.id))
        if isinstance(entered, Earlier):
            return await self._replayed(entered, wait)
        task = self._begun(entered, then)
        await asyncio.wait({task}, timeout=wait)
        return entered.run, task.result() if task.done() else None

    async def approve(self, row: RowMapping, by: Caller, reason: str | None) -> None:
        """Make a call that a second person agrees to; who asked looks at the run, or asks again.

        Raises Forbidden where `by` is no second person or may not make the call itself, Conflict, SafetyCap.
        """
        self._refuse_when_stopping()
        try:
            ready = await self._second(row, by)
        except Forbidden as error:
            await self.gate.refused(by.id, self.reader.catalog.card(row["card"]), error)
            raise
        run = Run(row["card"], row["connection"], row["caller"], row["run"])
        entered = await self.gate.enter(ready, run, Approved(row["id"], by.id, row["payload"], reason))
        if isinstance(entered, Pass):
            self._begun(entered)

    async def page(self, ready: Ready, cursor: Cursor) -> Page[Any]:
        """One page of a list card, for a dropdown."""
        self._refuse_when_stopping()
        client = self.connections.client(ready.account, share=ready.account.bulk(patient=False))
        try:
            return await ask(ready, client)(cursor)
        except UpcardError as error:
            raise meant(error) from error

    async def records(self, ready: Ready) -> AsyncGenerator[Page[Any]]:
        """All records of a list card, page by page, for a caller that takes them itself."""
        self._refuse_when_stopping()
        began = time.monotonic()
        run = self.runs.begin_read(Run(ready.card.key, ready.account.name, ready.caller.id))
        share = ready.account.bulk(patient=False)
        client = self.connections.client(ready.account, share=share)
        ended: UpcardError | None = UpcardError("The caller went away.")
        try:
            found = pages(ask(ready, client))
            while page := await self._or_stop(_next(found)):
                if share:
                    share.patient = True  # a failure would cut off the answer, which has begun
                yield page
            ended = None
        except UpcardError as error:
            ended = meant(error)
            raise ended from error
        except Exception:
            ended = _our_fault(ready)
            raise
        finally:
            self.runs.end_read(run, ended)
            self.telemetry.called(run, time.monotonic() - began)

    async def stop(self, within: float = 0.0) -> None:
        """Let what is under way end, for so many seconds; who waits for the rest is told what is known of it."""
        if self.tasks and within:
            await asyncio.wait(self.tasks, timeout=within)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _refuse_when_stopping(self) -> None:
        if self.draining.is_set():
            raise Stopping

    async def _second(self, row: RowMapping, by: Caller) -> Ready:
        """The call, where `by` is a second person who may make it."""
        ready = await self.reader.read(self.gate.approvals.call(row, by))
        by.need(*scopes(ready.deed))
        for card in {ready.card.key, ready.deed.card}:
            by.need_card(self.reader.catalog.card(card))
        return ready

    def _begun(self, entered: Pass, then: Then | None = None) -> "asyncio.Task[Answer]":
        task = asyncio.create_task(self._told(entered, then) if then else self._work(entered))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _told(self, entered: Pass, then: Then) -> Answer:
        answer = await self._work(entered)
        await then(entered.run, answer)
        return answer

    async def _stream(self, run: Run, wait: float) -> tuple[Run, Answer | None]:
        with suppress(Stopping):
            if ended := await self._or_stop(self.streams.wait(run, wait)):
                return run, _of_stream(ended)
        return await self.streams.look(run.id) if wait else run, None

    async def _replayed(self, earlier: Earlier, wait: float) -> tuple[Run, Answer | None]:
        """What the same call was answered before; a stream is waited for as if it were new."""
        run, answer = earlier.run, earlier.answer
        if run.progress and run.state not in ENDED:
            run, found = await self._stream(run, wait)
        elif answer is not None:
            found = Answer(written=answer)
        else:
            found = _of_stream(run)
        return replace(run, replayed=True), found

    async def _or_stop(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives, unless the host stops before."""
        task, stop = asyncio.create_task(work), asyncio.create_task(self.draining.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Stopping
        finally:
            task.cancel()
            stop.cancel()

    async def _work(self, entered: Pass) -> Answer:
        began, run, ready = time.monotonic(), entered.run, entered.ready
        service = self.connections.living(ready.account, partial(self.gate.still_open, entered))
        try:
            answer = await self._answer(entered, service)
        except asyncio.CancelledError:  # by `stop`
            return await self._stopped(entered, _cut_off(entered, service))
        except Exception:
            await self._failed(entered, _our_fault(ready))
            raise
        finally:
            self.telemetry.called(run, time.monotonic() - began)
        return answer

    async def _answer(self, entered: Pass, service: Living) -> Answer:
        ready = entered.ready
        client = self.connections.client(ready.account, held(ready), living=service)
        try:
            await (self.gate.permits.check(ready) if ready.dry_run else self.gate.waited(entered))
            found = await outputs(ready, client)
            answer = Answer(found, written(found, reads=ready.card.effect == "read"), dry_run=ready.dry_run)
        except WouldSend as request:
            answer = Answer(would_send=would_send(request, ready.inputs), dry_run=True)
        except UpcardError as error:
            return await self._failed(entered, _after(service, meant(error)), service.changed)
        await self.gate.leave(entered, answer.written, None, service.changed)
        if ready.deed.effect != "read" and not answer.dry_run:
            for listener in self.heard:
                await listener(ready)
        return answer

    async def _stopped(self, entered: Pass, error: UpcardError) -> Answer:
        """The next start ends the call where the store does not take it in time."""
        if task := asyncio.current_task():
            task.uncancel()  # before Python 3.11.3 no timeout works in a task that is being canceled
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST):
                return await self._failed(entered, error)
        return Answer(problem=error.shown(entered.run.id))

    async def _failed(self, entered: Pass, error: UpcardError, status: int | None = None) -> Answer:
        error = safe(error, entered.ready)
        await self.gate.leave(entered, b"", error, status)
        return Answer(problem=error.shown(entered.run.id))


async def _next(found: AsyncIterator[Page[Any]]) -> Page[Any] | None:
    return await anext(found, None)


def _after(service: Living, error: UpcardError) -> UpcardError:
    """What was carried out in part is not to be repeated (ID-7)."""
    if error.retry and service.changed is not None and service.changed < 400:
        return OutcomeUnknown(f"The request was carried out, but not what follows it: {error.detail}")
    return error


def _cut_off(entered: Pass, service: Living) -> UpcardError:
    if not service.may_have_changed:
        return Stopping()
    return OutcomeUnknown("The host stopped before the service answered. The request may have been carried out.")


def _our_fault(ready: Ready) -> UpcardError:
    if ready.card.effect == "read":
        return UpcardError("Something went wrong on our side.")
    return OutcomeUnknown("Something went wrong on our side. The request may have been carried out.")


def _of_stream(run: Run) -> Answer:
    if run.error:
        return Answer(problem=run.error)
    found = Counted(record_count=run.progress["delivered"] if run.progress else 0)
    return Answer(found, written(found, reads=True))
