"""`POST /v1/cards/{connector}/{card}`: call a card; wait for its answer, or take the run and look later."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connector.engine.calls import Call, Ready
from connector.engine.host import Host
from connector.engine.runner import Answer
from connector.engine.runs import Run
from connector.rest.answers import HEADERS, json_answer, raw_answer
from connector.rest.body import read_body
from connector.rest.problems import problem
from connector.sdk.errors import UpcardError
from connector.sdk.kinds import Object, Text
from connector.sdk.reading import accept
from connector.sdk.results import Page
from connector.sdk.tables import CardInputs, field

NDJSON = "application/x-ndjson"
WAIT = 55.0  # seconds: callers that give up after 60 never see a time-out
LONGEST_WAIT = 600.0


class Envelope(CardInputs):
    """The body of a call."""

    connection: Text = field("Name of the connection; may be left out where there is just one for the connector")
    options: Object = field("Design-time choices; they decide which outputs there are")
    inputs: Object = field("What the card is given")
    stream: Object = field("How records are handed to a helper flow, where Result Set streams them")
    dry_run: bool = field("Check everything and say what would be sent, but send nothing", default=False)


async def call(request: Request) -> Response:
    """Run a card."""
    host: Host = request.app.state.host
    envelope = accept(Envelope, await read_body(request))
    records = NDJSON in request.headers.get("accept", "")
    key = f"{request.path_params['connector']}.{request.path_params['card']}"
    ready = host.reader.read(Call(key, request.state.caller.id, **dict(envelope), records=records))
    if records:
        return await _records(host, ready)
    return await _waited(host.runner.start(ready), request.headers.get("prefer", ""))


async def _waited(run: Run, prefer: str) -> Response:
    """The answer if it comes in time; else 202 and where to look. The run goes on either way."""
    task: asyncio.Task[Answer] | None = run.task
    done, _ = await asyncio.wait({task}, timeout=_wait(prefer)) if task else (set[Any](), None)
    if not task or not done:
        return json_answer({"run": run.id, "state": "running"}, 202, {"Location": f"/v1/runs/{run.id}"})
    try:
        return _answered(run, task.result())
    except UpcardError as error:
        return problem(error, run.id)


def _answered(run: Run, answer: Answer) -> Response:
    if answer.outputs is None:
        return json_answer({"run": run.id, "dry_run": True, "would_send": answer.would_send})
    outputs = answer.outputs.model_dump_json().encode()
    return raw_answer(b'{"run":"%s","outputs":%s}' % (run.id.encode(), outputs))


def _wait(prefer: str) -> float:
    """Seconds to wait, by the Prefer header (RFC 7240); what cannot be read is ignored, as the RFC says."""
    wishes = {
        name.strip().lower(): value.strip() for name, _, value in (wish.partition("=") for wish in prefer.split(","))
    }
    if (wait := wishes.get("wait", "")).isascii() and wait.isdecimal():
        return min(float(wait), LONGEST_WAIT)
    return 0.0 if "respond-async" in wishes else WAIT


async def _records(host: Host, ready: Ready) -> Response:
    """All records to the caller, a line each. A failure after the first page cuts the answer off, so that it shows."""
    found = host.runner.records(ready)
    first = await anext(found, None)
    return StreamingResponse(_lines(first, found), headers=HEADERS, media_type=NDJSON)


async def _lines(first: Page[Any] | None, rest: AsyncIterator[Page[Any]]) -> AsyncIterator[bytes]:
    page = first
    while page:
        yield b"".join(orjson.dumps(record) + b"\n" for record in page.records)
        page = await anext(rest, None)
