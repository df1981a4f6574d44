"""A run as it goes on, as server-sent events: `progress` whenever it changed, and one `done`.

Each event holds the whole run, so that a reader who comes back needs no history: `Last-Event-ID` only tells what they
have seen.
"""

import asyncio
from collections.abc import AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connector.engine.runs import ENDED, Run
from connector.host import Host
from connector.rest.answers import HEADERS, raw_answer
from connector.rest.hosts import host_of

LOOK = 0.5  # seconds between looks at the run
QUIET = 15.0  # seconds after which a comment keeps the connection alive


async def run_events(request: Request) -> Response:
    """Progress of a run as server-sent events, until one `done`."""
    host = host_of(request)
    id_, caller = request.path_params["run"], request.state.caller.id
    run, seen = await host.runs.get(id_, caller), request.headers.get("last-event-id", "")
    if run.state in ENDED and _id(run) == seen:
        return raw_answer(b"", 204)  # tells an EventSource that there is nothing to come back for
    return StreamingResponse(_events(host, id_, caller, seen), headers=HEADERS, media_type="text/event-stream")


async def _events(host: Host, id_: str, caller: str, seen: str) -> AsyncIterator[bytes]:
    quiet = 0.0
    while True:
        run = await host.runs.get(id_, caller)
        if _id(run) != seen:
            seen, quiet = _id(run), 0.0
            yield _event(run)
        elif quiet >= QUIET:
            quiet = 0.0
            yield b":\n\n"
        if run.state in ENDED or host.draining.is_set():
            return  # who is cut off comes back, to another host
        await asyncio.sleep(LOOK)
        quiet += LOOK


def _event(run: Run) -> bytes:
    name = b"done" if run.state in ENDED else b"progress"
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name, _id(run).encode(), orjson.dumps(run.shown()))


def _id(run: Run) -> str:
    """The same as long as nothing changes."""
    counts = run.progress or {}
    parts = [run.state, *(str(counts.get(name)) for name in ("fetched", "delivered", "failed", "waiting_for"))]
    return "-".join("".join(sign for sign in part if sign.isalnum()) for part in parts)
