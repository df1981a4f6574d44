"""Where a sync stands: what is at work, what the last run found, and how much is remembered."""

from dataclasses import dataclass

import sqlalchemy as sa

from connector.sync.store import runs
from connector.sync.store.lines import count_lines
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import sync_links, sync_locks, sync_outbox


@dataclass(frozen=True)
class Status:
    """`at_work`: the run under way. `last`: the last one that read both sides, with how many lines of each status."""

    at_work: str | None
    last: SyncRun | None
    counts: dict[str, int]
    active: int
    missing: int
    people: int
    locks: int
    outbox: int


def status(db: sa.Connection, sync: str) -> Status:
    last = runs.latest(db, sync)
    known = sync_links.c
    grouped = sa.select(known.kind, known.state, sa.func.count()).where(known.sync == sync)
    links = {(row[0], row[1]): row[2] for row in db.execute(grouped.group_by(known.kind, known.state))}
    return Status(
        at_work=runs.at_work(db, sync),
        last=last,
        counts=count_lines(db, last.id) if last else {},
        active=links.get(("device", "active"), 0),
        missing=links.get(("device", "missing"), 0),
        people=sum(count for (kind, _), count in links.items() if kind == "user"),
        locks=_count(db, sync_locks, sync),
        outbox=_count(db, sync_outbox, sync),
    )


def _count(db: sa.Connection, table: sa.Table, sync: str) -> int:
    found = db.execute(sa.select(sa.func.count()).select_from(table).where(table.c.sync == sync)).scalar_one()
    return int(found)
