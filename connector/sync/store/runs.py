"""Runs of a sync in the store: each is a plan, and how it ended. Its lines stand in lines.py.

Who works on a run is its holder: whoever takes it up again is another one, and the one before writes nothing any more.
"""

import json
from dataclasses import dataclass, field
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import RowMapping

from connector.engine.clock import now
from connector.engine.durable import Queue
from connector.engine.runs import new_id
from connector.sdk.errors import Conflict, NoSuchRun, UpcardError
from connector.sdk.kinds import Json
from connector.sync.entities import Hold, Notice
from connector.sync.mapping.mapping import Mapping
from connector.sync.plan.plan import Plan
from connector.sync.store.coding import Agreed, agreed_read, agreed_written, plain
from connector.sync.store.lines import Line, write_lines
from connector.sync.store.tables import sync_changes, sync_runs

Mode = Literal["plan", "apply", "push", "undo", "action"]
State = Literal["queued", "running", "planned", "succeeded", "failed", "canceled"]
AT_WORK = ("queued", "running")
KIND = "sync"  # of durable work
PLAIN = ("sync", "mode", "by", "id", "state", "started", "finished", "segment", "forced", "inputs")  # kept as they are


def new_run_id() -> str:
    return new_id("sync")


class Lost(Exception):
    """Somebody else works on the run, or it is over."""


@dataclass(frozen=True)
class SyncRun:
    """One run: a plan, and if it was applied what became of it."""

    sync: str
    mode: Mode
    by: str
    id: str = field(default_factory=new_run_id)
    state: State = "queued"
    started: str = field(default_factory=now)
    finished: str | None = None
    segment: int = 0
    forced: bool = False
    about: tuple[str, ...] | None = None
    inputs: str | None = None
    said: Json | None = None
    error: Json | None = None

    @classmethod
    def of(cls, row: RowMapping) -> "SyncRun":
        said, error, about = (json.loads(row[name]) if row[name] else None for name in ("said", "error", "about"))
        about = tuple(about) if about is not None else None
        return cls(**{name: row[name] for name in PLAIN}, about=about, said=said, error=error)


def insert(db: sa.Connection, run: SyncRun) -> None:
    db.execute(sa.insert(sync_runs).values(_row(run)))


def accept(db: sa.Connection, queue: Queue, run: SyncRun) -> None:
    """Queue a run. Raises Conflict while another one of its sync is at work."""
    refuse_while_at_work(db, run.sync)
    insert(db, run)
    queue.put(db, run.id, run.segment, KIND)


def keep(db: sa.Connection, run: SyncRun, plan: Plan, mapping: Mapping) -> None:
    """A run that is planned already. Raises Conflict while another one is at work."""
    refuse_while_at_work(db, run.sync)
    insert(db, run)
    write_plan(db, run, plan, Agreed(), mapping)


def take_up(db: sa.Connection, queue: Queue, run: SyncRun, mapping: Mapping, *, forced: bool) -> None:
    """Queue a planned run to be applied. Raises Conflict where it cannot be, any more."""
    refuse_while_at_work(db, run.sync)
    refuse_other_mapping(run, mapping)
    if (brakes := (run.said or {}).get("brakes")) and not forced:
        raise Conflict(f"The plan is beyond the limits: {' '.join(brakes)} Force the limits to carry it out.")
    later = (
        *(sync_runs.c.sync == run.sync, sync_runs.c.id > run.id),
        *(sync_runs.c.mode != "action", sync_changes.c.status.in_(("begun", "done"))),
    )
    joined = sa.select(sync_runs.c.id).join(sync_changes, sync_changes.c.run == sync_runs.c.id)
    if found := db.execute(joined.where(*later).limit(1)).scalar():
        raise Conflict(f"The plan is older than {found}, which changed something. Plan again.")
    values = {"state": "queued", "forced": forced, "segment": run.segment + 1, "finished": None}
    wanted = sa.update(sync_runs).where(sync_runs.c.id == run.id, sync_runs.c.state == "planned")
    if not db.execute(wanted.values(values)).rowcount:
        raise Conflict(f"The run is {run.state}: only a plan that was not applied yet can be.")
    queue.put(db, run.id, run.segment + 1, KIND)


def refuse_while_at_work(db: sa.Connection, sync: str) -> None:
    """Raises Conflict while a run of the sync is at work."""
    if found := at_work(db, sync):
        raise Conflict(f"The run {found} of this sync is at work. Wait until it ends, or cancel it.")


def refuse_other_mapping(run: SyncRun, mapping: Mapping) -> None:
    """Raises Conflict where a run was planned by another mapping: its lines may be about what is not mapped now."""
    if (run.said or {}).get("mapping", mapping.fingerprint) != mapping.fingerprint:
        raise Conflict("The mapping was changed since the plan was made. Plan again.")


def at_work(db: sa.Connection, sync: str) -> str | None:
    wanted = sa.select(sync_runs.c.id).where(sync_runs.c.sync == sync, sync_runs.c.state.in_(AT_WORK))
    found: str | None = db.execute(wanted).scalar()
    return found


