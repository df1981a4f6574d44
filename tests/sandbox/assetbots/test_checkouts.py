"""Checkouts and check-ins: a checkout stays open until all of its assets are back."""

from typing import Any

import httpx
import pytest

from tests.sandbox.assetbots.workspaces import ADMIN, Api


async def _free(client: httpx.AsyncClient) -> list[str]:
    return [asset["id"] for asset in (await client.get("/assets")).json()["data"] if not asset["checkout"]]


async def _person(client: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await client.get("/people?limit=1")).json()["data"][0])


async def test_an_asset_tells_who_has_it(client: httpx.AsyncClient) -> None:
    """With the name and email, so that nobody has to look up the person."""
    asset_id, person = (await _free(client))[0], await _person(client)
    body = {"assetIds": [asset_id], "personId": person["id"], "date": "2026-02-03T09:15:00Z", "notes": "By hand"}

    made = (await client.post("/checkouts", json=body)).json()["data"][0]
    checkout = (await client.get(f"/assets/{asset_id}")).json()["data"][0]["checkout"]

    assert (checkout["id"], checkout["value"]["status"]) == (made["id"], "CheckedOut")
    assert checkout["value"]["person"]["value"]["email"] == person["email"]
    assert (await client.get(f"/checkouts/{made['id']}")).json() == {"data": [made]}


async def test_what_is_free_is_checked_out(client: httpx.AsyncClient) -> None:
    """The answer has no others."""
    one, two, *_ = await _free(client)
    person_id = (await _person(client))["id"]
    await client.post("/checkouts", json={"assetIds": [one], "personId": person_id})

    answer = await client.post("/checkouts", json={"assetIds": [one, two, "nothing"], "personId": person_id})

    assert answer.status_code == 201
    assert [asset["id"] for asset in answer.json()["data"][0]["assets"]] == [two]


@pytest.mark.parametrize("change", [{"reserved": True}, {"in_repair": True}])
async def test_what_is_held_is_not_checked_out(client: httpx.AsyncClient, change: dict[str, bool]) -> None:
    """409 where nothing is left."""
    asset_id, person_id = (await _free(client))[0], (await _person(client))["id"]
    await client.patch(f"{ADMIN}/assets/{asset_id}", json=change)

    answer = await client.post("/checkouts", json={"assetIds": [asset_id], "personId": person_id})

    assert answer.status_code == 409


async def test_a_check_in_closes_the_right_checkouts(api: Api) -> None:
    """Each when its last asset is back; what is free already is left out."""
    client = api(assets=30, check_ins="listed")
    one, two, three, free, *_ = await _free(client)
    person_id = (await _person(client))["id"]
    both = (await client.post("/checkouts", json={"assetIds": [one, two], "personId": person_id})).json()["data"][0]
    last = (await client.post("/checkouts", json={"assetIds": [three], "personId": person_id})).json()["data"][0]

    back = (await client.post("/check-ins", json={"assetIds": [one, three, free]})).json()["data"]
    states = [(await client.get(f"/checkouts/{each['id']}")).json()["data"][0]["status"] for each in (both, last)]

    assert [(each["checkoutId"], [asset["id"] for asset in each["assets"]]) for each in back] == [
        (both["id"], [one]),
        (last["id"], [three]),
    ]
    assert states == ["CheckedOut", "CheckedIn"]
    assert (await client.post("/check-ins", json={"assetIds": [one, free]})).status_code == 409


@pytest.mark.parametrize(
    ("whom", "status"),
    [({"personId": "nothing"}, 404), ({"locationId": "nothing"}, 404), ({}, 400)],
)
async def test_somebody_must_be_there_to_take_it(client: httpx.AsyncClient, whom: Any, status: int) -> None:
    """A person, a location, or both."""
    answer = await client.post("/checkouts", json={"assetIds": await _free(client), **whom})

    assert answer.status_code == status


async def test_past_checkouts_are_not_listed(client: httpx.AsyncClient) -> None:
    """405, as seen."""
    assert (await client.get("/checkouts")).status_code == 405


async def test_a_place_may_have_it(client: httpx.AsyncClient) -> None:
    """Then there is no person."""
    place = (await client.get("/locations")).json()["data"][0]
    body = {"assetIds": (await _free(client))[:1], "locationId": place["id"], "dueDate": "2026-03-01T00:00:00Z"}

    made = (await client.post("/checkouts", json=body)).json()["data"][0]

    assert (made["person"], made["location"]["value"]["name"]) == (None, place["name"])


async def test_a_check_in_may_answer_nothing(client: httpx.AsyncClient) -> None:
    """Only its status is documented."""
    asset_id, person_id = (await _free(client))[0], (await _person(client))["id"]
    await client.post("/checkouts", json={"assetIds": [asset_id], "personId": person_id})

    answer = await client.post("/check-ins", json={"assetIds": [asset_id]})

    assert (answer.status_code, answer.content) == (200, b"")
