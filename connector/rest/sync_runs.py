"""Runs of a sync: plan, apply, take back, and what became of each line."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from connector.host import Host
from connector.rest.answers import json_answer, listed, raw_answer
from connector.rest.body import read_body
from connector.rest.calls import patience
from connector.rest.hosts import host_of
from connector.rest.sync_shown import note, shown_line, shown_run, sync_of, sync_to_work
from connector.sdk.kinds import Integer, Json, Text
from connector.sdk.reading import accept, refuse_blank
from connector.sdk.tables import CardInputs, field
from connector.sync.plan.rendering import text
from connector.sync.store.runs import AT_WORK, SyncRun, plan_of

PLAIN = "text/plain"
MOST_LINES = 1000  # of a plan that are in its first answer


class Application(CardInputs):
    plan: Text = field("ID of a run that was planned; both sides are read and planned anew if it is left out")
    force_limits: bool = field("Carry out more than the limits of the mapping", default=False)


class Undoing(CardInputs):
    run: str = field("ID of the run to take back", max_length=64)


class SyncRunsWanted(CardInputs):
    cursor: Text = field("Where the page starts: `next` of the page before", pattern="^sync_[0-9a-f]{28}$")
    limit: int = field("Most runs of a page", ge=1, le=200, default=50)


class ChangesWanted(CardInputs):
    cursor: Integer = field("Where the page starts: `next` of the page before", ge=0)
    limit: int = field("Most lines of a page", ge=1, le=1000, default=100)
    status: Text = field("Only lines of which this became, such as failed", max_length=16)


async def plan_sync(request: Request) -> Response:
    """Read both sides and plan. Nothing is written to them."""
    sync, caller = await sync_to_work(request), request.state.caller.id
    return await _begun(request, await host_of(request).syncs.plan(sync.name, caller))


async def apply_sync(request: Request) -> Response:
    """Carry out a plan, exactly as it was made; or make one and carry it out."""
    refuse_blank(given := await read_body(request))
    wanted = accept(Application, given)
    sync, caller = await sync_to_work(request), request.state.caller.id
    run = await host_of(request).syncs.apply(sync.name, caller, wanted.plan, forced=wanted.force_limits)
    forced = "true" if wanted.force_limits else None
    await note(request, "sync_applied", sync.name, run=run.id, forced=forced)
    return await _begun(request, run)


async def undo_sync(request: Request) -> Response:
    """The plan that takes back what a run did. It is applied as any other plan is."""
    wanted = accept(Undoing, await read_body(request))
    sync = await sync_to_work(request)
    run = await host_of(request).syncs.undo(sync.name, wanted.run, request.state.caller.id)
    await note(request, "sync_undone", sync.name, run=run.id, undoes=wanted.run)
    return json_answer(await _whole(host_of(request), run), 201, _location(run))


async def list_sync_runs(request: Request) -> Response:
    """The runs of a sync, newest first, without what they hold and warn of."""
    wanted: SyncRunsWanted = request.state.query
    sync, syncs = await sync_of(request), host_of(request).syncs
    found, cursor = await syncs.runs(sync.name, wanted.cursor, wanted.limit)
    return listed([shown_run(run, await syncs.counts(run.id), briefly=True) for run in found], cursor)


async def get_sync_run(request: Request) -> Response:
    """A run of a sync; as `text/plain`, its plan as people read it."""
    host, run = host_of(request), await _run(request)
    if PLAIN not in request.headers.get("accept", ""):
        return json_answer(shown_run(run, await host.syncs.counts(run.id)))
    if run.said is None:
        return raw_answer(f"There is no plan: the run is {run.state}.\n".encode(), media_type=PLAIN)
    lines = await host.syncs.lines(run.sync, run.id)
    return raw_answer(await asyncio.to_thread(lambda: text(plan_of(run, lines)).encode()), media_type=PLAIN)


async def list_sync_changes(request: Request) -> Response:
    """The lines of a run in the order in which they are done, and what became of each."""
    wanted: ChangesWanted = request.state.query
    run = await _run(request)
    at, many = wanted.cursor or 0, wanted.limit
    found = await host_of(request).syncs.lines(run.sync, run.id, at, many + 1, wanted.status)
    cursor = str(found[many - 1].change.seq) if len(found) > many else None
    return listed([shown_line(line) for line in found[:many]], cursor)


async def cancel_sync_run(request: Request) -> Response:
    """End a run where it is: at once while it waits, else after the line that is under way. What is done stays."""
    host, run = host_of(request), await _run(request)
    found = await host.syncs.cancel(run.sync, run.id)
    await note(request, "sync_canceled", run.sync, run=run.id)
    return json_answer(shown_run(found, await host.syncs.counts(run.id)))


async def list_holds(request: Request) -> Response:
    """What the last run that read both sides did not decide, and what would help."""
    sync = await sync_of(request)
    last = await host_of(request).syncs.latest(sync.name)
    return listed(last.said["holds"] if last and last.said else [])


async def _begun(request: Request, run: SyncRun) -> Response:
    """The run when it is over; else 202, and where to look."""
    host = host_of(request)
    found = await _waited(host, run, patience(request.headers.get("prefer", "")))
    if found.state in AT_WORK:
        return json_answer(shown_run(found, await host.syncs.counts(run.id)), 202, _location(run))
    return json_answer(await _whole(host, found))


async def _waited(host: Host, run: SyncRun, seconds: float) -> SyncRun:
    """The run when it ends, after so many seconds, or when the host stops."""
    ended, stop = asyncio.create_task(host.syncs.wait(run, seconds)), asyncio.create_task(host.draining.wait())
    try:
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        return ended.result() if ended.done() else await host.syncs.run(run.sync, run.id)
    finally:
        ended.cancel()
        stop.cancel()


async def _whole(host: Host, run: SyncRun) -> Json:
    """The run with its first lines."""
    lines = await host.syncs.lines(run.sync, run.id, limit=MOST_LINES)
    return {**shown_run(run, await host.syncs.counts(run.id)), "lines": [shown_line(line) for line in lines]}


def _location(run: SyncRun) -> dict[str, str]:
    return {"Location": f"/v1/syncs/{run.sync}/runs/{run.id}"}


async def _run(request: Request) -> SyncRun:
    return await host_of(request).syncs.run((await sync_of(request)).name, request.path_params["run"])
