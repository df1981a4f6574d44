"""The flap guard: a field that goes to and fro is locked, and goes on when somebody unlocks it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.connector.sync.office import NAME, Office
from tests.connector.sync.trouble import give, holder, owned, synced, tag


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


async def in_turns(here: Office, turns: int) -> str:
    """Both sides change one tag in turns, each told to the other; the serial number of the device."""
    device = await owned(here)
    serial = str(device["serial_number"])
    asset = (await here.asset(serial)).sys_id
    for turn in range(turns):
        if turn % 2:
            await tag(here, device, f"K-{turn}")
        else:
            await here.system.update_asset(asset, {"tag": f"A-{turn}"})
        await here.apply()
    return serial


async def test_a_tag_that_turned_three_times_is_locked(here: Office) -> None:
    serial = await in_turns(here, 4)

    (lock,) = await here.syncs.locks(NAME)
    asset = await here.asset(serial)
    await here.system.update_asset(asset.sys_id, {"tag": "LAST"})
    run = await here.apply()

    assert (lock.link, lock.field, lock.by) == (f"device/{asset.sys_id}", "tag", "flap guard")
    assert await here.lines(run) == []
    assert "locked" in str((run.said or {})["warnings"])


async def test_two_turns_lock_nothing(here: Office) -> None:
    await in_turns(here, 3)

    assert await here.syncs.locks(NAME) == []


async def test_what_is_unlocked_goes_on(here: Office) -> None:
    """What it did before does not lock it again."""
    serial = await in_turns(here, 4)
    asset = await here.asset(serial)

    await here.syncs.unlock(NAME, f"device/{asset.sys_id}", "tag")
    await here.system.update_asset(asset.sys_id, {"tag": "LAST"})
    await here.apply()

    assert (await here.device(serial))["asset_tag"] == "LAST"
    assert await here.syncs.locks(NAME) == []


async def test_who_has_a_device_is_guarded_as_well(here: Office) -> None:
    device = await owned(here)
    serial, asset = device["serial_number"], (await here.asset(device["serial_number"])).sys_id

    await here.system.check_in(asset, "back")
    await here.apply()
    await give(here, device, device["user"])
    await here.apply()
    await here.system.check_in(asset, "back")
    await here.apply()
    await give(here, device, device["user"])
    await here.apply()

    assert await holder(here, serial) == device["user"]["email"]
    assert [lock.field for lock in await here.syncs.locks(NAME)] == ["assignee"]
