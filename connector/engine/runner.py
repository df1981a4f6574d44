"""Run a call that was read: open the client, let the card answer, judge refusals, and keep the run."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic_core import PydanticSerializationError

from connector.engine.calls import Ready
from connector.engine.connections import Connections, meant
from connector.engine.runs import Run, Runs
from connector.engine.streams import Streams
from connector.engine.telemetry import Telemetry
from connector.sdk.client import CHANGES, EVERYTHING, Client, WouldSend
from connector.sdk.errors import OutcomeUnknown, Refused, Throttled, Unavailable, Unexpected, UpcardError
from connector.sdk.kinds import EXPLANATION, STATUS, Json
from connector.sdk.masks import HIDDEN, SECRET_LIKE
from connector.sdk.pages import Ask, pages
from connector.sdk.results import FIRST, Counted, Cursor, Page, ResultSet
from connector.sdk.tables import CardInputs, CardOutputs, rows

RETRY = 2.0  # seconds after which another host, or the next process of this one, takes calls

T = TypeVar("T")


class Stopping(Unavailable):
    """The host is about to leave; nothing was done."""

    def __init__(self) -> None:
        super().__init__("The host is about to stop. Nothing was done: call again.", retry_after=RETRY)


@dataclass(frozen=True)
class Answer:
    """What a run gave: outputs, the problem it ended with, or for a dry run what would have been sent.

    `written` is the outputs as JSON.
    """

    outputs: CardOutputs | None = None
    written: bytes = b""
    problem: Json | None = None
    would_send: Json | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Runner:
    """Runs calls; one of these serves every face of the host."""

    connections: Connections
    runs: Runs
    streams: Streams
    telemetry: Telemetry
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: "set[asyncio.Task[Answer]]" = field(default_factory=set)

    async def run(self, ready: Ready, wait: float) -> tuple[Run, Answer | None]:
        """Begin the work, and wait for it so many seconds. It goes on when nobody waits (None)."""
        self._refuse_when_stopping()
        if ready.streaming and not ready.dry_run:
            run = await self.streams.accept(ready)
            with suppress(Stopping):
                if ended := await self._or_stop(self.streams.wait(run, wait)):
                    return run, _of_stream(ended)
            return await self.streams.look(run.id) if wait else run, None
        run = Run(ready.card.key, ready.account.name, ready.caller.id)
        if ready.card.effect == "read":
            self.runs.begin_read(run)
        else:
            await self.runs.begin(run)
        task = asyncio.create_task(self._work(ready, run))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.wait({task}, timeout=wait)
        return run, task.result() if task.done() else None

    async def page(self, ready: Ready, cursor: Cursor) -> Page[Any]:
        """One page of a list card, for a dropdown."""
        self._refuse_when_stopping()
        client = self.connections.client(ready.account, share=ready.account.bulk(patient=False))
        try:
            return await _ask(ready, client)(cursor)
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
            found = pages(_ask(ready, client))
            while page := await self._or_stop(_next(found)):
                if share:
                    share.patient = True  # a failure would cut off the answer, which has begun
                yield page
            ended = None
        except UpcardError as error:
            ended = meant(error)
            raise ended from error
        finally:
            await self.runs.end(run, ended)
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

    async def _work(self, ready: Ready, run: Run) -> Answer:
        began = time.monotonic()
        try:
            answer = await self._answer(ready, run)
        except asyncio.CancelledError:  # by `stop`
            return await self._failed(run, _cut_off(ready))
        except Exception:
            await self.runs.end(run, UpcardError("Something went wrong on our side."))
            raise
        finally:
            self.telemetry.called(run, time.monotonic() - began)
        return answer

    async def _answer(self, ready: Ready, run: Run) -> Answer:
        client = self.connections.client(ready.account, _held(ready))
        try:
            outputs = await _outputs(ready, client)
            answer = Answer(outputs, _written(outputs, reads=ready.card.effect == "read"), dry_run=ready.dry_run)
        except WouldSend as request:
            answer = Answer(would_send=_shown(request, ready.inputs), dry_run=True)
        except UpcardError as error:
            return await self._failed(run, meant(error))
        await self.runs.end(run)
        return answer

    async def _failed(self, run: Run, error: UpcardError) -> Answer:
        await self.runs.end(run, error)
        return Answer(problem=error.shown(run.id))


async def _next(found: AsyncIterator[Page[Any]]) -> Page[Any] | None:
    return await anext(found, None)


def _cut_off(ready: Ready) -> UpcardError:
    if ready.dry_run or ready.card.effect == "read":
        return Stopping()
    return OutcomeUnknown("The host stopped before the service answered. The request may have been carried out.")


def _of_stream(run: Run) -> Answer:
    if run.error:
        return Answer(problem=run.error)
    outputs = Counted(record_count=run.progress["delivered"] if run.progress else 0)
    return Answer(outputs, _written(outputs, reads=True))


def _written(outputs: CardOutputs, *, reads: bool) -> bytes:
    """Before the run ends, since what cannot be handed on is no success (UP-2). What is handed on has 200 levels or so.

    To look for them where an answer is read would cost a page of 300 records a quarter of its parsing; this is free.
    """
    try:
        return outputs.model_dump_json().encode()
    except PydanticSerializationError as error:
        why = "The service answered something that is nested too deeply."
        raise Unexpected(why) if reads else OutcomeUnknown(why + " The request was carried out.") from error


async def _outputs(ready: Ready, client: Client[Any]) -> CardOutputs:
    try:
        if ready.card.results is not None:
            return await _first(ready.card.results, ready, client)
        found: CardOutputs = await ready.card.ask(ready.options, ready.inputs, client)
        return found
    except Refused as refusal:
        return _reported(refusal, ready.card.outputs_for(ready.options))


def _ask(ready: Ready, client: Client[Any]) -> Ask:
    async def ask(cursor: Cursor) -> Page[Any]:
        page: Page[Any] = await ready.card.ask(ready.options, ready.inputs, client, cursor)
        return page

    return ask


async def _first(results: ResultSet, ready: Ready, client: Client[Any]) -> CardOutputs:
    """The first record, or the first N: one page, never a second."""
    table = ready.card.outputs_for(ready.options)
    if table.when["result_set"] == FIRST:
        page = await _ask(ready, client)(Cursor(limit=1))
        return table.of(page.records[0] if page.records else {})
    page = await _ask(ready, client)(Cursor(limit=results.first))
    return table.model_validate({results.into: page.records[: results.first]})


def _held(ready: Ready) -> frozenset[str]:
    """The methods that a dry run holds back; a card that only reads has nothing else to show."""
    if not ready.dry_run:
        return frozenset()
    return EVERYTHING if ready.card.effect == "read" else CHANGES


def _reported(refusal: Refused, table: type[CardOutputs]) -> CardOutputs:
    """The refusal as the card's Status Code; raised again where the card has none, or the service only wants time."""
    kinds = {row.kind: row.key for row in rows(table)}
    if STATUS not in kinds or refusal.service is None or isinstance(refusal, Throttled):
        raise refusal
    values: Json = {kinds[STATUS]: refusal.service.status}
    if EXPLANATION in kinds:
        values[kinds[EXPLANATION]] = refusal.service.said
    return table.model_validate(values)


def _shown(request: WouldSend, inputs: CardInputs) -> Json:
    """What a dry run says it would send; the values of secret inputs, and of names like theirs, are hidden."""
    secrets = {getattr(inputs, row.key) for row in rows(type(inputs)) if row.mark.secret} - {None}
    more = {"query": dict(request.query), "headers": dict(request.headers)}
    told = {key: _hidden(value, secrets) for key, value in more.items() if value}
    return {"method": request.method, "path": request.path, **told, "body": _hidden(request.body, secrets)}


def _hidden(body: Any, secrets: set[Any]) -> Any:
    if isinstance(body, dict):
        return {key: HIDDEN if SECRET_LIKE.search(key) else _hidden(value, secrets) for key, value in body.items()}
    if isinstance(body, list):
        return [_hidden(value, secrets) for value in body]
    return HIDDEN if isinstance(body, str) and body in secrets else body
