"""Forget what is old: runs with all they have, DBOS's own records of them, answers, counts. The audit is kept.

Hosts that died are forgotten by who takes over their streams, and not before (durable.py).
"""

import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import DBOS

from connector.engine import tables
from connector.engine.approvals import WAITING
from connector.engine.clock import written
from connector.engine.policies import DAY
from connector.engine.store import Store

EVERY = 3600.0  # seconds
FAILURES = 7  # days that failed records can be sent again (CB-10)
AT_ONCE = 500  # workflows deleted at once


async def forget(store: Store, days: int) -> None:
    """Forget what ended so many days ago."""
    await _forget_workflows(_ago(days))
    await store.run(lambda db: _forget(db, days))


def _forget(db: sa.Connection, days: int) -> None:
    runs, failures, pages = tables.runs, tables.failures, tables.pages
    db.execute(sa.delete(failures).where(failures.c.at < _ago(min(days, FAILURES))))
    old = sa.or_(runs.c.finished < _ago(days), _left_paused(db, days))
    for table in (failures, pages):
        db.execute(sa.delete(table).where(table.c.run.in_(sa.select(runs.c.id).where(old))))
    db.execute(sa.delete(runs).where(old))
    db.execute(sa.delete(tables.answers).where(tables.answers.c.until < time.time()))
    db.execute(sa.delete(tables.commands).where(tables.commands.c.at < time.time() - DAY))
    decided = tables.approvals.c.state != WAITING
    db.execute(sa.delete(tables.approvals).where(decided, tables.approvals.c.created < _ago(days)))
    db.execute(sa.delete(tables.budgets).where(tables.budgets.c.hour < time.time() - DAY))  # they count for an hour


def _left_paused(db: sa.Connection, days: int) -> sa.ColumnElement[bool]:
    """Streams that were paused so long ago: their workflow ended at the pause, and is forgotten."""
    workflows, paused = tables.workflows(db), tables.runs.c
    known = sa.exists().where(workflows.c.workflow_uuid == tables.workflow_of_run())
    return sa.and_(paused.state == "paused", paused.started < _ago(days), ~known)


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
    return written(datetime.now(UTC) - timedelta(days=days))
