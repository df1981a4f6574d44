"""What is old is forgotten, and nothing of it stays in any table."""

import time
from typing import Any

import pytest
import respx
import sqlalchemy as sa
from aiohttp import web

from connector.engine import tables
from connector.engine.retention import forget
from tests.conftest import Upcard
from tests.receiver import receiving

OLD, NEW = "2026-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"
RUN = {"card": "kandji.list_devices", "connection": "acme", "caller": "k1", "started": OLD}


async def test_nothing_of_an_old_stream_stays(
    upcard: Upcard, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its run and failures, nor any row of DBOS's."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)  # attempts follow at once
    kandji.get("/devices").respond(json=[{"device_id": "d1"}])
    async with receiving(lambda _: web.Response(status=400)) as flow:
        body = {"options": {"result_set": "stream"}, "stream": {"url": flow.url}}
        run = (await upcard.call("kandji.list_devices", **body)).json()["run"]

    before = await upcard.host.store.run(lambda db: _holding(db, run))
    await forget(upcard.host.store, -1)  # as if it were tomorrow, and all of it old
    after = await upcard.host.store.run(lambda db: _holding(db, run))

    assert before >= {"runs", "failures", "workflow_status", "operation_outputs"}
    assert after == set()


@pytest.mark.parametrize(
    ("row", "is_kept"),
    [
        ({"state": "succeeded", "finished": OLD}, False),
        ({"state": "succeeded", "finished": NEW}, True),
        ({"state": "running"}, True),
        ({"state": "queued"}, True),
        ({"state": "paused"}, False),
        ({"state": "paused", "started": NEW}, True),
    ],
)
async def test_a_run_is_kept_for_its_time(upcard: Upcard, row: dict[str, Any], is_kept: bool) -> None:
    """From its end, or from the pause that nobody ended; what is at work is never forgotten."""
    page = {"first": 0, "records": b"", "skipped": 0, "truncated": False}
    values = {**RUN, "id": "run_old", **row}

    def work(db: sa.Connection) -> None:
        db.execute(sa.insert(tables.runs).values(values))
        db.execute(sa.insert(tables.pages).values(run="run_old", **page))

    await upcard.host.store.run(work)

    await forget(upcard.host.store, 30)
    left = await upcard.host.store.run(lambda db: _holding(db, "run_old"))
    await upcard.host.store.run(lambda db: [db.execute(sa.delete(table)) for table in (tables.runs, tables.pages)])

    assert left == ({"runs", "pages"} if is_kept else set())


async def test_a_stream_that_was_paused_lately_is_kept(upcard: Upcard) -> None:
    """However long ago it began: its workflow, which ended at the pause, is still known."""

    def work(db: sa.Connection) -> None:
        db.execute(sa.insert(tables.runs).values(**RUN, id="run_long", state="paused", segment=2))
        row = {"workflow_uuid": "run_long.2", "status": "SUCCESS", "created_at": 0, "updated_at": 0}
        workflows = sa.table("workflow_status", *(sa.column(name) for name in row))
        db.execute(sa.insert(workflows).values(**row))

    await upcard.host.store.run(work)

    await forget(upcard.host.store, 30)
    left = await upcard.host.store.run(lambda db: _holding(db, "run_long"))
    await upcard.host.store.run(lambda db: db.execute(sa.delete(tables.runs)))

    assert left == {"runs", "workflow_status"}


async def test_budgets_of_another_day_are_forgotten(upcard: Upcard) -> None:
    """A connection that was deleted leaves none behind."""
    budgets = tables.budgets
    rows = [{"connection": name, "hour": hour, "used": 1} for name, hour in (("gone", 0), ("used", int(time.time())))]
    await upcard.host.store.run(lambda db: db.execute(sa.insert(budgets), rows))

    await forget(upcard.host.store, 30)

    names = set(await upcard.host.store.run(lambda db: db.execute(sa.select(budgets.c.connection)).scalars().all()))
    assert names & {"gone", "used"} == {"used"}


def _holding(db: sa.Connection, run: str) -> set[str]:
    """Every table of the database that has a row of this run."""
    found = sa.MetaData()
    found.reflect(db)
    names = {"id", "run", "workflow_uuid", "workflow_id"}
    wanted = {
        table.name: sa.select(sa.literal(1))
        .select_from(table)
        .where(sa.or_(*(column.like(f"{run}%") for column in table.columns if column.name in names), sa.false()))
        for table in found.sorted_tables
    }
    return {name for name, query in wanted.items() if db.execute(query).first()}
