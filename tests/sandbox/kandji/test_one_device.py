"""One device: get, details by platform, update, secrets, inventory, notes."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Api, Device, Find


@pytest.fixture
async def client(api: Api) -> httpx.AsyncClient:
    return api()


@pytest.fixture
async def mac(client: httpx.AsyncClient, find: Find) -> Device:
    return await find(client, platform="Mac")


@pytest.fixture
async def ipad(client: httpx.AsyncClient, find: Find) -> Device:
    return await find(client, platform="iPad")


async def _details(client: httpx.AsyncClient, device: Device) -> Device:
    return dict((await client.get(f"/devices/{device['device_id']}/details")).json())


async def _patched(client: httpx.AsyncClient, device: Device, **body: object) -> httpx.Response:
    return await client.patch(f"/devices/{device['device_id']}", json=body)


async def test_get_answers_the_record_of_the_list(client: httpx.AsyncClient, mac: Device) -> None:
    """The single record and the listed one are the same."""
    assert (await client.get(f"/devices/{mac['device_id']}")).json() == mac


async def test_an_unknown_device_is_not_found(client: httpx.AsyncClient) -> None:
    """A well-formed id of nothing is 404."""
    answer = await client.get("/devices/00000000-0000-4000-8000-000000000000")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


async def test_details_of_a_mac_write_some_booleans_as_text(client: httpx.AsyncClient, mac: Device) -> None:
    """Kandji writes "True" in the MDM and agent sections, and real booleans elsewhere."""
    details = await _details(client, mac)

    assert (details["mdm"]["mdm_enabled"], details["kandji_agent"]["agent_installed"]) == ("True", "True")
    assert isinstance(details["filevault"]["filevault_enabled"], bool)
    assert "udid" in details["hardware_overview"]


async def test_details_of_an_ipad_leave_out_what_only_macs_have(client: httpx.AsyncClient, ipad: Device) -> None:
    """Three hardware keys, no FileVault, no agent, no local users."""
    details = await _details(client, ipad)

    assert set(details["hardware_overview"]) == {"uuid", "serial_number", "model_identifier"}
    assert details["filevault"]["filevault_enabled"] is None
    assert details["kandji_agent"]["agent_installed"] == "False"
    assert details["users"] == {"regular_users": [], "system_users": []}


async def test_details_of_an_apple_tv_have_no_network(client: httpx.AsyncClient, find: Find) -> None:
    """Volumes and network are empty, activation lock is partly unknown."""
    details = await _details(client, await find(client, platform="AppleTV"))

    assert (details["network"], details["volumes"], details["cellular"]) == ({}, [], {})
    assert details["activation_lock"]["user_activation_lock_enabled"] is None


async def test_a_device_outside_apple_business_manager_says_so(client: httpx.AsyncClient) -> None:
    """Both sections that speak of it are empty together."""
    devices = (await client.get("/devices?platform=Mac")).json()
    sections = [await _details(client, device) for device in devices[:20]]

    assert {} in [section["apple_business_manager"] for section in sections]
    assert all(bool(s["apple_business_manager"]) == bool(s["automated_device_enrollment"]) for s in sections)


async def test_update_sets_and_clears(client: httpx.AsyncClient, mac: Device) -> None:
    """What null clears reads as blank text afterwards."""
    user = (await client.get("/users")).json()["results"][3]

    given = (await _patched(client, mac, user=user["id"], asset_tag="A-1", tags=["laptops", "new one"])).json()
    cleared = (await _patched(client, mac, user=None, asset_tag=None, tags=[])).json()

    assert (given["user"]["id"], given["asset_tag"], given["tags"]) == (user["id"], "A-1", ["laptops", "new one"])
    assert (cleared["user"], cleared["asset_tag"], cleared["tags"]) == ("", "", [])


async def test_update_moves_to_another_blueprint(client: httpx.AsyncClient, mac: Device) -> None:
    """Name and counts of blueprints follow."""
    contractors = (await client.get("/blueprints?name=contractors")).json()["results"][0]

    moved = (await _patched(client, mac, blueprint_id=contractors["id"])).json()

    assert moved["blueprint_name"] == "Contractors"
    assert (await client.get(f"/blueprints/{contractors['id']}")).json()["computers_count"] == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"user": ""}, {"user": ["This field may not be blank."]}),
        ({"asset_tag": ""}, {"asset_tag": ["This field may not be blank."]}),
        ({"blueprint_id": "x"}, {"blueprint_id": ["Must be a valid UUID."]}),
        ({"blueprint_id": None}, {"blueprint_id": ["This field may not be null."]}),
        ({"user": 12}, {"user": ["Must be a valid UUID."]}),
        ({"tags": "laptops"}, {"tags": ['Expected a list of items but got type "str".']}),
        (
            {"user": "00000000-0000-4000-8000-000000000000"},
            {"user": ['Invalid pk "00000000-0000-4000-8000-000000000000" - object does not exist.']},
        ),
    ],
)
async def test_update_names_the_field_that_is_wrong(
    client: httpx.AsyncClient, mac: Device, body: Device, problem: Device
) -> None:
    """Nothing is changed, and the field is named as Django REST framework does."""
    answer = await _patched(client, mac, **body)

    assert (answer.status_code, answer.json()) == (400, problem)
    assert (await client.get(f"/devices/{mac['device_id']}")).json() == mac


async def test_delete_removes_the_device(client: httpx.AsyncClient, mac: Device) -> None:
    """204 once, 404 afterwards."""
    statuses = [(await client.delete(f"/devices/{mac['device_id']}")).status_code for _ in range(2)]

    assert statuses == [204, 404]


async def test_secrets_of_a_mac(client: httpx.AsyncClient, mac: Device) -> None:
    """A Mac that nobody locked has an empty PIN of exactly ten bytes, as recorded."""
    path = f"/devices/{mac['device_id']}/secrets"

    assert (await client.get(f"{path}/unlockpin")).content == b'{"pin":""}'
    assert set((await client.get(f"{path}/bypasscode")).json()) == {"user_based_albc", "device_based_albc"}
    assert (await client.get(f"{path}/recoverypassword")).json()["recovery_password"]


async def test_an_ipad_has_no_filevault_key(client: httpx.AsyncClient, ipad: Device) -> None:
    """No secret held is null."""
    assert (await client.get(f"/devices/{ipad['device_id']}/secrets/filevaultkey")).json() == {"key": None}


async def test_apps_are_all_text(client: httpx.AsyncClient, mac: Device, ipad: Device) -> None:
    """Sizes and booleans too; the blanks depend on the platform."""
    apps = [(await client.get(f"/devices/{each['device_id']}/apps")).json()["apps"] for each in (mac, ipad)]

    assert all(isinstance(value, str) for app in apps[0] + apps[1] for value in app.values())
    assert {app["device_based_vpp"] for app in apps[0]} == {""}
    assert {app["path"] for app in apps[1]} == {""}


async def test_library_items_name_their_device(client: httpx.AsyncClient, mac: Device) -> None:
    """Each item tells the computer and the blueprint; the threat policy has its own status."""
    items = (await client.get(f"/devices/{mac['device_id']}/library-items")).json()["library_items"]

    assert {item["computer"]["name"] for item in items} == {mac["device_name"]}
    assert [item["type"] for item in items if "edr_status" in item] == ["threat-security-policy"]


async def test_a_note_lives_and_dies(client: httpx.AsyncClient, mac: Device) -> None:
    """Created with 201, read, edited, listed, deleted with 200 and gone."""
    path = f"/devices/{mac['device_id']}/notes"
    before = (await client.get(path)).json()

    created = await client.post(path, json={"content": "Spare charger"})
    note = created.json()
    edited = (await client.patch(f"{path}/{note['note_id']}", json={"content": "Returned"})).json()
    listed = (await client.get(path)).json()
    deleted = await client.delete(f"{path}/{note['note_id']}")

    assert created.status_code == 201
    assert listed == [*before, edited]
    assert set(deleted.json()) == {"note_id", "deleted_at"}
    assert (await client.get(f"{path}/{note['note_id']}")).status_code == 404


async def test_a_note_needs_content(client: httpx.AsyncClient, mac: Device) -> None:
    """Nothing and blank text are two different problems."""
    path = f"/devices/{mac['device_id']}/notes"

    answers = [(await client.post(path, json=body)).json() for body in ({}, {"content": " "})]

    assert answers == [{"content": ["This field is required."]}, {"content": ["This field may not be blank."]}]


async def test_some_notes_are_html(client: httpx.AsyncClient) -> None:
    """Notes from the web app are there from the start."""
    devices = (await client.get("/devices")).json()
    notes = [(await client.get(f"/devices/{device['device_id']}/notes")).json() for device in devices]

    assert any(note["content"].startswith("<p>") for each in notes for note in each)


async def test_a_refused_update_creates_no_tag(client: httpx.AsyncClient, mac: Device) -> None:
    """A new tag beside a wrong field stays unborn."""
    await _patched(client, mac, tags=["unborn"], asset_tag="")

    assert (await client.get("/tags?search=unborn")).json()["count"] == 0
