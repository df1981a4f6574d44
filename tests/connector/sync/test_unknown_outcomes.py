"""Connections that break on the way: what was done is found done, and what was not is done once, later."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.sync.store.tables import syncs
from sandbox.faults import Kind
from tests.connector.sync.office import NAME, Office
from tests.connector.sync.trouble import fault, give, holder, mended, newcomer, owned, synced, tag, writes

BROKEN: list[Kind] = ["lost_answer", "cut", "drop"]


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


async def is_quiet(here: Office) -> bool:
    """Nothing is left to do, and nothing waits for a person."""
    run = await here.plan()
    said = run.said or {}
    return await here.lines(run) == [] and said["holds"] == [] and run.state == "planned"


def twice(here: Office) -> set[str]:
    """Serial numbers that several assets have."""
    there = [str(thing.fields.get("serialNumber")) for thing in here.workspace.database.assets.values()]
    return {serial for serial, count in Counter(there).items() if count > 1}


@pytest.mark.parametrize("kind", BROKEN)
async def test_an_asset_is_created_once(here: Office, kind: Kind) -> None:
    here.tenant.tenant.devices.add(2, at_front=False)
    fault(here, kind, "POST", "/assets")

    run = await here.apply()
    await here.apply()

    assert run.state == "succeeded"
    assert twice(here) == set()
    assert {each["serial_number"] for each in await here.devices()} <= (await here.assets()).keys()
    assert await is_quiet(here)


@pytest.mark.parametrize("kind", BROKEN)
async def test_an_asset_whose_creation_cannot_even_be_looked_up_is_created_once(here: Office, kind: Kind) -> None:
    here.tenant.tenant.devices.add(1, at_front=False)
    fault(here, kind, "POST", "/assets")
    fault(here, "status", "GET", "/assets", status=503, after=1, times=4)

    await here.apply()
    await here.apply()

    assert twice(here) == set()
    assert await is_quiet(here)


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_person_is_created_once(here: Office, kind: Kind) -> None:
    device, user = await owned(here), await newcomer(here)
    await give(here, device, user)
    fault(here, kind, "POST", "/people")

    await here.apply()
    await here.apply()

    assert [person.email for person in await here.system.people()].count(user["email"]) == 1
    assert await holder(here, device["serial_number"]) == user["email"]
    assert await is_quiet(here)


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("path", ["/check-ins", "/checkouts"])
async def test_a_device_changes_hands_once(here: Office, kind: Kind, path: str) -> None:
    device, other = await owned(here), await owned(here, 3)
    await give(here, device, other["user"])
    fault(here, kind, "POST", path)

    await here.apply()
    await here.apply()

    assert await holder(here, device["serial_number"]) == other["user"]["email"]
    assert Counter(writes(here))["POST /checkouts"] <= 2
    assert await is_quiet(here)


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("times", [4, 16, 20])
async def test_a_device_changes_hands_though_nobody_knows_for_a_while(here: Office, kind: Kind, times: int) -> None:
    """The check-in is lost, and so is the look at what became of it."""
    device, other = await owned(here), await owned(here, 3)
    asset = (await here.asset(device["serial_number"])).sys_id
    await give(here, device, other["user"])
    fault(here, kind, "POST", "/check-ins")
    fault(here, "status", "GET", f"/assets/{asset}", status=503, after=1, times=times)

    await here.apply()
    mended(here)
    await here.apply()

    assert await holder(here, device["serial_number"]) == other["user"]["email"]
    assert await is_quiet(here)


@pytest.mark.parametrize("times", [4, 20])
async def test_a_check_in_that_is_done_and_not_confirmed_is_no_edit_of_anybody(here: Office, times: int) -> None:
    device, other = await owned(here), await owned(here, 3)
    asset = (await here.asset(device["serial_number"])).sys_id
    await give(here, device, other["user"])
    fault(here, "status", "GET", f"/assets/{asset}", status=503, after=1, times=times)

    await here.apply()
    mended(here)
    await here.apply()

    assert await holder(here, device["serial_number"]) == other["user"]["email"]
    assert await is_quiet(here)


@pytest.mark.parametrize("kind", BROKEN)
async def test_an_asset_is_updated_once(here: Office, kind: Kind) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await tag(here, device, "K-1")
    fault(here, kind, "POST", f"/assets/{asset.sys_id}")

    await here.apply()
    await here.apply()

    assert (await here.asset(device["serial_number"])).tag == "K-1"
    assert len([each for each in writes(here) if each == f"POST /assets/{asset.sys_id}"]) == (
        2 if kind == "drop" else 1
    )
    assert await is_quiet(here)


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_device_is_updated_once(here: Office, kind: Kind) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})
    await here.system.check_in(asset.sys_id, "back")
    here.forget_requests()
    fault(here, kind, "PATCH", "/devices/*", times=2)

    await here.apply()
    found = await here.apply()

    now = await here.device(device["serial_number"])
    assert (now["asset_tag"], now["user"] or None) == ("A-1", None)
    assert len([each for each in writes(here) if each.startswith("PATCH")]) == (4 if kind == "drop" else 2)
    assert found.state == "succeeded"
    assert await is_quiet(here)
    assert await here.syncs.outbox(NAME) == []


async def test_what_became_clear_since_is_not_asked_again(here: Office) -> None:
    """A tag that was told by a later push, changed, and set back in Kandji: that is an edit, and no late success."""
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": "A-1"})
    fault(here, "drop", "PATCH", "/devices/*")
    await here.apply()
    await here.syncs.change(NAME, enabled=True)
    await here.upcard.host.store.run(lambda db: db.execute(sa.update(syncs).values(due=None)))
    for value in ("A-1", "A-2"):
        await here.system.update_asset(asset.sys_id, {"tag": value})
        await here.syncs.announce(NAME, [asset.sys_id], "hook")
        assert [run.mode for run in await here.look()] == ["push"]
    assert (await here.device(device["serial_number"]))["asset_tag"] == "A-2"

    await tag(here, device, "A-1")
    await here.apply()

    assert (await here.asset(device["serial_number"])).tag == "A-1"
