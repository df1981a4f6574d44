"""List Devices: pages, filters, ordering, a list that changes meanwhile."""

from typing import Any

import pytest

from tests.sandbox.kandji.tenants import Api, Find

RECORD = (
    "device_id",
    "device_name",
    "model",
    "serial_number",
    "platform",
    "os_version",
    "supplemental_build_version",
    "supplemental_os_version_extra",
    "last_check_in",
    "user",
    "asset_tag",
    "blueprint_id",
    "mdm_enabled",
    "agent_installed",
    "is_missing",
    "is_removed",
    "agent_version",
    "first_enrollment",
    "last_enrollment",
    "blueprint_name",
    "lost_mode_status",
    "tags",
)


async def test_a_record_has_exactly_the_documented_keys(api: Api) -> None:
    """Every key is there, blank where there is nothing."""
    devices = (await api().get("/devices")).json()

    assert {tuple(device) for device in devices} == {RECORD}


async def test_the_fleet_is_mixed(api: Api) -> None:
    """Of a hundred devices seventy are Macs; all four platforms are there."""
    platforms = [device["platform"] for device in (await api().get("/devices")).json()]

    assert {each: platforms.count(each) for each in platforms} == {"Mac": 70, "iPhone": 15, "iPad": 10, "AppleTV": 5}


async def test_nobody_is_written_as_blank_text(api: Api) -> None:
    """Some devices have no user, some no asset tag, some are missing."""
    devices = (await api().get("/devices")).json()

    assert "" in [device["user"] for device in devices]
    assert "" in [device["asset_tag"] for device in devices]
    assert {device["is_missing"] for device in devices} == {True, False}


async def test_the_same_seed_gives_the_same_fleet(api: Api) -> None:
    """Two tenants of one seed list the same, one of another seed does not."""
    first, second, other = [(await api(seed=seed).get("/devices")).json() for seed in (3, 3, 4)]

    assert first == second
    assert first != other


async def test_a_page_holds_at_most_300(api: Api) -> None:
    """A larger limit is cut to the cap."""
    assert len((await api(devices=310).get("/devices?limit=1000")).json()) == 300


async def test_past_the_end_is_an_empty_list(api: Api) -> None:
    """An offset beyond the fleet is no error."""
    answer = await api().get("/devices?offset=100")

    assert answer.json() == []
    assert answer.headers["x-total-count"] == "100"


async def test_pages_join_without_gap(api: Api) -> None:
    """Three pages by offset give every device once, in the order of the whole list."""
    client = api()

    pages = [(await client.get(f"/devices?limit=40&offset={offset}")).json() for offset in (0, 40, 80)]

    assert [device for page in pages for device in page] == (await client.get("/devices")).json()


async def test_headers_tell_totals_and_neighbours(api: Api) -> None:
    """The links are those of the host that was called."""
    headers = (await api().get("/devices?limit=40&offset=40")).headers

    assert (headers["x-total-count"], headers["x-total-pages"]) == ("100", "3")
    assert headers["link"] == (
        '<http://acme.test/api/v1/devices?limit=40&offset=80>; rel="next", '
        '<http://acme.test/api/v1/devices?limit=40>; rel="prev"'
    )


async def test_a_link_to_nowhere_is_none(api: Api) -> None:
    """A list in one piece has no neighbours, and says `<None>`."""
    assert (await api().get("/devices")).headers["link"] == '<None>; rel="next", <None>; rel="prev"'


@pytest.mark.parametrize("key", ["device_id", "device_name", "serial_number", "asset_tag", "model", "os_version"])
async def test_a_record_is_found_by_its_own_value(api: Api, key: str) -> None:
    """Each filter finds the device whose value it names."""
    client = api()
    device = next(device for device in (await client.get("/devices")).json() if device["asset_tag"])

    assert device in (await client.get("/devices", params={key: device[key]})).json()


