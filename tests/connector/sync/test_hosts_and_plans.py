"""Who may carry a plan out, and when: older plans, other hosts, hosts that stop, and changed mappings."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from connector.sdk.errors import Conflict
from connector.sync.apply.worker import SyncWorker
from tests.connector.sync.office import FIELDS, NAME, Office
from tests.connector.sync.trouble import LOOSE, fault, give, holder, owned, synced, tag, writes


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


async def tagged(here: Office, count: int = 3) -> None:
    """So many tags are changed in Kandji."""
    for place in range(count):
        await tag(here, await owned(here, place), f"K-{place}")
    here.forget_requests()


async def test_a_plan_that_is_older_than_a_change_is_refused(here: Office) -> None:
    await tagged(here)
    plan = await here.plan()
    await here.apply()

    with pytest.raises(Conflict, match="Plan again"):
        await here.apply(plan)


async def test_a_plan_is_applied_once(here: Office) -> None:
    await tagged(here)
    plan = await here.plan()
    await here.apply(plan)

    with pytest.raises(Conflict, match="only a plan that was not applied yet"):
        await here.apply(plan)


async def test_one_run_at_a_time(here: Office) -> None:
    await tagged(here)
    plan = await here.plan()
    run = await here.syncs.apply(NAME, "a test")

    with pytest.raises(Conflict, match="at work"):
        await here.syncs.apply(NAME, "a test", plan.id)
    with pytest.raises(Conflict, match="at work"):
        await here.syncs.undo(NAME, plan.id, "a test")
    with pytest.raises(Conflict, match="at work"):
        await here.syncs.delete(NAME)
    await here.worked(run)


async def test_an_older_plan_does_not_bring_older_agreements_back(here: Office) -> None:
    """Both sides were made the same since, and a run saw it: what one of them says then is an edit."""
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "X-1"})
    await tag(here, device, "X-1")
    plan = await here.plan()
    await here.system.update_asset(asset.sys_id, {"tag": "X-2"})
    await tag(here, device, "X-2")
    await here.apply()

    await here.apply(plan)
    await here.system.update_asset(asset.sys_id, {"tag": "A-3"})
    run = await here.apply()

    (line,) = await here.lines(run)
    assert (line.change.op, line.change.why) == ("update_device", "the asset system changed")


async def test_two_hosts_that_get_the_same_run_carry_it_out_once(here: Office) -> None:
    await tagged(here)
    await give(here, await owned(here, 4), (await owned(here, 6))["user"])
    other = SyncWorker(here.upcard.host.store, here.syncs.systems, here.upcard.host.draining)
    run = await here.syncs.apply(NAME, "a test")

    async def work(worker: SyncWorker, holder: str) -> None:
        while await worker.go_on(run.id, run.segment, holder):
            pass

    await asyncio.gather(work(here.worker, "one"), work(other, "two"))

    assert (await here.syncs.run(NAME, run.id)).state == "succeeded"
    assert await here.syncs.counts(run.id) == {"done": 5}
    assert len([each for each in writes(here) if each.startswith(("POST /assets/", "POST /check"))]) == 5


async def test_a_host_that_was_superseded_writes_nothing_more(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await tagged(here)
    monkeypatch.setattr("connector.sync.apply.course.A_WHILE", 0.0)  # a line a step
    run = await here.syncs.apply(NAME, "a test")
    assert await here.worker.go_on(run.id, run.segment, "one")
    monkeypatch.setattr("connector.sync.apply.course.A_WHILE", 0.001)
    assert await here.worker.go_on(run.id, run.segment, "one")
    other = SyncWorker(here.upcard.host.store, here.syncs.systems, here.upcard.host.draining)
    assert await other.go_on(run.id, run.segment, "two")
    here.forget_requests()

    assert not await here.worker.go_on(run.id, run.segment, "one")

    assert (here.requests(), (await here.syncs.run(NAME, run.id)).state) == ([], "running")
    while await other.go_on(run.id, run.segment, "two"):
        pass
    assert await here.syncs.counts(run.id) == {"done": 3}


async def test_a_run_is_canceled_between_lines(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await tagged(here)
    monkeypatch.setattr("connector.sync.apply.course.A_WHILE", 0.001)
    run = await here.syncs.apply(NAME, "a test")
    assert await here.worker.go_on(run.id, run.segment, "one")
    assert await here.worker.go_on(run.id, run.segment, "one")

    await here.syncs.cancel(NAME, run.id)

    assert not await here.worker.go_on(run.id, run.segment, "one")
    assert (await here.syncs.run(NAME, run.id)).state == "canceled"
    assert await here.syncs.counts(run.id) == {"done": 1, "planned": 2}
    later = await here.apply()
    assert await here.syncs.counts(later.id) == {"done": 2}


@pytest.mark.parametrize("mode", ["apply", "plan"])
async def test_a_plan_is_canceled_while_it_is_made(here: Office, mode: str) -> None:
    await tagged(here)
    run = await (here.syncs.apply if mode == "apply" else here.syncs.plan)(NAME, "a test")
    fault(here, "latency", "GET", "/devices", milliseconds=600)

    working = asyncio.create_task(here.worked(run))
    await asyncio.sleep(0.2)
    await here.syncs.cancel(NAME, run.id)

    assert (await working).state == "canceled"
    assert writes(here) == []


async def test_a_host_that_stops_leaves_the_rest_to_another(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails for it."""
    await tagged(here)
    host = here.upcard.host
    run = await here.syncs.apply(NAME, "a test")
    assert await here.worker.go_on(run.id, run.segment, "one")
    fault(here, "latency", "POST", "/assets/*", milliseconds=300, after=1)

    working = asyncio.create_task(here.worker.go_on(run.id, run.segment, "one"))
    await asyncio.sleep(0.2)
    await here.worker.drain()
    more = await working

    assert more
    assert (await here.syncs.run(NAME, run.id)).state == "running"
    assert (await here.syncs.counts(run.id)).keys() <= {"done", "begun", "planned"}
    other = SyncWorker(host.store, here.syncs.systems, asyncio.Event())
    while await other.go_on(run.id, run.segment, "two"):
        pass
    assert await here.syncs.counts(run.id) == {"done": 3}
    assert len(writes(here)) == 3


