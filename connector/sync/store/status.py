"""Where a sync stands: what is at work, what the last run found, and how much is remembered."""

from dataclasses import dataclass

import sqlalchemy as sa

from connector.sync.store import runs
from connector.sync.store.lines import count_lines
from connector.sync.store.runs import AT_WORK, SyncRun
from connector.sync.store.tables import sync_links, sync_locks, sync_outbox, sync_runs

WHOLE = ("plan", "apply", "undo")  # modes of runs that are not about one asset


@dataclass(frozen=True)
class Status:
    """`at_work`: the run under way. `last`: the last one that ended, with how many lines of each status.

    `known`: the last one that read both sides, which knows what is held.
    """

    at_work: str | None
    last: SyncRun | None
    counts: dict[str, int]
    known: SyncRun | None
    active: int
    missing: int
    people: int
    locks: int
    outbox: int


def status(db: sa.Connection, sync: str) -> Status:
    last = _ended(db, sync)
    link = sync_links.c
    grouped = sa.select(link.kind, link.state, sa.func.count()).where(link.sync == sync)
    links = {(row[0], row[1]): row[2] for row in db.execute(grouped.group_by(link.kind, link.state))}
    return Status(
        at_work=runs.at_work(db, sync),
        last=last,
        counts=count_lines(db, last.id) if last else {},
        known=runs.latest(db, sync),
        active=links.get(("device", "active"), 0),
        missing=links.get(("device", "missing"), 0),
        people=sum(count for (kind, _), count in links.items() if kind == "user"),
        locks=_count(db, sync_locks, sync),
        outbox=_count(db, sync_outbox, sync),
    )


def _ended(db: sa.Connection, sync: str) -> SyncRun | None:
    """The last run of the whole sync that ended, also one that failed before it read anything."""
    run = sync_runs.c
    here = run.sync == sync, run.mode.in_(WHOLE), run.state.not_in(AT_WORK)
    newest = sa.func.coalesce(run.finished, run.started).desc(), run.id.desc()
    row = db.execute(sa.select(sync_runs).where(*here).order_by(*newest).limit(1)).mappings().first()
    return SyncRun.of(row) if row else None


def _count(db: sa.Connection, table: sa.Table, sync: str) -> int:
    found = db.execute(sa.select(sa.func.count()).select_from(table).where(table.c.sync == sync)).scalar_one()
    return int(found)
