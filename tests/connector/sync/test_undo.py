"""The way back from a run: what it changed is as it was, and stays so until somebody edits it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.connector.sync.office import Office, office
from tests.connector.sync.trouble import LOOSE, give, holder, newcomer, owned, synced, tag


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


async def is_quiet(here: Office) -> bool:
    run = await here.apply()
    return await here.lines(run) == [] and (run.said or {})["holds"] == []


async def test_a_value_goes_back_in_the_asset_system_and_stays(here: Office) -> None:
    device = await owned(here)
    before = (await here.asset(device["serial_number"])).tag
    await tag(here, device, "K-1")
    run = await here.apply()

    back = await here.undo(run)

    assert (back.state, await here.syncs.counts(back.id)) == ("succeeded", {"done": 1})
    assert ((await here.asset(device["serial_number"])).tag, before) == (before, before)
    assert await is_quiet(here)
    await tag(here, device, "K-2")
    await here.apply()
    assert (await here.asset(device["serial_number"])).tag == "K-2"


async def test_a_value_and_a_user_go_back_in_kandji_and_stay(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})
    await here.system.check_in(asset.sys_id, "back")
    run = await here.apply()

    back = await here.undo(run)

    now = await here.device(device["serial_number"])
    assert await here.syncs.counts(back.id) == {"done": 2}
    assert (now["asset_tag"] or None, now["user"]["id"]) == (device["asset_tag"] or None, device["user"]["id"])
    assert await is_quiet(here)
    assert (await here.asset(device["serial_number"])).tag == "A-1"
    await here.system.update_asset(asset.sys_id, {"tag": "A-2"})
    await here.apply()
    assert (await here.device(device["serial_number"]))["asset_tag"] == "A-2"


async def test_a_device_that_changed_hands_goes_back_to_whom_it_was_with(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    serial = device["serial_number"]
    await give(here, device, other["user"])
    run = await here.apply()

    back = await here.undo(run)

    assert await here.syncs.counts(back.id) == {"done": 2}
    assert await holder(here, serial) == device["user"]["email"]
    assert await is_quiet(here)
    await give(here, device, None)
    await here.apply()
    assert await holder(here, serial) is None


async def test_a_check_in_goes_back(here: Office) -> None:
    device = await owned(here)
    await give(here, device, None)
    run = await here.apply()

    await here.undo(run)

    assert await holder(here, device["serial_number"]) == device["user"]["email"]
    assert await is_quiet(here)


async def test_an_undo_of_an_undo_is_as_it_was_after_the_run(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    await give(here, device, other["user"])
    await tag(here, device, "K-1")
    run = await here.apply()

    again = await here.undo(await here.undo(run))

    assert await here.syncs.counts(again.id) == {"done": 3}
    assert await holder(here, device["serial_number"]) == other["user"]["email"]
    assert (await here.asset(device["serial_number"])).tag == "K-1"
    assert await is_quiet(here)


async def test_a_checkout_to_a_person_who_was_created_by_the_same_run_goes_back(here: Office) -> None:
    device, user = await owned(here), await newcomer(here)
    await give(here, device, user)
    run = await here.apply()
    assert await holder(here, device["serial_number"]) == user["email"]

    back = await here.undo(run)

    assert (await here.syncs.counts(back.id)).keys() == {"done"}
    assert await holder(here, device["serial_number"]) == device["user"]["email"]
    assert await is_quiet(here)


async def test_what_somebody_edited_since_is_left_alone(here: Office) -> None:
    device = await owned(here)
    await tag(here, device, "K-1")
    run = await here.apply()
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "A-9"})

    back = await here.undo(run)

    assert await here.syncs.counts(back.id) == {"stale": 1}
    assert (await here.asset(device["serial_number"])).tag == "A-9"
    await here.apply()
    assert (await here.device(device["serial_number"]))["asset_tag"] == "A-9"


async def test_created_assets_stay_and_the_plan_says_so(here: Office) -> None:
    here.tenant.tenant.devices.add(2, at_front=False)
    run = await here.apply()

    back = await here.undo(run)

    assert await here.lines(back) == []
    assert any("assets that were created stay" in each["why"] for each in (back.said or {})["warnings"])
    assert await is_quiet(here)


async def test_a_tag_that_a_new_asset_was_given_stays_on_both_sides(tmp_path: Path) -> None:
    """Else they would differ for good."""
    create = {"default_category": "Laptops", "asset_tag": "KND-{serial}"}
    fields = [{"to": "serial", "from": "serial_number"}, {"to": "tag", "from": "asset_tag", "direction": "both"}]
    async with office(tmp_path) as here:
        await here.set_up(create=create, fields=fields, safety=LOOSE)
        for device in await here.devices():
            await here.kandji("PATCH", f"/devices/{device['device_id']}", {"asset_tag": None})
        run = await here.apply()
        tagged = {line.change.target for line in await here.lines(run, "update_device") if line.status == "done"}

        await here.undo(run)

        assert tagged
        told = {each["device_id"]: each["asset_tag"] for each in await here.devices() if each["device_id"] in tagged}
        assert all(found.startswith("KND-") for found in told.values())
