"""The sync with Snipe-IT: what the guide says of Assetbots, and what only Snipe-IT has."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from connector.sync.store.runs import SyncRun
from sandbox.faults import Fault
from sandbox.snipeit.database import Database
from sandbox.snipeit.facts import ARCHIVED
from tests.connector.sync.office import NAME, Office, snipeit_office
from tests.connector.sync.test_guide import (  # noqa: F401  the guide, once more
    test_a_checkout_to_a_person_whom_kandji_does_not_know_is_sent_when_the_user_appears,
    test_an_asset_tag_that_is_not_two_way_stays_in_assetbots,
    test_changes_made_in_assetbots_are_synced_to_kandji_immediately,
    test_existing_person_records_are_merged_by_email_then_by_name,
    test_import_device_assignment_from_kandji_into_assetbots_as_checkouts,
    test_import_device_users_from_kandji_into_assetbots,
    test_import_devices_from_kandji_into_assetbots,
    test_skip_a_field_to_un_map_it,
    test_sync_asset_tag_ids_from_assetbots_to_kandji,
    test_sync_assignment,
    test_sync_check_ins_from_assetbots_to_kandji_as_device_assignments,
    test_sync_checkouts_from_assetbots_to_kandji_as_device_assignments,
)

LISTS = ["GET /devices", "GET /fields", "GET /hardware", "GET /hardware", "GET /users", "GET /users"]
VERSION = "OS Version"


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with snipeit_office(tmp_path) as found:
        await found.set_up()
        await found.kandji("PATCH", f"/devices/{(await found.devices())[1]['device_id']}", {"user": None})
        yield found


def database(here: Office) -> Database:
    found = here.workspace.database
    assert isinstance(found, Database)
    return found


async def again(here: Office) -> SyncRun:
    """A second sync, which has nothing to do."""
    here.forget_requests()
    run = await here.apply()
    assert await here.lines(run) == []
    return run


async def test_a_second_sync_asks_for_pages_of_lists_alone(here: Office) -> None:
    """Archived assets are in a list of their own."""
    await here.apply()

    run = await again(here)

    assert run.state == "succeeded"
    assert sorted(here.requests()) == LISTS


async def test_a_new_asset_is_of_a_model_named_after_its_category(here: Office) -> None:
    """One model for all, in the category, which is created too; each gets the next tag, and Kandji is told of it."""
    await here.set_up(create={"default_category": "Kandji & more"})
    before = len(database(here).models)

    await here.apply()

    device = (await here.devices())[0]
    asset = await here.asset(device["serial_number"])
    assert (asset.category, asset.at("model"), asset.status) == ("Kandji & more", "Kandji & more", "Ready to Deploy")
    assert len(database(here).models) == before + 1
    assert (asset.tag, bool(asset.tag)) == (device["asset_tag"], True)


async def test_models_and_custom_fields_come_from_kandji(here: Office) -> None:
    """A model for each, once, in a fieldset that has the fields."""
    rows = [{"to": "model", "from": "model"}, {"to": VERSION, "from": "os_version"}]
    await here.set_up(fields=[*here.mapping["fields"], *rows])

    run = await here.apply()

    models = [row.own["name"] for row in database(here).models.values()]
    device = (await here.devices())[0]
    asset = await here.asset(device["serial_number"])
    assert (asset.at("model"), asset.at(VERSION)) == (device["model"], device["os_version"])
    assert (run.state, len(models)) == ("succeeded", len(set(models)))
    await again(here)


async def test_a_field_is_created_where_the_mapping_says_so(here: Office) -> None:
    """In every fieldset, so that new models have it."""
    row = {"to": "Kandji's Blueprint", "from": "blueprint_name", "create": True}
    await here.set_up(fields=[*here.mapping["fields"], row])

    await here.apply()

    device = (await here.devices())[0]
    assert (await here.asset(device["serial_number"])).at("Kandji's Blueprint") == device["blueprint_name"]
    await again(here)


async def test_text_that_snipeit_escapes_is_no_change_for_ever(here: Office) -> None:
    """It is read as it was written."""
    device, tag = (await here.devices())[0], "O'Brien's <Mac> & \"more\""
    await here.kandji("PATCH", f"/devices/{device['device_id']}", {"asset_tag": tag})

    await here.apply()

    asset = await here.asset(device["serial_number"])
    assert (asset.tag, asset.at("name")) == (tag, device["device_name"])
    assert any("'" in str(each.at("name")) for each in await here.system.assets())
    await again(here)


async def test_assets_with_one_serial_number_are_held(here: Office) -> None:
    """Snipe-IT lets them have it; both are listed, and neither is touched."""
    serial = (await here.devices())[0]["serial_number"]
    one, two, _ = database(here).assets.values()
    one.own["serial"] = two.own["serial"] = serial

    run = await here.apply()

    holds = (run.said or {})["holds"]
    assert [(hold["kind"], serial in hold["why"]) for hold in holds] == [("duplicate_serial", True)]
    assert len([each for each in await here.system.assets() if each.serial == serial]) == 2


async def test_an_archived_asset_is_not_created_again(here: Office) -> None:
    """It is not in the usual list."""
    serial = (await here.devices())[0]["serial_number"]
    one = next(iter(database(here).assets.values()))
    one.own |= {"serial": serial, "status_id": ARCHIVED}

    run = await here.apply()

    assert [line for line in await here.lines(run, "create_asset") if serial in str(line.change.after)] == []
    assert len([each for each in await here.system.assets() if each.serial == serial]) == 1


async def test_a_sync_survives_that_it_is_throttled(here: Office) -> None:
    """By 429 in the middle; nothing is done twice."""
    fault: dict[str, Any] = {"status": 429, "retry_after": "0", "probability": 0.2}
    database(here).faults.add(Fault("status", **fault))

    run = await here.apply()

    database(here).faults.remove(None)
    serials = [each.serial for each in await here.system.assets()]
    assert (run.state, len(serials)) == ("succeeded", len(set(serials)))
    assert len(serials) == 3 + len(await here.devices())
    await again(here)


async def test_nothing_goes_in_and_out_for_nothing(here: Office) -> None:
    """A check-in frees licenses, and a checkout may write an email: one checkout for each device, no check-in."""
    there = len(database(here).events)

    await here.apply()
    await again(here)

    events = [event for event in database(here).events[there:] if event.action != "update"]
    out = [event.asset_id for event in events if event.action == "checkout"]
    owned = [each for each in await here.devices() if each["user"]]
    assert (len(out), len(set(out))) == (len(owned), len(owned))
    assert {event.action for event in events} == {"create", "checkout"}
    assert all((event.note or "").startswith("Upcard: ") for event in events if event.action == "checkout")


async def test_a_check_in_made_with_a_card_is_synced_immediately(here: Office) -> None:
    """Whoever calls the card: nobody has to announce it."""
    await here.apply()
    device = next(each for each in await here.devices() if each["user"])
    asset = (await here.asset(device["serial_number"])).sys_id
    await here.syncs.change(NAME, enabled=True)
    await here.look()

    inputs = {"asset_id": asset, "note": "back"}
    answer = await here.upcard.call("snipeit.check_in_asset", connection="office", inputs=inputs)
    await here.look()

    assert answer.json()["outputs"]["status_code"] == 200
    assert not (await here.device(device["serial_number"]))["user"]