@pytest.mark.parametrize(
    ("parameter", "key"),
    [
        ("user_email", "email"),
        ("user_email_exact", "email"),
        ("user_name", "name"),
        ("user", "name"),
        ("user_id", "id"),
    ],
)
async def test_a_device_is_found_by_its_user(api: Api, parameter: str, key: str) -> None:
    """Each user filter finds exactly the devices of that person."""
    client = api()
    devices = (await client.get("/devices")).json()
    user = next(device["user"] for device in devices if device["user"])

    found = (await client.get("/devices", params={parameter: user[key]})).json()

    assert found == [device for device in devices if device["user"] and device["user"][key] == user[key]]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"platform": "iPad"}, 10),
        ({"platform": "ipad"}, 10),
        ({"platform": "Pad"}, 0),
        ({"platform": "Mac", "model": "macbook"}, None),
        ({"serial_number": "NOTHING999"}, 0),
        ({"user_email_exact": "nobody"}, 0),
        ({"device_id": "nothing"}, 0),
        ({"source": "elsewhere"}, 100),
    ],
)
async def test_filters_combine(api: Api, filters: dict[str, str], expected: int | None) -> None:
    """Platform is the whole word, model contains, both without regard to case, an unknown parameter is ignored."""
    found = (await api().get("/devices", params=filters)).json()

    assert len(found) == (expected if expected is not None else sum("MacBook" in each["model"] for each in found))


async def test_a_network_address_names_one_device(api: Api, find: Find) -> None:
    """The address of the details finds its device."""
    client = api()
    mac = await find(client, platform="Mac")
    network = (await client.get(f"/devices/{mac['device_id']}/details")).json()["network"]

    assert (await client.get("/devices", params={"mac_address": network["mac_address"]})).json() == [mac]


async def test_filevault_is_a_matter_of_macs(api: Api) -> None:
    """On and off together are all the Macs and nothing else."""
    client = api()

    on, off = [(await client.get("/devices", params={"filevault_enabled": each})).json() for each in ("true", "false")]

    assert len(on) + len(off) == 70
    assert {device["platform"] for device in on + off} == {"Mac"}


async def test_tags_are_found_by_name_and_id(api: Api) -> None:
    """Name, id and both lists of them agree."""
    client = api()
    tag = (await client.get("/tags")).json()["results"][0]
    asked = {"tag_name": tag["name"], "tag_name_in": f"{tag['name']},x", "tag_id": tag["id"], "tag_id_in": tag["id"]}

    found = [(await client.get("/devices", params={key: value})).json() for key, value in asked.items()]

    assert found[0] == found[1] == found[2] == found[3]
    assert all(tag["name"] in device["tags"] for device in found[0])


async def test_ordering_takes_several_keys(api: Api) -> None:
    """A minus turns one key round, the next key decides among equals."""
    devices = (await api().get("/devices?ordering=-platform,serial_number")).json()

    expected: list[dict[str, Any]] = sorted(devices, key=lambda device: device["serial_number"])
    assert devices == sorted(expected, key=lambda device: device["platform"], reverse=True)


async def test_the_devices_of_a_person_are_ordered(api: Api) -> None:
    """A filter that looks an identifier up leaves the ordering to do."""
    client = api()
    users = [device["user"]["id"] for device in (await client.get("/devices")).json() if device["user"]]
    user = next(user for user in users if users.count(user) > 1)

    up, down = [
        (await client.get("/devices", params={"user_id": user, "ordering": ordering})).json()
        for ordering in ("serial_number", "-serial_number")
    ]

    assert up == sorted(up, key=lambda device: device["serial_number"])
    assert down == up[::-1]


async def test_a_changed_device_leaves_and_joins_searches(api: Api, find: Find) -> None:
    """A search remembers nothing that is not true any more."""
    client = api()
    device = await find(client, platform="Mac")
    await client.get("/devices?asset_tag=NEW-1")

    await client.patch(f"/devices/{device['device_id']}", json={"asset_tag": "NEW-1"})

    found = (await client.get("/devices?asset_tag=NEW-1")).json()
    assert [each["device_id"] for each in found] == [device["device_id"]]


async def test_a_removed_device_moves_the_offsets(api: Api) -> None:
    """What happens to offset paging when the list shrinks: the next page skips one device."""
    client = api()
    devices = (await client.get("/devices")).json()

    await client.request("DELETE", "http://acme.test/_sandbox/devices", json={"offset": 0})

    assert (await client.get("/devices?offset=40&limit=1")).json() == [devices[41]]


async def test_a_device_added_at_the_front_moves_the_offsets_back(api: Api) -> None:
    """What happens to offset paging when the list grows: the next page repeats one device."""
    client = api()
    devices = (await client.get("/devices")).json()

    await client.post("http://acme.test/_sandbox/devices", json={"at_front": True})

    assert (await client.get("/devices?offset=40&limit=1")).json() == [devices[39]]
