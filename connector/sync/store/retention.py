"""Forget old runs of syncs with their lines; what a sync remembers of both sides is kept."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connector.engine.clock import written
from connector.engine.store import Store
from connector.sync.store.runs import AT_WORK
from connector.sync.store.tables import sync_changes, sync_runs


async def forget(store: Store, days: int) -> None:
    """Forget what was begun so many days ago and is over, or was planned and never applied."""
    before = written(datetime.now(UTC) - timedelta(days=days))
    await store.run(lambda db: _forget(db, before))


def _forget(db: sa.Connection, before: str) -> None:
    old = sync_runs.c.started < before, sync_runs.c.state.not_in(AT_WORK)
    db.execute(sa.delete(sync_changes).where(sync_changes.c.run.in_(sa.select(sync_runs.c.id).where(*old))))
    db.execute(sa.delete(sync_runs).where(*old))
