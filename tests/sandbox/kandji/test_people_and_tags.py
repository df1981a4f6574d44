"""Users by cursor, tags, licensing."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Api


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api(devices=400)


async def test_users_come_by_cursor_and_without_a_count(client: httpx.AsyncClient) -> None:
    """Following `next` gives everybody once."""
    one = (await client.get("/users")).json()
    two = (await client.get(one["next"])).json()

    assert set(one) == {"next", "previous", "results"}
    assert (len(one["results"]), len(two["results"]), two["next"]) == (300, 20, None)
    assert len({user["id"] for user in one["results"] + two["results"]}) == 320


async def test_previous_leads_back(client: httpx.AsyncClient) -> None:
    """Page by page to the first one, which has none."""
    one = (await client.get("/users?sizePerPage=100")).json()
    two = (await client.get(one["next"])).json()
    three = (await client.get(two["next"])).json()

    assert (await client.get(three["previous"])).json() == two
    assert (await client.get(two["previous"])).json()["results"] == one["results"]
    assert one["previous"] is None


async def test_an_integration_is_named_by_its_uuid(client: httpx.AsyncClient) -> None:
    """Not by the number that is its id."""
    integration = (await client.get("/users")).json()["results"][0]["integration"]
    asked = [integration["uuid"], str(integration["id"])]

    found = [(await client.get("/users", params={"integration_id": each})).json()["results"] for each in asked]

    assert [len(users) for users in found] == [300, 0]


@pytest.mark.parametrize("path", ["/users", "/blueprints"])
async def test_a_blank_filter_finds_all(client: httpx.AsyncClient, path: str) -> None:
    """As if it were not there."""
    asked = dict.fromkeys(("id", "id__in", "name", "email", "integration_id", "archived", "cursor"), "")

    found = (await client.get(path, params=asked)).json()

    assert found["results"] == (await client.get(path)).json()["results"]


async def test_the_page_size_is_an_undocumented_parameter(client: httpx.AsyncClient) -> None:
    """`limit` does nothing here."""
    assert len((await client.get("/users?limit=5&sizePerPage=7")).json()["results"]) == 7


async def test_a_user_counts_their_devices(client: httpx.AsyncClient) -> None:
    """The count is what the filter of the device list finds."""
    user = (await client.get("/users?email=.")).json()["results"][5]

    devices = (await client.get(f"/devices?user_id={user['id']}")).json()

    assert user["device_count"] == len(devices)
    assert (await client.get(f"/users/{user['id']}")).json() == user


async def test_a_user_with_devices_stays(client: httpx.AsyncClient) -> None:
    """Deleting is refused while assigned, and possible afterwards."""
    users = (await client.get("/users")).json()["results"]
    busy = next(user for user in users if user["device_count"])
    free = next(user for user in users if not user["device_count"])

    refused = await client.delete(f"/users/{busy['id']}")
    deleted = await client.delete(f"/users/{free['id']}")

    assert refused.json() == {"detail": "User still assigned to one or more devices."}
    assert deleted.status_code == 204
    assert (await client.get(f"/users/{free['id']}")).status_code == 404


async def test_a_renamed_tag_shows_on_its_devices(client: httpx.AsyncClient) -> None:
    """And a deleted one is gone from them."""
    tag = (await client.get("/tags?search=loan")).json()["results"][0]

    await client.patch(f"/tags/{tag['id']}", json={"name": "borrowed"})
    renamed = (await client.get("/devices?tag_name=borrowed")).json()
    await client.delete(f"/tags/{tag['id']}")
    deleted = (await client.get("/devices?tag_name=borrowed")).json()

    assert renamed
    assert deleted == []


async def test_a_tag_is_created_once(client: httpx.AsyncClient) -> None:
    """Names are unique."""
    first, second = [await client.post("/tags", json={"name": "green"}) for _ in range(2)]

    assert (first.status_code, first.json()["name"]) == (201, "green")
    assert second.json() == {"name": ["This field must be unique."]}


async def test_a_tag_may_keep_its_name(client: httpx.AsyncClient) -> None:
    """Its own name is not taken, another's is."""
    tag, other = (await client.get("/tags")).json()["results"][:2]

    kept, taken = [
        await client.patch(f"/tags/{tag['id']}", json={"name": name}) for name in (tag["name"], other["name"])
    ]

    assert (kept.status_code, kept.json()) == (200, tag)
    assert taken.json() == {"name": ["This field must be unique."]}


async def test_licensing_counts_platforms(client: httpx.AsyncClient) -> None:
    """The parts add up."""
    counts = (await client.get("/settings/licensing")).json()["counts"]

    assert counts.pop("computers_count") == sum(counts.values()) == 400
