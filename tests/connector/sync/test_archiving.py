"""The built-in asset system in a sync with Kandji: assets of devices that leave are put away, and brought back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from connector.sync.systems.file import FileAssets
from tests.connector.sync.office import FIELDS, NAME, Office, office
from tests.connector.sync.trouble import LOOSE

TAGS = [FIELDS[0], FIELDS[1] | {"winner": "asset"}, {"to": "name", "from": "device_name"}]


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as found:
        mapping = found.mapping | {"assets": {"kind": "file"}, "fields": TAGS, "safety": LOOSE}
        mapping |= {"missing": {"after_runs": 1, "then": "archive"}}
        sync = await found.syncs.create(NAME, json.dumps(mapping))
        assets = found.syncs.both(sync).assets
        assert isinstance(assets, FileAssets)
        found.system = assets
        yield found


async def test_an_asset_is_put_away_and_brought_back(here: Office) -> None:
    await here.apply()
    device = (await here.devices())[0]
    devices = here.tenant.tenant.devices
    devices.remove(devices.index(device["device_id"]) or 0)

    gone = await here.apply()
    archived = (await here.asset(device["serial_number"])).archived
    quiet = await here.apply()
    devices._removed.clear()
    back = await here.apply()
    last = await here.apply()

    assert [line.change.op for line in await here.lines(gone)] == ["archive"]
    assert (archived, (await here.asset(device["serial_number"])).archived) == (True, False)
    assert [line.change.op for line in await here.lines(back)] == ["restore"]
    assert (await here.lines(quiet), await here.lines(last)) == ([], [])


async def test_a_tag_that_the_asset_system_makes_is_told_once(here: Office) -> None:
    """And an undo leaves it with its asset."""
    bare = [each["serial_number"] for each in await here.devices() if not each["asset_tag"]]
    assert bare

    run = await here.apply()
    quiet = await here.apply()

    made = {serial: (await here.asset(serial)).tag for serial in bare}
    assert {serial: (await here.device(serial))["asset_tag"] for serial in bare} == made
    assert await here.lines(quiet) == []
    back = await here.undo(run)
    assert await here.lines(back) == []
