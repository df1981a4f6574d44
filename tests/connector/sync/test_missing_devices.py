"""Devices that leave: counted by runs, then marked, checked in or put away; and what comes back is taken up again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.sync.store import memory
from connector.sync.store.tables import sync_links
from tests.connector.sync.office import NAME, Office
from tests.connector.sync.trouble import holder, owned, synced, tag, writes


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


def leaves(here: Office, device: dict[str, Any]) -> None:
    devices = here.tenant.tenant.devices
    devices.remove(devices.index(device["device_id"]) or 0)


def returns(here: Office) -> None:
    here.tenant.tenant.devices._removed.clear()


async def state(here: Office, asset: str) -> tuple[str, int]:
    links = await here.upcard.host.store.run(lambda db: memory.links(db, NAME))
    (link,) = [each for each in links if each.sys_id == asset]
    return link.state, link.absent


async def test_a_device_that_is_gone_is_marked_after_three_runs_once(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    leaves(here, device)

    found = [[line.change.op for line in await here.lines(await here.apply())] for _ in range(5)]

    assert found == [[], [], ["mark"], [], []]
    notes = [note.value for note in here.workspace.database.notes.values() if note.target_id == asset.sys_id]
    assert sum("its device is gone for 3 runs" in note for note in notes) == 1
    assert await state(here, asset.sys_id) == ("missing", 3)
    assert await holder(here, device["serial_number"]) == device["user"]["email"]


async def test_plans_and_pushes_are_no_runs_without_it(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    leaves(here, device)
    await here.syncs.change(NAME, enabled=True)
    await here.look()

    for _ in range(4):
        await here.plan()
        await here.syncs.announce(NAME, [asset.sys_id], "hook")
        await here.look()

    assert await state(here, asset.sys_id) == ("active", 1)


async def test_it_comes_back_before_and_after_it_was_marked(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    leaves(here, device)
    await here.apply()
    returns(here)
    await here.apply()
    before = await state(here, asset.sys_id)
    leaves(here, device)
    for _ in range(3):
        await here.apply()
    returns(here)
    await tag(here, device, "K-1")

    run = await here.apply()

    assert (before, await state(here, asset.sys_id)) == (("active", 0), ("active", 0))
    assert {line.change.op for line in await here.lines(run)} == {"restore", "update_asset"}
    assert (await here.asset(device["serial_number"])).tag == "K-1"


async def test_a_device_that_is_gone_is_checked_in_where_the_mapping_says_so(here: Office) -> None:
    await here.set_up(missing={"after_runs": 1, "then": "check_in"})
    device = await owned(here)
    serial = device["serial_number"]
    leaves(here, device)

    run = await here.apply()
    again = await here.apply()

    assert [line.change.op for line in await here.lines(run)] == ["check_in"]
    assert (await holder(here, serial), await here.lines(again)) == (None, [])
    returns(here)
    await here.apply()
    last = await here.apply()
    assert await here.lines(last) == []
    assert await holder(here, serial) == device["user"]["email"]


async def test_is_missing_is_no_absence(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that did not check in for long is one that Kandji has."""
    device = await owned(here)
    records = here.tenant.tenant.devices.record
    monkeypatch.setattr(here.tenant.tenant.devices, "record", lambda index: {**records(index), "is_missing": True})
    assert (await here.device(device["serial_number"]))["is_missing"]
    here.forget_requests()

    for _ in range(4):
        assert await here.lines(await here.apply()) == []

    assert writes(here) == []


async def test_a_device_that_is_enrolled_again_keeps_its_asset_and_what_was_agreed(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    links = await here.upcard.host.store.run(lambda db: memory.links(db, NAME))
    (link,) = [each for each in links if each.sys_id == asset.sys_id]
    await renamed(here, link.mdm_id, "an-old-id")
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})

    run = await here.apply()

    found = {line.change.op: line.status for line in await here.lines(run)}
    assert found == {"move_link": "done", "update_device": "done"}
    assert (await here.device(device["serial_number"]))["asset_tag"] == "A-1"
    assert await here.lines(await here.apply()) == []


async def renamed(here: Office, before: str, after: str) -> None:
    """The link as if the device had another ID when it was linked."""
    known = sync_links.c
    changed = sa.update(sync_links).where(known.sync == NAME, known.mdm_id == before).values(mdm_id=after)
    await here.upcard.host.store.run(lambda db: db.execute(changed))
