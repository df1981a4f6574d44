"""Runs that nobody works on any more: they are taken up again, and given up when that does not help."""

from pathlib import Path
from typing import Any

import pytest
import respx
import sqlalchemy as sa

from connector.engine import tables
from connector.engine.durable import Queue
from connector.engine.sweep import sweep
from tests.conftest import Upcard, opened
from tests.durable.test_changing_lists import Fleet
from tests.processes import until
from tests.receiver import receiving


async def test_a_stream_whose_workflow_failed_goes_on(
    upcard: Upcard, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault outside of what a page answers for, such as a store that is read-only for a moment."""
    Fleet(3, {}).serve(kandji)
    async with receiving() as receiver:
        with monkeypatch.context() as broken:
            tried = _breaks(broken, upcard)
            run = await _accepted(upcard, receiver.url)
            await until(lambda: _swept(upcard, run, lambda found: len(tried) == 2))
        ended = await until(lambda: _swept(upcard, run, lambda found: found["state"] == "succeeded"))

    assert (ended["progress"]["delivered"], len(receiver.sent)) == (3, 3)


async def test_a_stream_that_fails_again_and_again_is_given_up(
    upcard: Upcard, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times in a row; it can be resumed like any other that failed."""
    Fleet(3, {}).serve(kandji)
    async with receiving() as receiver:
        with monkeypatch.context() as broken:
            tried = _breaks(broken, upcard)
            run = await _accepted(upcard, receiver.url)
            failed = await until(lambda: _swept(upcard, run, lambda found: found["state"] == "failed"))
        await upcard.http.post(f"/v1/runs/{run}/resume")
        ended = await until(lambda: _swept(upcard, run, lambda found: found["state"] == "succeeded"))

    assert (len(tried), failed["error"]["type"]) == (3, "internal")
    assert (ended["progress"]["delivered"], ended.get("error")) == (3, None)


@pytest.mark.parametrize("happened", ["CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "gone"])
async def test_a_stream_whose_workflow_is_over_is_queued_again(database: str, tmp_path: Path, happened: str) -> None:
    """Once, however many hosts see it; what a caller wants of it meanwhile is kept."""
    async with opened(tmp_path, database_url=database, **ANYWHERE) as upcard:
        run = await _accepted(upcard, "http://127.0.0.1:1/flow")
        await upcard.host.store.run(lambda db: _over(db, happened))

        for _ in range(2):
            await sweep(upcard.host.store, Queue(upcard.host.store))
        found = await upcard.host.store.run(_workflows)

    assert {id_: status for id_, status in found.items() if status == "ENQUEUED"} == {f"{run}.1": "ENQUEUED"}


@pytest.mark.parametrize("state", ["succeeded", "failed", "canceled", "paused"])
async def test_what_is_not_at_work_is_left_alone(sqlite_database: str, tmp_path: Path, state: str) -> None:
    """Its workflow is over, as it should be."""
    async with opened(tmp_path, database_url=sqlite_database, **ANYWHERE) as upcard:
        await _accepted(upcard, "http://127.0.0.1:1/flow")
        await upcard.host.store.run(lambda db: db.execute(sa.update(tables.runs).values(state=state)))
        await upcard.host.store.run(lambda db: _over(db, "gone"))

        await sweep(upcard.host.store, Queue(upcard.host.store))

        assert await upcard.host.store.run(_workflows) == {}


ANYWHERE: dict[str, Any] = {"allow_receivers": "127.0.0.1:*", "unregistered_flows": True}


def _breaks(patch: pytest.MonkeyPatch, upcard: Upcard) -> list[str]:
    tried = []

    async def page(run: str, *_: Any) -> bool:
        tried.append(run)
        raise RuntimeError("a fault of ours")

    patch.setattr(upcard.host.worker, "go_on", page)
    return tried


async def _accepted(upcard: Upcard, url: str) -> str:
    body = {"options": {"result_set": "stream"}, "stream": {"url": url}}
    path, prefer = "/v1/cards/kandji/list_devices", {"Prefer": "respond-async"}
    run: str = (await upcard.http.post(path, json=body, headers=prefer)).json()["run"]
    return run


async def _swept(upcard: Upcard, run: str, is_so: Any) -> dict[str, Any]:
    """The run once it is so; sweeps meanwhile."""
    await sweep(upcard.host.store, Queue(upcard.host.store))
    found: dict[str, Any] = (await upcard.http.get(f"/v1/runs/{run}")).json()
    return found if is_so(found) else {}


def _over(db: sa.Connection, happened: str) -> None:
    workflows = tables.workflows(db)
    db.execute(sa.delete(workflows) if happened == "gone" else sa.update(workflows).values(status=happened))


def _workflows(db: sa.Connection) -> dict[str, str]:
    workflows = tables.workflows(db)
    return {row.workflow_uuid: row.status for row in db.execute(sa.select(workflows))}
