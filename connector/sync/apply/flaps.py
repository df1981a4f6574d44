"""Fields that go to and fro: somebody or something else writes them as well, and neither side is to win by turns."""

from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

import sqlalchemy as sa

from connector.engine.clock import written
from connector.sync.entities import Lock
from connector.sync.store import memory
from connector.sync.store.tables import sync_changes, sync_runs

TURNS, WITHIN = 3, timedelta(hours=24)
BY = "flap guard"


def lock(db: sa.Connection, sync: str) -> None:
    """Lock each field whose changes turned around so often; a person removes the lock when the cause is gone."""
    known, since = sync_changes.c, written(datetime.now(UTC) - WITHIN)
    joined = sa.select(known.link, known.field, known.side).join(sync_runs, sync_runs.c.id == known.run)
    here = sync_runs.c.sync == sync, sync_runs.c.mode != "undo", known.status == "done", known.at >= since
    kept = known.link.is_not(None), known.field.is_not(None)
    rows = db.execute(joined.where(*here, *kept).order_by(known.link, known.field, known.at, known.run, known.seq))
    for (link, field), some in groupby(rows, key=lambda row: (row.link, row.field)):
        turned = sum(one.side != other.side for one, other in pairwise(some))
        if turned >= TURNS:
            why = f"its value changed direction {turned} times in 24 hours; something else writes it as well"
            memory.record_lock(db, sync, Lock(link, field, why, by=BY))


def forgive(db: sa.Connection, sync: str, link: str, field: str) -> None:
    """What a field did until now counts no more: a person unlocked it."""
    runs = sa.select(sync_runs.c.id).where(sync_runs.c.sync == sync)
    here = sync_changes.c.run.in_(runs), sync_changes.c.link == link, sync_changes.c.field == field
    db.execute(sa.update(sync_changes).where(*here).values(field=None))
