"""Runs: look at them, pause, cancel and resume streams, and send again what a flow did not take."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector.engine.runs import Run, State
from connector.engine.streams import Asked
from connector.rest.answers import json_answer, listed
from connector.rest.body import read_body
from connector.rest.hosts import host_of
from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.kinds import Date, Integer, List, Text
from connector.sdk.reading import accept
from connector.sdk.tables import CardInputs, field

MOST_POSITIONS = 9_000  # a body has 10,000 members at most


class RunsWanted(CardInputs):
    card: Text = field("Key of the card")
    state: State | None = field("State of the run")
    since: Date = field("Started at this time or later, as RFC 3339")
    cursor: Text = field("Where the page starts: `next` of the page before", pattern="^run_[0-9a-f]{28}$")
    limit: int = field("Most runs of a page", ge=1, le=200, default=50)


class FailuresWanted(CardInputs):
    cursor: Integer = field("Where the page starts: `next` of the page before", ge=0)
    limit: int = field("Most failures of a page", ge=1, le=1000, default=100)


class Redelivery(CardInputs):
    positions: List = field("Positions of the records to send again; all failures if it is left out")


async def list_runs(request: Request) -> Response:
    """The caller's runs, newest first."""
    wanted: RunsWanted = request.state.query
    found, cursor = await host_of(request).runs.list(request.state.caller.id, **dict(wanted))
    return listed([run.shown() for run in found], cursor)


async def get_run(request: Request) -> Response:
    return json_answer((await _run(request)).shown())


async def cancel_run(request: Request) -> Response:
    """Stop a stream for good, within two seconds."""
    return await _ask(request, "cancel")


async def pause_run(request: Request) -> Response:
    """Stop a stream within two seconds, keeping which records are done."""
    return await _ask(request, "pause")


async def resume_run(request: Request) -> Response:
    """Go on with a paused or failed stream, from where it stopped."""
    run = await _run(request)
    await host_of(request).streams.resume(run)
    return await get_run(request)


async def list_failures(request: Request) -> Response:
    """Records that the flow did not take, with its last answer; never the records themselves."""
    wanted: FailuresWanted = request.state.query
    after = -1 if wanted.cursor is None else wanted.cursor
    found, cursor = await host_of(request).streams.failures(await _run(request), after, wanted.limit)
    return listed(found, cursor)


async def redeliver_run(request: Request) -> Response:
    """Send failed records again, all or some, with the ids and bytes they had."""
    wanted = accept(Redelivery, await read_body(request))
    run = await _run(request)
    await host_of(request).streams.redeliver(run, _positions(wanted.positions))
    return json_answer((await _run(request)).shown(), 202, {"Location": f"/v1/runs/{run.id}"})


async def _ask(request: Request, asked: Asked) -> Response:
    host, run = host_of(request), await _run(request)
    await host.streams.ask(run, asked)
    host.worker.tell(run.id, asked)
    return await get_run(request)


def _positions(given: list[Any] | None) -> list[int] | None:
    """The positions; None for all. An empty list is refused: it may be meant as none or as all."""
    if given is None:
        return None
    if not 1 <= len(given) <= MOST_POSITIONS:
        raise InvalidCall.of([Fault("positions", f"Positions must be 1 to {MOST_POSITIONS}, or left out for all.")])
    if not all(type(position) is int and position >= 0 for position in given):
        raise InvalidCall.of([Fault("positions", "Positions must be whole numbers, 0 or more.")])
    return given


async def _run(request: Request) -> Run:
    return await host_of(request).runs.get(request.path_params["run"], request.state.caller.id)
