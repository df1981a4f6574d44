"""Forget what is old: runs and their failures, and DBOS's own records of finished streams. Nothing else deletes."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import DBOS

from connector.engine import tables
from connector.engine.store import Store

EVERY = 3600.0  # seconds
FAILURES = 7  # days that failed records can be sent again (CB-10)
AT_ONCE = 500  # workflows deleted at once


async def forget(store: Store, days: int) -> None:
    """Forget what ended so many days ago."""
    await store.run(lambda db: _forget(db, days))
    await _forget_workflows(_ago(days))


def _forget(db: sa.Connection, days: int) -> None:
    runs, failures, pages = tables.runs, tables.failures, tables.pages
    db.execute(sa.delete(failures).where(failures.c.at < _ago(min(days, FAILURES))))
    old = runs.c.finished < _ago(days)
    for table in (failures, pages):
        db.execute(sa.delete(table).where(table.c.run.in_(sa.select(runs.c.id).where(old))))
    db.execute(sa.delete(runs).where(old))


async def _forget_workflows(before: str) -> None:
    while True:
        old = await DBOS.list_workflows_async(
            completed_before=before, limit=AT_ONCE, load_input=False, load_output=False
        )
        if not old:
            return
        await DBOS.delete_workflows_async([workflow.workflow_id for workflow in old])


def _ago(days: int) -> str:
    """So many days ago, as the store writes times."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
