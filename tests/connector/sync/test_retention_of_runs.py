"""Old runs of syncs are forgotten with their lines; what both sides agreed on is not."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from connector.sync.entities import Base, Change
from connector.sync.mapping.mapping_file import load
from connector.sync.plan.plan import Plan
from connector.sync.store import memory, runs
from connector.sync.store.coding import Agreed
from connector.sync.store.retention import forget
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import sync_bases, sync_changes, sync_runs
from tests.conftest import Upcard
from tests.connector.rest.sync_parts import MAPPING

OLD = "2026-01-01T00:00:00.000Z"
LINE = Change("link", "asset", "a1", "A1", "the same serial", seq=1)


@pytest.mark.parametrize(
    ("run", "stays"),
    [
        (SyncRun("old", "apply", "schedule", state="succeeded", started=OLD), False),
        (SyncRun("old", "undo", "somebody", state="planned", started=OLD), False),
        (SyncRun("old", "apply", "schedule", state="running", started=OLD), True),
        (SyncRun("old", "apply", "schedule", state="succeeded"), True),
    ],
)
async def test_a_run_is_kept_for_its_time(upcard: Upcard, run: SyncRun, *, stays: bool) -> None:
    """By when it was begun; one at work stays however long it takes."""
    store, kept = upcard.host.store, replace(run, sync=f"old-{run.id[-6:]}")

    def work(db: sa.Connection) -> None:
        runs.insert(db, kept)
        runs.write_plan(db, kept, Plan("x", (LINE,)), Agreed(), load(MAPPING))
        memory.record_bases(db, kept.sync, [Base("device/a1", "tag", "T", "T")])

    await store.run(work)
    await forget(store, 30)

    def there(db: sa.Connection) -> list[Any]:
        return [
            db.execute(sa.select(sync_runs.c.id).where(sync_runs.c.id == kept.id)).first() is not None,
            db.execute(sa.select(sync_changes.c.seq).where(sync_changes.c.run == kept.id)).first() is not None,
            db.execute(sa.select(sync_bases.c.field).where(sync_bases.c.sync == kept.sync)).first() is not None,
        ]

    assert await store.run(there) == [stays, stays, True]
    await store.run(lambda db: memory.forget(db, kept.sync))
