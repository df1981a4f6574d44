"""What the sync does not decide, over HTTP: it is held and listed, and neither side is touched."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from connector.sync.store.runs import SyncRun
from tests.connector.sync.office import FIELDS, NAME, Office
from tests.connector.sync.trouble import give, holder, newcomer, owned, synced, tag, writes


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


async def held(here: Office) -> tuple[SyncRun, list[str]]:
    """A run, and what it held."""
    here.forget_requests()
    run = await here.apply()
    return run, [hold["kind"] for hold in (run.said or {})["holds"]]


async def test_two_assets_with_one_serial_number(here: Office) -> None:
    device = await owned(here)
    await here.system.create_asset({"serial": device["serial_number"], "category": "Laptops", "tag": "COPY"})
    await tag(here, device, "K-1")

    run, kinds = await held(here)

    assert kinds == ["duplicate_serial"]
    assert (await here.lines(run), writes(here)) == ([], [])


async def test_two_devices_with_one_serial_number(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    thing = here.tenant.tenant.devices
    records, serial = thing.record, device["serial_number"]

    def same(index: int) -> dict[str, Any]:
        found = records(index)
        return {**found, "serial_number": serial} if found["device_id"] == other["device_id"] else found

    thing.record = same  # type: ignore[method-assign]  # what the sandbox itself never has
    await tag(here, device, "K-1")

    run, kinds = await held(here)

    assert kinds == ["duplicate_serial"]
    assert (await here.lines(run), writes(here)) == ([], [])


async def test_a_user_whose_email_several_people_have(here: Office) -> None:
    device, user = await owned(here), await newcomer(here)
    for name in ("One", "Two"):
        await here.system.create_person({"name": f"Somebody {name}", "email": user["email"]})
    await give(here, device, user)

    run, kinds = await held(here)

    assert kinds == ["ambiguous_person"]
    assert (await here.lines(run), writes(here)) == ([], [])
    assert await holder(here, device["serial_number"]) == device["user"]["email"]


async def test_a_conflict_where_nobody_wins(here: Office) -> None:
    rows = [row | {"winner": "hold"} if row["to"] == "tag" else row for row in FIELDS]
    await here.set_up(fields=rows)
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})
    await tag(here, device, "K-1")

    run, kinds = await held(here)

    assert (kinds, await here.lines(run), writes(here)) == (["conflict"], [], [])
    await tag(here, device, "A-1")
    assert (await held(here))[1] == []


async def test_an_asset_at_a_location_is_left_alone(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    database = here.workspace.database
    await here.system.check_in(asset.sys_id, "back")
    place = next(iter(database.locations))
    things = [database.assets[asset.sys_id]]
    database.check_out(things, person_id=None, location_id=place, date="2026-01-15T09:00:00Z", due=None, note=None)

    quiet, _ = await held(here)
    await give(here, device, None)
    run, kinds = await held(here)

    assert await here.lines(quiet) == []
    assert (kinds, await here.lines(run), writes(here)) == ([], [], [])
    assert "is checked out to a location" in str((run.said or {})["warnings"])


async def test_an_archived_asset_is_left_alone(here: Office) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    here.workspace.database.assets[asset.sys_id].own["archived"] = True
    await tag(here, device, "K-1")

    run, kinds = await held(here)

    assert (kinds, await here.lines(run), writes(here)) == (["asset_archived"], [], [])
    here.workspace.database.assets[asset.sys_id].own["archived"] = False
    await held(here)
    assert (await here.asset(device["serial_number"])).tag == "K-1"


async def test_a_linked_asset_whose_serial_number_changed(here: Office) -> None:
    """It may be another machine now: nothing of it is written over, until it is corrected or the link removed."""
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"serial": "C02OTHER"})
    await tag(here, device, "K-1")

    run, kinds = await held(here)

    assert kinds == ["another_machine"]
    assert (await here.lines(run), writes(here)) == ([], [])
    await here.syncs.unlink(NAME, f"device/{asset.sys_id}")
    later = await here.apply()
    assert [line.change.op for line in await here.lines(later)][:1] == ["create_asset"]
    assert (await here.asset(device["serial_number"])).sys_id != asset.sys_id
