"""Values that a service keeps in another form: no eternal change, and no way back that would destroy the original."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.connector.sync.office import FIELDS, Office
from tests.connector.sync.trouble import owned, synced, tag

BOTH = [FIELDS[0], {"to": "description", "from": "asset_tag", "direction": "both", "winner": "asset"}]
TEXTS = [
    "<b>5 & 6</b>",
    "&lt;b&gt; &amp;amp;",
    "日本 \U0001f4bb é e\u0301",
    "tab\tand\nline",
    "  two  blanks  ",
    "007",
    "1e5",
    "null",
]


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path, fields=BOTH) as found:
        yield found


async def test_what_is_cut_does_not_travel_back(here: Office) -> None:
    device, long = await owned(here), "x" * 300
    await tag(here, device, long)

    await here.apply()
    run = await here.apply()

    assert (await here.asset(device["serial_number"])).at("description") == "x" * 256
    assert (await here.lines(run), (await here.device(device["serial_number"]))["asset_tag"]) == ([], long)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"description": "short"})
    await here.apply()
    assert (await here.device(device["serial_number"]))["asset_tag"] == "short"


async def test_a_tag_that_is_too_long_is_refused_and_not_cut(here: Office) -> None:
    """Cut short it would name something else."""
    await here.set_up(fields=FIELDS)
    await here.apply()
    device = await owned(here)
    before = (await here.asset(device["serial_number"])).tag
    await tag(here, device, "T" * 49)

    run = await here.apply()
    await here.apply()

    assert [line.status for line in await here.lines(run) if line.change.field == "tag"] == ["refused"]
    assert (await here.asset(device["serial_number"])).tag == before
    assert (await here.device(device["serial_number"]))["asset_tag"] == "T" * 49


@pytest.mark.parametrize("text", TEXTS)
async def test_any_text_is_written_once_from_kandji(here: Office, text: str) -> None:
    device = await owned(here)
    await tag(here, device, text)

    await here.apply()
    run = await here.apply()

    assert await here.lines(run) == []
    assert (await here.device(device["serial_number"]))["asset_tag"] == text


@pytest.mark.parametrize("text", TEXTS)
async def test_any_text_is_written_once_from_assetbots(here: Office, text: str) -> None:
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"description": text})
    kept = (await here.asset(device["serial_number"])).at("description")

    await here.apply()
    run = await here.apply()

    assert await here.lines(run) == []
    assert (await here.asset(device["serial_number"])).at("description") == kept
