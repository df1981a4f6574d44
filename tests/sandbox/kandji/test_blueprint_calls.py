"""Blueprints: list, create in all spellings, change, delete."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Api, Device

CODE_IS_ON = {"enrollment_code.is_active": "true"}


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api()


async def test_a_list_is_an_envelope(client: httpx.AsyncClient) -> None:
    """Counts add up to the fleet; the links are absolute."""
    page = (await client.get("/blueprints?limit=3&offset=3")).json()
    everything = (await client.get("/blueprints")).json()["results"]

    assert (page["count"], len(page["results"])) == (8, 3)
    assert page["next"] == "http://acme.test/api/v1/blueprints?limit=3&offset=6"
    assert page["previous"] == "http://acme.test/api/v1/blueprints?limit=3"
    assert sum(blueprint["computers_count"] for blueprint in everything) == 100


async def test_past_the_end_has_a_previous_page(client: httpx.AsyncClient) -> None:
    """No results, and a way back."""
    page = (await client.get("/blueprints?limit=5&offset=50")).json()

    assert (page["results"], page["next"]) == ([], None)
    assert page["previous"]


async def test_a_tenant_may_have_many_blueprints(api: Api) -> None:
    """More than a page of them, for who needs that."""
    assert (await api(blueprints=350).get("/blueprints")).json()["count"] == 350


async def test_blueprints_are_found_by_name_and_ids(client: httpx.AsyncClient) -> None:
    """The name may be part of one, ids come as a list."""
    results = (await client.get("/blueprints")).json()["results"]
    ids = ",".join(each["id"] for each in results[:2])

    assert (await client.get("/blueprints?name=engin")).json()["results"] == results[:1]
    assert (await client.get(f"/blueprints?id__in={ids}")).json()["results"] == results[:2]
    assert (await client.get(f"/blueprints?id={results[4]['id']}")).json()["results"] == [results[4]]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"name": "New", "enrollment_code.is_active": "true", "enrollment_code.code": "012345"}},
        {"json": {"name": "New", "enrollment_code.is_active": True, "enrollment_code.code": "012345"}},
        {"json": {"name": "New", "enrollment_code": {"is_active": True, "code": "012345"}}},
    ],
    ids=["form", "dotted JSON", "nested JSON"],
)
async def test_a_blueprint_is_created_from_form_and_json(client: httpx.AsyncClient, sent: Device) -> None:
    """All spellings give the same; there is no count yet."""
    answer = await client.post("/blueprints", **sent)

    body = answer.json()
    assert (answer.status_code, body["enrollment_code"]) == (201, {"code": "012345", "is_active": True})
    assert (body["icon"], body["color"], body["description"], body["type"]) == ("ss-files", "aqua-800", "", "classic")
    assert "computers_count" not in body


async def test_name_and_active_are_required(client: httpx.AsyncClient) -> None:
    """Problems of a nested object are nested."""
    required = ["This field is required."]

    assert (await client.post("/blueprints", json={})).json() == {
        "name": required,
        "enrollment_code": {"is_active": required},
    }


async def test_a_name_is_unique(client: httpx.AsyncClient) -> None:
    """Taken names are refused by name."""
    answer = await client.post("/blueprints", data={"name": "Sales", **CODE_IS_ON})

    assert (answer.status_code, answer.json()) == (400, {"name": ["This field must be unique."]})


async def test_a_code_stays_taken_when_its_blueprint_is_gone(client: httpx.AsyncClient) -> None:
    """Also after a deletion."""
    body = {"name": "One", "enrollment_code.code": "000001", **CODE_IS_ON}
    first = (await client.post("/blueprints", data=body)).json()
    await client.delete(f"/blueprints/{first['id']}")

    again = await client.post("/blueprints", data={**body, "name": "Two"})

    assert again.json() == {"enrollment_code": {"code": ["This field must be unique."]}}


async def test_a_copy_has_the_type_of_its_source(client: httpx.AsyncClient) -> None:
    """Another type is refused with a JSON list; none is taken from the source."""
    office = (await client.get("/blueprints?name=office")).json()["results"][0]
    body = {"name": "Copy", "source.type": "blueprint", "source.id": office["id"], **CODE_IS_ON}

    refused = await client.post("/blueprints", data={**body, "type": "classic"})
    created = await client.post("/blueprints", data=body)

    assert refused.json() == ["Blueprint type does not match the source blueprint type"]
    assert created.json()["type"] == "map"


async def test_a_blueprint_is_changed(client: httpx.AsyncClient) -> None:
    """Only this answer counts the missing devices."""
    sales = (await client.get("/blueprints?name=sales")).json()["results"][0]

    answer = await client.patch(
        f"/blueprints/{sales['id']}", data={"name": "Selling", "enrollment_code.is_active": "no"}
    )

    assert (answer.json()["name"], answer.json()["enrollment_code"]["is_active"]) == ("Selling", False)
    assert answer.json()["missing_computers_count"] >= 0
    devices = (await client.get(f"/devices?blueprint_id={sales['id']}")).json()
    assert {device["blueprint_name"] for device in devices} == {"Selling"}


async def test_deleting_a_blueprint_unmanages_its_devices(client: httpx.AsyncClient) -> None:
    """They stay in the list, marked."""
    sales = (await client.get("/blueprints?name=sales")).json()["results"][0]

    answer = await client.delete(f"/blueprints/{sales['id']}")

    devices = (await client.get(f"/devices?blueprint_id={sales['id']}")).json()
    assert answer.status_code == 204
    assert {(each["mdm_enabled"], each["is_removed"]) for each in devices} == {(False, True)}


async def test_library_items_of_a_blueprint(client: httpx.AsyncClient) -> None:
    """An envelope of ids and names."""
    blueprint = (await client.get("/blueprints")).json()["results"][0]

    page = (await client.get(f"/blueprints/{blueprint['id']}/list-library-items")).json()

    assert page["count"] == len(page["results"])
    assert set(page["results"][0]) == {"id", "name"}
