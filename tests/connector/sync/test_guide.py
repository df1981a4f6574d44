"""What the guide of the Assetbots + Kandji integration says, a test for each sentence, over HTTP on both sides."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connector.sdk.errors import InvalidCall
from sandbox.kandji.state.tokens import Token
from tests.connector.sync.office import NAME, Office, office


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as found:
        await found.set_up()
        await found.kandji("PATCH", f"/devices/{(await found.devices())[1]['device_id']}", {"user": None})
        yield found


async def test_import_devices_from_kandji_into_assetbots(here: Office) -> None:
    """Each device is an asset, with what is mapped; what was there stays."""
    before = await here.assets()

    run = await here.apply()

    after = await here.assets()
    assert run.state == "succeeded"
    assert {each["serial_number"] for each in await here.devices()} | before.keys() == after.keys()
    assert {key: after[key] for key in before} == before
    one = (await here.devices())[0]
    assert (after[one["serial_number"]].at(here.label), after[one["serial_number"]].tag) == (
        one["device_name"],
        one["asset_tag"] or None,
    )


async def test_import_device_users_from_kandji_into_assetbots(here: Office) -> None:
    """Everybody who has a device is a person, with name and email."""
    await here.apply()

    users = {user["email"]: user["name"] for each in await here.devices() if (user := each["user"])}
    found = await here.people()
    assert users.items() <= {email: person.name for email, person in found.items()}.items()


async def test_import_device_assignment_from_kandji_into_assetbots_as_checkouts(here: Office) -> None:
    await here.apply()

    people, assets = {each.sys_id: each.email for each in (await here.people()).values()}, await here.assets()
    for device in await here.devices():
        who = assets[device["serial_number"]].assignee
        assert people.get(who.id or "") == (device["user"]["email"] if device["user"] else None)


async def test_a_second_sync_changes_nothing(here: Office) -> None:
    """And takes no request but for the pages of the lists."""
    await here.apply()
    here.forget_requests()

    run = await here.apply()

    assert (await here.lines(run), run.state) == ([], "succeeded")
    assert sorted(here.requests()) == ["GET /assets", "GET /devices", "GET /people", "GET /users"]


async def given(here: Office, *, owned: bool = True) -> tuple[dict[str, Any], str]:
    """A device that somebody has, or nobody, after the first sync; and its asset."""
    await here.apply()
    device = next(each for each in await here.devices() if bool(each["user"]) is owned)
    return device, (await here.asset(device["serial_number"])).sys_id


async def test_sync_check_ins_from_assetbots_to_kandji_as_device_assignments(here: Office) -> None:
    device, asset = await given(here)

    await here.system.check_in(asset, "back")
    await here.apply()

    assert not (await here.device(device["serial_number"]))["user"]


async def test_sync_checkouts_from_assetbots_to_kandji_as_device_assignments(here: Office) -> None:
    device, asset = await given(here)
    other = next(each["user"] for each in await here.devices() if each["user"] and each["user"] != device["user"])

    await here.system.check_in(asset, "back")
    await here.system.check_out(asset, (await here.people())[other["email"]].sys_id, "yours")
    await here.apply()

    assert (await here.device(device["serial_number"]))["user"]["email"] == other["email"]


async def test_sync_asset_tag_ids_from_assetbots_to_kandji(here: Office) -> None:
    device, asset = await given(here)

    await here.system.update_asset(asset, {"tag": "NEW-1"})
    await here.apply()

    assert (await here.device(device["serial_number"]))["asset_tag"] == "NEW-1"


async def test_an_asset_tag_that_is_not_two_way_stays_in_assetbots(here: Office) -> None:
    """The two-way sync of the Asset Tag is a choice."""
    await here.set_up(fields=[row for row in here.mapping["fields"] if row["to"] != "tag"])
    device, asset = await given(here)

    await here.system.update_asset(asset, {"tag": "NEW-1"})
    await here.apply()

    assert (await here.device(device["serial_number"]))["asset_tag"] == device["asset_tag"]


async def test_skip_a_field_to_un_map_it(here: Office) -> None:
    fields = here.mapping["fields"]
    skipped: list[dict[str, Any]] = [{**row, "skip": True} if row["to"] == here.label else row for row in fields]
    await here.set_up(fields=skipped)

    await here.apply()

    first = (await here.devices())[0]["serial_number"]
    assert (await here.asset(first)).at(here.label) is None


async def test_an_auto_mapping_of_kandji_properties_to_assetbots_fields(here: Office) -> None:
    """Sure ones are mapped, each with a reason; all others are there, to be reviewed."""
    some = next(iter((await here.assets()).values()))
    await here.system.update_asset(some.sys_id, {"osVersion": "15.1"})

    text = await here.upcard.host.proposals.first("acme", "office", "assetbots")

    lines = {line.partition("#")[0].strip(): line.partition("#")[2].strip() for line in text.splitlines()}
    assert lines["- { to: osVersion, from: os_version, direction: mdm_to_asset }"] == "the same name"
    assert lines["- { to: model, from: model, direction: mdm_to_asset }"] == "the same key"
    assert all(f"from: {name}" in text for name in ("last_check_in", "blueprint_name", "details.network.mac_address"))
    assert await here.syncs.create("proposed", text)


async def test_imported_devices_are_placed_into_the_default_category(here: Office) -> None:
    await here.set_up(create={"default_category": "Phones"})

    held = await here.apply()

    await here.set_up(create={"default_category": "Laptops"})
    await here.apply()
    first = (await here.devices())[0]["serial_number"]
    assert [hold["kind"] for hold in (held.said or {})["holds"]] == ["no_category"]
    assert (await here.asset(first)).category == "Laptops"


async def test_you_can_freely_edit_the_category_of_imported_devices(here: Office) -> None:
    """The default is for creation only."""
    _, asset = await given(here)
    there = {each.category for each in await here.system.assets()} - {"Laptops", None}

    await here.system.update_asset(asset, {"category": sorted(map(str, there))[0]})
    run = await here.apply()

    assert await here.lines(run) == []


@pytest.mark.parametrize(
    ("direction", "imported", "exported"), [("both", True, True), ("mdm_to_asset", True, False), ("none", False, False)]
)
async def test_sync_assignment(here: Office, direction: str, imported: bool, exported: bool) -> None:
    """Yes, in both directions; yes, from Kandji to Assetbots; no."""
    await here.set_up(assignment={"direction": direction})
    device, asset = await given(here)
    had = (await here.asset(device["serial_number"])).assignee.kind == "person"

    if had:
        await here.system.check_in(asset, "back")
    else:
        await here.system.check_out(asset, next(iter((await here.people()).values())).sys_id, "yours")
    await here.apply()

    now = (await here.device(device["serial_number"]))["user"]
    assert (had, now != device["user"]) == (imported, exported)


async def test_enabling_needs_a_category(here: Office) -> None:
    """API URL and token are the connection's, and were checked when it was made."""
    await here.set_up(create={})

    with pytest.raises(InvalidCall, match="new assets need a category"):
        await here.syncs.change(NAME, enabled=True)


