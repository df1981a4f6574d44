"""Plans are carried out line by line, and what moved since they were made is left alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from connector.sync.apply.course import Course
from connector.sync.plan.moved import WHY
from connector.sync.store.runs import SyncRun
from tests.connector.sync.office import Office
from tests.connector.sync.trouble import give, holder, owned, synced, tag, writes


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is edited after a plan is edited just after both sides were read once more."""

    async def seen(_: Course) -> None:
        """Nothing had moved yet."""

    monkeypatch.setattr(Course, "_leave_what_moved", seen)


async def became(here: Office, run: SyncRun) -> dict[str, str]:
    """What became of the lines of a run, by step."""
    return {line.change.op: line.status for line in await here.lines(run)}


async def test_a_source_that_moved_makes_a_line_stale(here: Office) -> None:
    """What is read again is both sides, not only the one that is written; the next run does what holds then."""
    device, other, third = await owned(here), await owned(here, 3), await owned(here, 5)
    await tag(here, device, "K-1")
    await give(here, device, other["user"])
    plan = await here.plan()
    await tag(here, device, "K-2")
    await give(here, device, third["user"])
    here.forget_requests()

    run = await here.apply(plan)

    assert {(line.status, line.error) for line in await here.lines(run)} == {("stale", WHY)}
    assert writes(here) == []
    await here.apply()
    assert (await here.asset(device["serial_number"])).tag == "K-2"
    assert await holder(here, device["serial_number"]) == third["user"]["email"]


async def test_a_plan_from_before_is_done_as_far_as_it_holds(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    for each in (device, other):
        await tag(here, each, f"K-{each['serial_number']}")
    plan = await here.plan()
    await tag(here, other, "K-2")

    run = await here.apply(plan)

    assert await here.syncs.counts(run.id) == {"done": 1, "stale": 1}
    assert (await here.asset(device["serial_number"])).tag == f"K-{device['serial_number']}"


async def test_a_plan_from_before_is_not_done_from_half_a_world(here: Office) -> None:
    await tag(here, await owned(here), "K-1")
    plan = await here.plan()
    for index in range(1, 10):
        here.tenant.tenant.devices.remove(index)

    run = await here.apply(plan)

    assert (run.state, await here.syncs.counts(run.id)) == ("failed", {"planned": 1})


@pytest.mark.usefixtures("late")
async def test_a_field_that_moved_is_stale_and_the_edit_is_not_lost(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await tag(here, device, "K-1")
    plan = await here.plan()
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})

    run = await here.apply(plan)

    (line,) = await here.lines(run)
    assert (line.status, line.error) == ("stale", "it changed since the plan was made")
    assert (await here.asset(device["serial_number"])).tag == "A-1"
    await here.apply()
    assert (await here.device(device["serial_number"]))["asset_tag"] == "A-1"


async def test_a_value_that_looks_like_what_stands_for_a_new_record_is_a_value(here: Office) -> None:
    """To both sides; people may write `new:` before anything."""
    one, other = await owned(here), await owned(here, 1)
    await here.system.update_asset((await here.asset(one["serial_number"])).sys_id, {"tag": "new:42"})
    await tag(here, other, "new:43")

    run = await here.apply()

    assert await here.syncs.counts(run.id) == {"done": 2}
    assert (await here.device(one["serial_number"]))["asset_tag"] == "new:42"
    assert (await here.asset(other["serial_number"])).tag == "new:43"


@pytest.mark.usefixtures("late")
async def test_a_device_tag_that_moved_is_stale(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})
    plan = await here.plan()
    await tag(here, device, "K-1")

    run = await here.apply(plan)

    assert await became(here, run) == {"update_device": "stale"}
    assert (await here.device(device["serial_number"]))["asset_tag"] == "K-1"


@pytest.mark.usefixtures("late")
async def test_an_assignment_that_moved_is_stale(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    asset = await here.asset(device["serial_number"])
    await here.system.check_in(asset.sys_id, "back")
    plan = await here.plan()
    await give(here, device, other["user"])

    run = await here.apply(plan)

    assert await became(here, run) == {"assign": "stale"}
    assert (await here.device(device["serial_number"]))["user"]["id"] == other["user"]["id"]


@pytest.mark.usefixtures("late")
async def test_an_asset_that_changed_hands_meanwhile_is_stale(here: Office) -> None:
    device, other, third = await owned(here), await owned(here, 3), await owned(here, 5)
    asset, people = await here.asset(device["serial_number"]), await here.people()
    await give(here, device, other["user"])
    plan = await here.plan()
    await here.system.check_in(asset.sys_id, "back")
    await here.system.check_out(asset.sys_id, people[third["user"]["email"]].sys_id, "yours")

    run = await here.apply(plan)
    later = await here.apply()

    assert await became(here, run) == {"check_in": "stale", "check_out": "stale"}
    assert await holder(here, device["serial_number"]) == third["user"]["email"]
    assert [hold["kind"] for hold in (later.said or {})["holds"]] == ["conflict"]


@pytest.mark.usefixtures("late")
async def test_an_asset_that_was_checked_in_meanwhile_is_stale(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    asset = await here.asset(device["serial_number"])
    await give(here, device, other["user"])
    plan = await here.plan()
    await here.system.check_in(asset.sys_id, "back")

    run = await here.apply(plan)

    assert await became(here, run) == {"check_in": "stale", "check_out": "stale"}
    assert await holder(here, device["serial_number"]) is None


@pytest.mark.usefixtures("late")
async def test_an_email_that_somebody_gave_meanwhile_stays(here: Office) -> None:
    """A person without one gets that of the MDM, unless it is known better by then."""
    email = (await owned(here))["user"]["email"]
    person = (await here.people())[email]
    await here.system.update_person(person.sys_id, {"email": None})
    plan = await here.plan()
    await here.system.update_person(person.sys_id, {"email": "by.hand@example.com"})

    assert await became(here, await here.apply(plan)) == {"update_person": "stale"}
    assert "by.hand@example.com" in await here.people()
    await here.system.update_person(person.sys_id, {"email": None})
    await here.apply()
    assert email in await here.people()


@pytest.mark.usefixtures("late")
async def test_a_target_that_was_deleted_is_stale(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    asset = await here.asset(device["serial_number"])
    await tag(here, device, "K-1")
    await give(here, device, other["user"])
    plan = await here.plan()
    here.workspace.database.remove(asset.sys_id)

    run = await here.apply(plan)
    later = await here.apply()

    assert {(line.status, line.error) for line in await here.lines(run)} == {("stale", "it is not there any more")}
    assert [hold["kind"] for hold in (later.said or {})["holds"]] == ["asset_gone"]
