"""`POST /v1/cards/{connector}/{card}`: call a card; wait for its answer, or take the run and look later."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connector.engine.callers import Caller
from connector.engine.calls import Call, Ready
from connector.engine.runner import Answer
from connector.engine.runs import Run
from connector.host import Host
from connector.rest.answers import HEADERS, json_answer, raw_answer
from connector.rest.body import read_body
from connector.rest.problems import problem_answer
from connector.rest.query import NoQuery, read_query
from connector.sdk.errors import Fault, Forbidden, InvalidCall, Unexpected
from connector.sdk.kinds import Object, Text
from connector.sdk.reading import accept, refuse_blank
from connector.sdk.results import Page
from connector.sdk.tables import CardInputs, field

NDJSON = "application/x-ndjson"
WAIT = 55.0  # seconds: callers that give up after 60 never see a time-out
LONGEST_WAIT = 600.0  # seconds that a caller may ask for
CAREFUL = ("dry_run", "confirm")  # a flow's variable that was empty must not run a card for real, nor unconfirmed
KEY = re.compile(r"[!-~]{1,255}")
QUOTED = re.compile(r'"[!#-~]*"')  # RFC 9651; a quote inside would be escaped


class Envelope(CardInputs):
    """The body of a call."""

    connection: Text = field("Name of the connection; may be left out where there is just one for the connector")
    options: Object = field("Design-time choices; they decide which outputs there are")
    inputs: Object = field("What the card is given")
    stream: Object = field("How records are handed to a helper flow, where Result Set streams them")
    dry_run: bool = field("Check everything and say what would be sent, but send nothing", default=False)
    confirm: Text = field("Name of the target, such as its serial number, where the policy asks for it", max_length=200)
    reason: Text = field("Why, for the second person who has to approve it", max_length=1000)


async def call(request: Request, host: Host, card: str, caller: Caller) -> Response:
    """Run a card."""
    try:
        ready = await _read(request, host, card, caller)
    except Forbidden as error:
        await host.gate.refused(caller.id, host.catalog.card(card), error)
        raise
    if ready.records:
        return await _records(host, ready)
    return answered(*await host.runner.run(ready, patience(request.headers.get("prefer", ""))))


async def _read(request: Request, host: Host, card: str, caller: Caller) -> Ready:
    allowed = host.reader.allow(card, caller)
    if request.scope["query_string"]:
        read_query(request, NoQuery)  # refused: `?dry_run=true` must not run the card
    body = await read_body(request)
    refuse_blank({name: body[name] for name in CAREFUL if name in body})
    envelope = accept(Envelope, body)
    records, key = NDJSON in request.headers.get("accept", ""), idempotency_key(request)
    return await host.reader.read_for(allowed, Call(card, caller, **dict(envelope), records=records, key=key))


def idempotency_key(request: Request) -> str | None:
    """The caller's own key for this call, bare or quoted as a structured field (ID-1). Raises InvalidCall."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    key = given[0].strip()
    key = key[1:-1] if QUOTED.fullmatch(key) else key
    if len(given) > 1 or not KEY.fullmatch(key):
        why = "Idempotency-Key must be one of 1 to 255 visible ASCII characters."
        raise InvalidCall.of([Fault("headers/idempotency-key", why)])
    return key


def answered(run: Run, answer: Answer | None) -> Response:
    """The answer if it came in time; else 202 and where to look."""
    found = _answer(run, answer)
    if run.replayed:
        found.headers["Idempotent-Replayed"] = "true"
    return found


def _answer(run: Run, answer: Answer | None) -> Response:
    if answer is None:
        return json_answer({"run": run.id, "state": run.state}, 202, {"Location": f"/v1/runs/{run.id}"})
    if answer.problem is not None:
        return problem_answer(answer.problem)
    if answer.would_send is not None:
        return json_answer({"run": run.id, "dry_run": True, "would_send": answer.would_send})
    dry_run = b',"dry_run":true' if answer.dry_run else b""
    return raw_answer(b'{"run":"%s","outputs":%s%s}' % (run.id.encode(), answer.written, dry_run))


def patience(prefer: str) -> float:
    """Seconds to wait, by the Prefer header (RFC 7240); what cannot be read is ignored, as the RFC says."""
    wishes = {
        name.strip().lower(): value.strip() for name, _, value in (wish.partition("=") for wish in prefer.split(","))
    }
    if (wait := wishes.get("wait", "")).isascii() and wait.isdecimal():
        return min(float(wait), LONGEST_WAIT)
    return 0.0 if "respond-async" in wishes else WAIT


async def _records(host: Host, ready: Ready) -> Response:
    """All records to the caller, a line each. A failure after the first page cuts the answer off, so that it shows."""
    lines = _lines(host.runner.records(ready))
    first = await anext(lines, b"")
    return StreamingResponse(_joined(first, lines), headers=HEADERS, media_type=NDJSON)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for lines in rest:
        yield lines


async def _lines(found: AsyncGenerator[Page[Any]]) -> AsyncIterator[bytes]:
    async for page in found:
        try:
            lines = b"".join(orjson.dumps(record) + b"\n" for record in page.records)
        except orjson.JSONEncodeError:
            await found.athrow(Unexpected("The service answered something that is nested too deeply."))
        yield lines
