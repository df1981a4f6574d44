"""Syncs as callers see them; and those that a caller's key does not reach, which are not there."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import get_args

from starlette.requests import Request

from connector.engine.callers import Grant
from connector.engine.clock import written
from connector.host import Host
from connector.rest.hosts import host_of
from connector.sdk.errors import Forbidden, NoSuchSync, UpcardError
from connector.sdk.kinds import Json
from connector.sync.store.lines import Done, Line
from connector.sync.store.outbox import Entry
from connector.sync.store.runs import SyncRun
from connector.sync.store.status import Status
from connector.sync.syncs import MISSING, Sync

DOABLE = ("planned", *get_args(Done))  # what becomes of lines that apply does


async def sync_of(request: Request) -> Sync:
    """The sync that the address names. Raises NoSuchSync, also where the key does not reach its connections."""
    host = host_of(request)
    sync = await host.syncs.get(request.path_params["sync"])
    if not reaches(host, request.state.caller.grant, sync):
        raise NoSuchSync(MISSING)
    return sync


async def sync_to_work(request: Request) -> Sync:
    """The same for what a sync does by cards of its own: a key that is for some cards only gets no others by it."""
    sync, grant = await sync_of(request), request.state.caller.grant
    kinds = sync.rules.mdm.kind, sync.rules.assets.kind
    connectors = host_of(request).catalog.connectors
    if not grant.covers_all(f"{kind}.*" for kind in kinds if kind in connectors):
        raise Forbidden("The key is for some cards only, and a sync calls others.")
    return sync


def reaches(host: Host, grant: Grant, sync: Sync) -> bool:
    """Whether a key is for both connections of a sync."""
    if grant.connections is None:
        return True
    try:
        return grant.reaches_all(host.syncs.systems.names(sync.rules))
    except UpcardError:
        return False  # a connection is gone: nobody can tell whether it was one of the key's


async def note(request: Request, event: str, sync: str, **facts: str | int | None) -> None:
    """An entry of the audit: names, and never a value."""
    await host_of(request).audit.note(event, request.state.caller.id, sync=sync, **facts)


def shown_sync(sync: Sync, status: Status) -> Json:
    last = status.last
    return {
        "name": sync.name,
        "enabled": sync.enabled,
        "created": sync.created,
        "changed": sync.changed,
        "next_run": moment(sync.due),
        "at_work": status.at_work,
        "last": shown_run(last, status.counts, briefly=True) if last else None,
        "links": {"active": status.active, "missing": status.missing, "people": status.people},
        "holds": held(status.known),
        "locks": status.locks,
        "outbox": status.outbox,
    }


def shown_run(run: SyncRun, counts: Mapping[str, int], *, briefly: bool = False) -> Json:
    """A run; `briefly` leaves out what is held and the warnings, which may be thousands."""
    said = run.said or {}
    found: Json = {"run": run.id, "sync": run.sync, "mode": run.mode, "state": run.state, "by": run.by}
    found |= {"started": run.started, "finished": run.finished, "stopped": said.get("stopped")}
    found |= {"brakes": said.get("brakes", []), "held": held(run)}
    found |= {} if briefly else {"holds": said.get("holds", []), "warnings": said.get("warnings", [])}
    found |= {"counts": dict(counts), "exit_code": _exit_code(run, counts)}
    return found | ({"error": run.error} if run.error else {})


def held(run: SyncRun | None) -> int:
    return len(run.said.get("holds", ())) if run and run.said else 0


def _exit_code(run: SyncRun, counts: Mapping[str, int]) -> int | None:
    """As of its plan; None where it has none."""
    if run.said is None:
        return None
    if held(run) or run.said.get("stopped"):
        return 3
    return 2 if any(counts.get(status) for status in DOABLE) else 0


def shown_line(line: Line) -> Json:
    change = line.change
    names = ("seq", "op", "side", "target", "name", "field", "before", "after", "shown", "why")
    became = {"status": line.status, "at": line.at, "made": line.made, "error": line.error}
    return {**{name: getattr(change, name) for name in names}, **became}


def shown_entry(entry: Entry) -> Json:
    """An asset in the outbox."""
    return {**asdict(entry), "due": moment(entry.due)}


def moment(seconds: float | None) -> str | None:
    return None if seconds is None else written(datetime.fromtimestamp(seconds, UTC))