def begin(db: sa.Connection, id_: str, segment: int, holder: str) -> SyncRun | None:
    """Take a run in hand; None where there is nothing to do, or somebody else does it."""
    here = sync_runs.c.id == id_, sync_runs.c.segment == segment, sync_runs.c.state.in_(AT_WORK)
    if not db.execute(sa.update(sync_runs).where(*here).values(holder=holder, state="running")).rowcount:
        return None
    return get(db, id_)


def hold(db: sa.Connection, id_: str, holder: str) -> str:
    """Make sure that the run is this holder's; what a caller asked of it. Raises Lost."""
    here = sync_runs.c.id == id_, sync_runs.c.holder == holder, sync_runs.c.state == "running"
    held = sa.update(sync_runs).where(*here).values(holder=holder)  # a write: SQLite lets no reader become a writer
    wanted: str | None = db.execute(held.returning(sync_runs.c.wanted)).scalar()
    if wanted is None:
        raise Lost
    return wanted


def get(db: sa.Connection, id_: str, sync: str | None = None) -> SyncRun:
    """Raises NoSuchRun, also for a run of another sync."""
    wanted = sa.select(sync_runs).where(sync_runs.c.id == id_)
    row = db.execute(wanted).mappings().first()
    if row is None or (sync is not None and row["sync"] != sync):
        raise NoSuchRun("There is no run of this name.")
    return SyncRun.of(row)


def listed(db: sa.Connection, sync: str, cursor: str | None, limit: int) -> list[SyncRun]:
    """The runs of a sync, newest first."""
    wanted = sa.select(sync_runs).where(sync_runs.c.sync == sync).order_by(sync_runs.c.id.desc()).limit(limit)
    wanted = wanted.where(sync_runs.c.id < cursor) if cursor else wanted
    return [SyncRun.of(row) for row in db.execute(wanted).mappings()]


def latest(db: sa.Connection, sync: str) -> SyncRun | None:
    """The last run that read both sides."""
    wanted = sa.select(sync_runs).where(sync_runs.c.sync == sync, sync_runs.c.mode.in_(("plan", "apply")))
    row = db.execute(wanted.where(sync_runs.c.said.is_not(None)).order_by(sync_runs.c.id.desc())).mappings().first()
    return SyncRun.of(row) if row else None


def write_plan(db: sa.Connection, run: SyncRun, plan: Plan, agreed: Agreed, mapping: Mapping | None = None) -> None:
    """What was planned, in place of what an earlier attempt planned."""
    write_lines(db, run.id, plan.lines)
    said = {"stopped": plan.stopped, "brakes": plan.brakes, "holds": plain(plan.holds)}
    said |= {"warnings": plain(plan.warnings), **({"mapping": mapping.fingerprint} if mapping else {})}
    values: Json = {"inputs": plan.inputs, "said": json.dumps(said), "agreed": agreed_written(agreed)}
    db.execute(sa.update(sync_runs).where(sync_runs.c.id == run.id).values(values))


def plan_of(run: SyncRun, lines: list[Line]) -> Plan:
    """The plan of a run as it was made, but for what it records by itself."""
    said = run.said or {}
    return Plan(
        inputs=run.inputs or "",
        lines=tuple(line.change for line in lines),
        holds=tuple(Hold(**{**each, "about": tuple(each["about"])}) for each in said.get("holds", ())),
        warnings=tuple(Notice(**each) for each in said.get("warnings", ())),
        brakes=tuple(said.get("brakes", ())),
        stopped=said.get("stopped"),
    )


def take_agreed(db: sa.Connection, run: SyncRun) -> Agreed | None:
    """What the plan records, once: None when that was done before, or a later run saw both sides and recorded it."""
    known = sync_runs.c
    packed = db.execute(sa.select(known.agreed).where(known.id == run.id)).scalar()
    db.execute(sa.update(sync_runs).where(known.id == run.id).values(agreed=None))
    later = known.sync == run.sync, known.id > run.id, known.mode.in_(("plan", "apply", "push"))
    is_older = sa.select(known.id).where(*later, known.inputs.is_not(None), known.agreed.is_(None)).limit(1)
    return agreed_read(packed) if packed and not db.execute(is_older).first() else None


def end(db: sa.Connection, id_: str, state: State, error: UpcardError | None = None) -> None:
    """Say how a run ended."""
    values: Json = {"state": state, "finished": now(), "wanted": "", "holder": ""}
    values |= {"error": json.dumps(error.shown(id_)) if error else None}
    db.execute(sa.update(sync_runs).where(sync_runs.c.id == id_).values(values))


def cancel(db: sa.Connection, run: SyncRun) -> None:
    """Let a run end where it is: at once while it is queued, else after the line that is under way."""
    here = sync_runs.c.id == run.id
    db.execute(sa.update(sync_runs).where(here, sync_runs.c.state == "running").values(wanted="cancel"))
    queued = sa.update(sync_runs).where(here, sync_runs.c.state.in_(("queued", "planned")))
    db.execute(queued.values(state="canceled", finished=now()))


def _row(run: SyncRun) -> Json:
    about = json.dumps(run.about) if run.about is not None else None
    return {**{name: getattr(run, name) for name in PLAIN}, "about": about}
