"""Details of devices: so many a run, new ones first, all within a day; and what was not read is not empty."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from connector.sync.apply import reading
from tests.connector.sync.office import FIELDS, Office
from tests.connector.sync.trouble import fault, mended, synced, tag

BRAND = {"to": "brand", "from": "details.hardware_overview.model_identifier"}
MANY = 4  # details of a run


@pytest_asyncio.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(reading, "LEAST", MANY)
    async with synced(tmp_path) as found:
        await found.set_up(fields=[*FIELDS, BRAND])
        yield found


def read(here: Office) -> list[str]:
    """Of which devices details were read since requests were forgotten."""
    found = [each.split("/")[2] for each in here.requests() if each.endswith("/details")]
    here.forget_requests()
    return found


async def test_all_are_read_in_turns(here: Office) -> None:
    rounds = []
    for _ in range(3):
        await here.apply()
        rounds.append(read(here))

    assert [len(each) for each in rounds] == [MANY] * 3
    assert Counter(id_ for each in rounds for id_ in each) == Counter(
        each["device_id"] for each in await here.devices()
    )
    assets = await here.assets()
    assert all(assets[each["serial_number"]].at("brand") for each in await here.devices())


async def test_what_was_not_read_is_not_empty(here: Office) -> None:
    """Not even where empty values are to travel."""
    await here.set_up(fields=[*FIELDS, BRAND | {"when_empty": "clear"}])
    for _ in range(3):
        await here.apply()
    before = {key: asset.at("brand") for key, asset in (await here.assets()).items()}

    run = await here.apply()

    assert await here.lines(run) == []
    assert {key: asset.at("brand") for key, asset in (await here.assets()).items()} == before


async def test_new_devices_come_first(here: Office) -> None:
    for _ in range(3):
        await here.apply()
    new = here.tenant.tenant.devices.add(2, at_front=False)
    ids = {here.tenant.tenant.devices.record(index)["device_id"] for index in new}
    read(here)

    await here.apply()

    assert ids <= set(read(here))


async def test_devices_that_are_never_linked_do_not_keep_others_from_being_read(here: Office) -> None:
    """Devices out of scope are not read at all, and those that are held take turns with the rest."""
    names = [each["serial_number"] for each in await here.devices()][:5]
    for _ in range(3):
        await here.apply()
    await here.set_up(scope={"exclude": {"serial": names}}, create={"assets": "no"})
    new = here.tenant.tenant.devices.add(6, at_front=False)
    read(here)

    for _ in range(4):
        await here.apply()

    wanted = {each["device_id"] for each in await here.devices() if each["serial_number"] not in names}
    strangers = {here.tenant.tenant.devices.record(index)["device_id"] for index in new}
    found = set(read(here))
    assert wanted - strangers <= found
    assert not {each["device_id"] for each in await here.devices() if each["serial_number"] in names} & found


@pytest.mark.parametrize("status", [404, 500])
async def test_a_device_without_readable_details_stops_nothing(here: Office, status: int) -> None:
    """It may be gone since it was listed; the run says so, and it is read again in its turn."""
    device = (await here.devices())[0]
    await tag(here, device, "K-1")
    fault(here, "status", "GET", f"/devices/{device['device_id']}/details", status=status, times=None)

    run = await here.apply()
    first = read(here)
    await here.apply()

    assert run.state == "succeeded"
    assert [each["about"] for each in (run.said or {})["warnings"]] == [
        f"{device['device_name']} ({device['serial_number']})"
    ]
    assert (await here.asset(device["serial_number"])).tag == "K-1"
    assert device["device_id"] in first
    assert device["device_id"] not in read(here)
    mended(here)


async def test_a_plan_that_is_only_looked_at_takes_nobodys_turn(here: Office) -> None:
    await here.plan()
    first = read(here)

    await here.apply()

    assert read(here) == first


async def test_what_a_plan_from_before_took_from_details_is_written(here: Office) -> None:
    """They are not read again for it."""
    plan = await here.plan()
    read(here)

    run = await here.apply(plan)

    assert (await here.syncs.counts(run.id), read(here)) == ({"done": MANY}, [])