async def test_your_first_sync_starts_shortly_after_enable(here: Office) -> None:
    await here.syncs.change(NAME, enabled=True)

    (run,) = await here.look()

    assert (run.mode, run.by, run.state) == ("apply", "schedule", "succeeded")
    assert len(await here.assets()) > 3


async def test_changes_are_imported_about_every_20_minutes(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """With some jitter; a run that comes while another is at work is left out."""
    sync = await here.syncs.change(NAME, enabled=True)
    await here.look()
    due = (await here.syncs.get(NAME)).due or 0

    assert 20 * 60 - 30 < due - (sync.due or 0) < 22 * 60
    assert await here.look() == []
    monkeypatch.setattr("time.time", lambda: due + 1)
    await here.syncs.plan(NAME, "a person")
    await here.schedule.look()
    assert [run.mode for run in (await here.syncs.runs(NAME, None, 9))[0]] == ["plan", "apply"]


@pytest.mark.parametrize("change", ["checkout", "check_in", "tag"])
async def test_changes_made_in_assetbots_are_synced_to_kandji_immediately(here: Office, change: str) -> None:
    """Announced on the hook, an asset is read and Kandji is told, with a handful of requests."""
    device, asset = await given(here, owned=change == "check_in")
    await here.syncs.change(NAME, enabled=True)
    await here.look()
    other = next(each["user"] for each in await here.devices() if each["user"])
    people = await here.people()
    here.forget_requests()

    if change == "checkout":
        await here.system.check_out(asset, people[other["email"]].sys_id, "yours")
    elif change == "check_in":
        await here.system.check_in(asset, "back")
    else:
        await here.system.update_asset(asset, {"tag": "NEW-2"})
    assert await here.syncs.announce(NAME, [asset], "hook") == [asset]
    (run,) = await here.look()

    now = await here.device(device["serial_number"])
    told = {"checkout": bool(now["user"]), "check_in": not now["user"], "tag": now["asset_tag"] == "NEW-2"}
    assert (run.mode, run.state, told[change]) == ("push", "succeeded", True)
    assert await here.syncs.outbox(NAME) == []
    assert len(here.requests()) < 30


async def test_a_checkout_made_with_a_card_is_synced_immediately(here: Office) -> None:
    """Whoever calls the card: nobody has to announce it."""
    device, asset = await given(here)
    await here.syncs.change(NAME, enabled=True)
    await here.look()

    answer = await here.upcard.call("assetbots.check_in_assets", connection="office", inputs={"asset_ids": [asset]})
    await here.look()

    assert answer.status_code == 200
    assert not (await here.device(device["serial_number"]))["user"]


async def test_a_checkout_to_a_person_whom_kandji_does_not_know_is_sent_when_the_user_appears(here: Office) -> None:
    """Kandji cannot create users: it stays in the outbox, with its reason."""
    users, gone = here.tenant.tenant.users, 3
    email = users.person(gone).email
    for index in here.tenant.tenant.devices.owned_by(gone):
        here.tenant.tenant.devices.remove(index)
    users.delete(gone)
    device, asset = await given(here, owned=False)
    await here.syncs.change(NAME, enabled=True)
    await here.look()
    stranger = await here.system.create_person({"name": "Somebody New", "email": email})

    await here.system.check_out(asset, stranger.sys_id, "yours")
    await here.syncs.announce(NAME, [asset], "hook")
    await here.look()

    (entry,) = await here.syncs.outbox(NAME)
    assert (entry.asset, entry.value) == (asset, email)
    assert entry.why == f"cannot: no Kandji user for {email}"
    assert not (await here.device(device["serial_number"]))["user"]
    await here.apply()
    assert len(await here.syncs.outbox(NAME)) == 1

    users._deleted.clear()
    await here.apply()

    assert (await here.device(device["serial_number"]))["user"]["email"] == email
    assert await here.syncs.outbox(NAME) == []


async def test_existing_person_records_are_merged_by_email_then_by_name(here: Office) -> None:
    """If a match is not found a new person is created."""
    users = [each["user"] for each in await here.devices() if each["user"]][:3]
    by_email = await here.system.create_person({"name": "Another Name", "email": users[0]["email"].upper()})
    by_name = await here.system.create_person({"name": users[1]["name"]})
    there = len(await here.system.people())

    run = await here.apply()

    found = await here.people()
    links = {line.change.target: line.change.why for line in await here.lines(run, "link")}
    assert (links[by_email.sys_id], links[by_name.sys_id]) == ("the same email", "the same name")
    assert found[users[1]["email"]].sys_id == by_name.sys_id
    everybody = {each["user"]["email"] for each in await here.devices() if each["user"]}
    assert len(await here.system.people()) == there + len(everybody) - 2


@pytest.mark.parametrize(
    ("permits", "granted", "missing"),
    [
        (("*",), ["kandji.list_devices", "kandji.get_device"], []),
        (("GET /devices", "GET /users"), ["kandji.list_devices"], ["kandji.get_device"]),
    ],
)
async def test_the_permissions_that_the_token_needs(
    here: Office, permits: tuple[str, ...], granted: list[str], missing: list[str]
) -> None:
    """Read-only, two-way and actions: what is granted, what is missing, and what no read can tell."""
    here.tenant.tenant.tokens.add(str(here.tenant.tenant.token), Token("narrow", permits))

    found = (await here.upcard.http.post(f"/v1/syncs/{NAME}/check")).json()

    actions = ["send_mdm_blank_push", "lock_device", "restart_device", "shutdown_device"]
    assert found == {
        "read": {"granted": granted, "missing": missing, "unknown": []},
        "two_way": {"granted": [], "missing": [], "unknown": ["kandji.update_device"]},
        "actions": {"granted": [], "missing": [], "unknown": [f"kandji.{each}" for each in actions]},
    }
