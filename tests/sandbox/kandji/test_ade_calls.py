"""Automated Device Enrollment: integrations, their devices, pages by number."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Api, Device


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api(devices=640)


async def _integrations(client: httpx.AsyncClient) -> list[Device]:
    return list((await client.get("/integrations/apple/ade")).json()["results"])


async def test_families_without_devices_are_left_out(client: httpx.AsyncClient) -> None:
    """One integration has all, one lacks some, a new one has only the total."""
    counts = [each["device_counts"] for each in await _integrations(client)]

    assert set(counts[0]) == {"Mac", "iPad", "iPhone", "AppleTV", "total"}
    assert set(counts[1]) == {"Mac", "iPad", "total"}
    assert counts[3] == {"total": 0}


async def test_an_integration_may_be_broken(client: httpx.AsyncClient) -> None:
    """It says why."""
    broken = (await _integrations(client))[2]

    assert (broken["status"], broken["status_reason"], broken["days_left"]) == ("BROKEN", "FORBIDDEN", 0)


async def test_an_integration_is_found_by_its_id(client: httpx.AsyncClient) -> None:
    """The same record as in the list, 404 for another id."""
    first = (await _integrations(client))[0]

    assert (await client.get(f"/integrations/apple/ade/{first['id']}")).json() == first
    assert (await client.get("/integrations/apple/ade/nothing")).status_code == 404


async def test_devices_come_in_numbered_pages(client: httpx.AsyncClient) -> None:
    """300 a page, linked both ways with a slash before the query; the counts agree."""
    first = (await _integrations(client))[0]
    path = f"/integrations/apple/ade/{first['id']}/devices"

    one, two = [(await client.get(f"{path}?page={page}")).json() for page in (1, 2)]

    assert one["count"] == first["device_counts"]["total"] == len(one["results"] + two["results"])
    assert one["next"] == f"http://acme.test/api/v1{path}/?page=2"
    assert (two["next"], two["previous"]) == (None, f"http://acme.test/api/v1{path}/")


async def test_a_page_that_does_not_exist_is_an_error(client: httpx.AsyncClient) -> None:
    """Numbered pages end with 404."""
    first = (await _integrations(client))[0]

    answer = await client.get(f"/integrations/apple/ade/{first['id']}/devices?page=3")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


async def test_enrolled_devices_lead_to_their_record(client: httpx.AsyncClient) -> None:
    """Those awaiting enrolment have no device yet."""
    pages = [(await client.get(f"/integrations/apple/ade/devices?page={page}")).json()["results"] for page in (1, 2)]
    rows = [row for page in pages for row in page]
    enrolled = next(row for row in rows if row["mdm_device"])

    device = (await client.get(f"/devices/{enrolled['mdm_device']['id']}")).json()

    assert device["serial_number"] == enrolled["serial_number"]
    assert sum(row["mdm_device"] is None for row in rows) == 35
    assert len({row["serial_number"] for row in rows}) == len(rows)


async def test_a_removed_device_awaits_enrolment_again(client: httpx.AsyncClient) -> None:
    """It stays assigned in Apple Business Manager."""
    row = (await client.get("/integrations/apple/ade/devices")).json()["results"][0]

    await client.delete(f"/devices/{row['mdm_device']['id']}")

    assert (await client.get(f"/integrations/apple/ade/devices/{row['id']}")).json()["mdm_device"] is None


async def test_a_device_is_prepared_before_it_enrols(client: httpx.AsyncClient) -> None:
    """The answer has the keys of both generations."""
    row = (await client.get("/integrations/apple/ade/devices")).json()["results"][-1]
    blueprint = (await client.get("/blueprints")).json()["results"][1]

    changed = await client.patch(
        f"/integrations/apple/ade/devices/{row['id']}", json={"blueprint": blueprint["id"], "asset_tag": "A-7"}
    )

    assert changed.json()["blueprint"] == changed.json()["blueprint_id"] == blueprint["id"]
    assert (changed.json()["asset_tag"], changed.json()["user"]) == ("A-7", row["user_id"])


async def test_filters_narrow_the_list(client: httpx.AsyncClient) -> None:
    """Family is exact; a token id must be a UUID."""
    third = (await _integrations(client))[1]

    tablets = (await client.get(f"/integrations/apple/ade/devices?device_family=iPad&dep_account={third['id']}")).json()
    refused = await client.get("/integrations/apple/ade/devices?dep_account=x")

    assert tablets["count"] == third["device_counts"]["iPad"]
    assert (refused.status_code, refused.json()) == (400, {"dep_account": ["Enter a valid UUID."]})