async def test_a_plan_of_another_mapping_is_not_carried_out(here: Office) -> None:
    """What its lines are about may not be mapped any more."""
    await tagged(here)
    plan = await here.plan()
    await here.set_up(fields=[row for row in FIELDS if row["to"] != "tag"])

    with pytest.raises(Conflict, match="mapping"):
        await here.apply(plan)

    run = await here.apply()
    assert (run.state, await here.lines(run), writes(here)) == ("succeeded", [], [])


async def test_a_run_whose_mapping_is_changed_on_the_way_ends_clearly(here: Office) -> None:
    await tagged(here)
    run = await here.syncs.apply(NAME, "a test")
    assert await here.worker.go_on(run.id, run.segment, "one")
    await here.set_up(fields=[row for row in FIELDS if row["to"] != "tag"])

    ended = await here.worked(run)

    assert (ended.state, (ended.error or {}).get("type")) == ("failed", "conflict")
    assert "mapping" in (ended.error or {})["detail"]
    assert writes(here) == []


async def test_a_direction_that_is_changed_writes_nothing_by_itself(here: Office) -> None:
    for direction in ("mdm_to_asset", "asset_to_mdm", "both"):
        rows = [{"to": row["to"], "from": row["from"], "direction": direction} for row in FIELDS[1:2]]
        await here.set_up(fields=[*FIELDS[:1], *rows])

        run = await here.apply()

        assert (run.state, await here.lines(run)) == ("succeeded", [])


async def test_a_sync_does_not_move_to_another_system(here: Office) -> None:
    """What it remembers is of its two systems; IDs of another one may be the same."""
    with pytest.raises(Conflict, match="another sync"):
        await here.set_up(assets={"kind": "file", "connection": "other"})

    assert (await here.syncs.get(NAME)).rules.assets.kind == "assetbots"


async def test_limits_hold_back_a_plan_until_it_is_forced(here: Office) -> None:
    await here.set_up(safety=LOOSE | {"max_check_ins": 1})
    some = [await owned(here, place) for place in range(3)]
    for device in some:
        await give(here, device, None)
    here.forget_requests()

    run = await here.apply()

    assert (run.state, writes(here)) == ("planned", [])
    assert (run.said or {})["brakes"] == ["3 check-ins; max_check_ins allows 1."]
    with pytest.raises(Conflict, match="max_check_ins"):
        await here.apply(run)
    assert (await here.apply(run, forced=True)).state == "succeeded"
    assert await holder(here, some[0]["serial_number"]) is None


@pytest.mark.parametrize(("limit", "op"), [("max_changes", "records change"), ("max_creates", "create_asset")])
async def test_many_changes_and_creates_are_planned_only(here: Office, limit: str, op: str) -> None:
    await here.set_up(safety=LOOSE | {limit: 0})
    here.tenant.tenant.devices.add(2, at_front=False)
    for device in await here.devices():
        await tag(here, device, f"K-{device['serial_number']}")
    here.forget_requests()

    run = await here.apply()

    assert (run.state, writes(here)) == ("planned", [])
    assert op in str((run.said or {})["brakes"])
    assert (await here.apply(forced=True)).state == "succeeded"


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("left", [0, 5])
async def test_no_plan_is_made_from_half_a_world(here: Office, left: int, *, forced: bool) -> None:
    """Nor by force, which is for limits: the mapping may say that an empty source is meant."""
    devices = here.tenant.tenant.devices
    for device in (await here.devices())[left:]:
        devices.remove(devices.index(device["device_id"]) or 0)
    here.forget_requests()

    run = await here.apply(forced=forced)

    assert (run.state, await here.lines(run), writes(here)) == ("failed", [], [])
    words = "The MDM lists no devices." if not left else "The MDM lists 5 devices; there were 12."
    assert (run.error or {})["detail"] == words


async def test_no_plan_is_made_where_the_assets_are_gone(here: Office) -> None:
    for asset in list(here.workspace.database.assets):
        here.workspace.database.remove(asset)
    here.forget_requests()

    run = await here.apply()

    assert (run.state, writes(here)) == ("failed", [])
    assert "The asset system lists 0 assets; there were" in (run.error or {})["detail"]
