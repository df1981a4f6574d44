"""Run a call that was read: open the client, let the card answer, judge refusals, and keep the run."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from connector.engine.calls import Ready, Streaming
from connector.engine.connections import Connections, meant
from connector.engine.delivery import Handover
from connector.engine.runs import Progress, Run, Runs
from connector.engine.streams import stream
from connector.sdk.client import CHANGES, EVERYTHING, Client, WouldSend
from connector.sdk.errors import Refused, Throttled, UpcardError
from connector.sdk.kinds import EXPLANATION, STATUS, Json
from connector.sdk.pages import Ask, pages
from connector.sdk.results import FIRST, Counted, Cursor, Page, ResultSet
from connector.sdk.tables import CardInputs, CardOutputs, rows

HIDDEN = "[redacted]"


@dataclass(frozen=True)
class Answer:
    """What a run gave: outputs, or for a dry run what would have been sent (None: nothing)."""

    outputs: CardOutputs | None = None
    would_send: Json | None = None


@dataclass(frozen=True)
class Runner:
    """Runs calls; one of these serves every face of the host."""

    connections: Connections
    runs: Runs
    receivers: aiohttp.ClientSession

    def start(self, ready: Ready) -> Run:
        """Begin the work; `run.task` gives the Answer, and goes on when nobody waits for it."""
        run = self.runs.begin(ready.card.key, ready.account.name, ready.caller)
        run.task = asyncio.create_task(self._work(ready, run))
        run.task.add_done_callback(_looked_at)
        return run

    async def page(self, ready: Ready, cursor: Cursor) -> Page[Any]:
        """One page of a list card, for a dropdown."""
        return await _ask(ready, self.connections.client(ready.account))(cursor)

    async def records(self, ready: Ready) -> AsyncIterator[Page[Any]]:
        """All records of a list card, page by page, for a caller that takes them itself."""
        run = self.runs.begin(ready.card.key, ready.account.name, ready.caller)
        try:
            async for page in pages(_ask(ready, self.connections.client(ready.account))):
                yield page
        except UpcardError as error:
            run.end(meant(error))
            raise meant(error) from error
        run.end()

    async def _work(self, ready: Ready, run: Run) -> Answer:
        client = self.connections.client(ready.account, _held(ready))
        try:
            answer = Answer(await self._outputs(ready, client, run))
        except WouldSend as request:
            answer = Answer(would_send=_shown(request, ready.inputs))
        except UpcardError as error:
            run.end(meant(error))
            raise meant(error) from error
        run.end()
        return answer

    async def _outputs(self, ready: Ready, client: Client[Any], run: Run) -> CardOutputs:
        try:
            if ready.streaming is not None:
                return await self._streamed(ready.streaming, _ask(ready, client), run)
            if ready.card.results is not None:
                return await _first(ready.card.results, ready, client)
            found: CardOutputs = await ready.card.ask(ready.options, ready.inputs, client)
            return found
        except Refused as refusal:
            return _reported(refusal, ready.card.outputs_for(ready.options))

    async def _streamed(self, streaming: Streaming, ask: Ask, run: Run) -> CardOutputs:
        wanted, run.progress = streaming.wanted, Progress()
        handover = Handover(self.receivers, streaming.target, run.id, wanted.state or {})
        await stream(pages(ask, limit=wanted.record_limit), handover, wanted, run.progress)
        return Counted(record_count=run.progress.delivered)


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


def _looked_at(task: "asyncio.Task[Answer]") -> None:
    """A failed run is kept as such; nobody needs to fetch its exception as well."""
    if not task.cancelled():
        task.exception()


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
    """What a dry run says it would send; the values of secret inputs are hidden."""
    secrets = {getattr(inputs, row.key) for row in rows(type(inputs)) if row.mark.secret} - {None}
    return {"method": request.method, "path": request.path, "body": _hidden(request.body, secrets)}


def _hidden(body: Any, secrets: set[Any]) -> Any:
    if isinstance(body, dict):
        return {key: _hidden(value, secrets) for key, value in body.items()}
    if isinstance(body, list):
        return [_hidden(value, secrets) for value in body]
    return HIDDEN if isinstance(body, str) and body in secrets else body
