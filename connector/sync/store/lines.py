"""Lines of plans in the store, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from connector.engine.clock import now
from connector.sdk.kinds import Json
from connector.sync.entities import Change, Side
from connector.sync.store.batches import batches, execute_for
from connector.sync.store.coding import line_read, line_written
from connector.sync.store.tables import sync_changes

Done = Literal["begun", "done", "stale", "failed"]


@dataclass(frozen=True)
class Line:
    """A line of a run, and what became of it: planned, begun, done, stale, failed, or left as the plan says."""

    change: Change
    status: str
    at: str | None = None
    made: str | None = None
    error: str | None = None


def write_lines(db: sa.Connection, run: str, lines: Iterable[Change]) -> None:
    """The lines of a run, in place of what an earlier attempt planned."""
    db.execute(sa.delete(sync_changes).where(sync_changes.c.run == run))
    execute_for(db, sa.insert(sync_changes), (_row(run, line) for line in lines))


def read_lines(
    db: sa.Connection,
    run: str,
    after: int = 0,
    limit: int | None = None,
    status: str | None = None,
    side: Side | None = None,
) -> list[Line]:
    """The lines of a run in order, all or those of which this became, or that write this side."""
    known = sync_changes.c
    wanted = sa.select(known.line, known.status, known.at, known.made, known.error)
    wanted = wanted.where(known.run == run, known.seq > after).order_by(known.seq).limit(limit)
    wanted = wanted.where(known.status == status) if status else wanted
    wanted = wanted.where(known.side == side) if side else wanted
    return [Line(line_read(row[0]), *row[1:]) for row in db.execute(wanted)]


def count_lines(db: sa.Connection, run: str) -> dict[str, int]:
    """How many lines there are of each status."""
    wanted = sa.select(sync_changes.c.status, sa.func.count()).where(sync_changes.c.run == run)
    found = db.execute(wanted.group_by(sync_changes.c.status))
    return {row[0]: row[1] for row in found}


def mark_lines(
    db: sa.Connection, run: str, seqs: Iterable[int], status: Done, *, among: str | None = None, **more: Any
) -> None:
    """What became of some lines; `among`: only of those with this status."""
    here = [sync_changes.c.run == run, *([sync_changes.c.status == among] if among else [])]
    at = None if status == "begun" else now()
    for some in batches(seqs):
        these = sync_changes.c.seq.in_(some)
        db.execute(sa.update(sync_changes).where(*here, these).values(status=status, at=at, **more))


def _row(run: str, line: Change) -> Json:
    link = line.bases[0].link if line.bases else line.link.id if line.link else None
    field = line.bases[0].field if line.field and line.bases else line.field  # of both sides, whose names may differ
    row = {"run": run, "seq": line.seq, "status": line.status, "line": line_written(line)}
    return {**row, "link": link, "field": field, "side": line.side}
