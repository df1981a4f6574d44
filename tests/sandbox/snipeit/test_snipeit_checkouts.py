"""Checkouts and check-ins, the trash, and the report of what happened."""

from typing import Any

import httpx
import pytest

from tests.sandbox.snipeit.servers import Api

NEW = {"model_id": 1, "status_id": 2, "asset_tag": "N1"}
TO_USER = {"checkout_to_type": "user", "assigned_user": 2}


async def _new(client: httpx.AsyncClient, **more: Any) -> str:
    made = (await client.post("/hardware", json={**NEW, **more})).json()["payload"]
    return f"/hardware/{made['id']}"


async def test_an_asset_tells_who_has_it(client: httpx.AsyncClient) -> None:
    """It is deployed then, and cannot be checked out."""
    path = await _new(client)

    done = (await client.post(f"{path}/checkout", json={**TO_USER, "expected_checkin": "2027-01-31"})).json()
    asset = (await client.get(path)).json()

    assert (done["status"], done["payload"]) == ("success", {"asset": "N1"})
    assert (asset["assigned_to"]["type"], asset["assigned_to"]["username"]) == ("user", "ilja.vale")
    assert (asset["status_label"]["status_meta"], asset["user_can_checkout"]) == ("deployed", False)
    assert asset["expected_checkin"]["date"] == "2027-01-31"


@pytest.mark.parametrize(("status", "words"), [(1, "not available"), (3, "not available"), (4, "not available")])
async def test_only_what_is_deployable_goes(client: httpx.AsyncClient, status: int, words: str) -> None:
    """With HTTP 200."""
    path = await _new(client, status_id=status)

    answer = await client.post(f"{path}/checkout", json=TO_USER)

    assert (answer.status_code, answer.json()["status"]) == (200, "error")
    assert words in answer.json()["messages"]


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "checkout_to_type"),
        ({"checkout_to_type": "user"}, "assigned_user"),
        ({**TO_USER, "status_id": 3}, "status_id"),
    ],
)
async def test_a_wrong_checkout_is_explained(client: httpx.AsyncClient, body: Any, key: str) -> None:
    """By the key that is wrong."""
    answer = await client.post(f"{await _new(client)}/checkout", json=body)

    assert list(answer.json()["messages"]) == [key]


@pytest.mark.parametrize("kind", ["user", "location", "asset"])
async def test_somebody_must_be_there_to_take_it(client: httpx.AsyncClient, kind: str) -> None:
    """A sentence that names the kind."""
    body = {"checkout_to_type": kind, f"assigned_{kind}": 999}

    answer = await client.post(f"{await _new(client)}/checkout", json=body)

    assert answer.json()["messages"].endswith(f"{kind} does not exist.")


async def test_what_is_out_comes_back_once(client: httpx.AsyncClient) -> None:
    """Neither goes it out twice."""
    path = await _new(client, asset_tag="R&D")
    out = [(await client.post(f"{path}/checkout", json=TO_USER)).json() for _ in range(2)]

    back = [(await client.post(f"{path}/checkin", json={"status_id": 1})).json() for _ in range(2)]

    assert [each["status"] for each in (*out, *back)] == ["success", "error", "success", "error"]
    assert back[1]["messages"] == "That asset is already checked in."
    assert back[0]["payload"]["asset_tag"] == "R&amp;D"
    assert (await client.get(path)).json()["status_label"]["name"] == "Pending"


async def test_notes_may_be_needed(api: Api) -> None:
    """For both ways."""
    client = api(require_notes=True)
    path = await _new(client)

    answers = [
        (await client.post(f"{path}/{way}", json={**TO_USER, **note})).json()["status"]
        for way in ("checkout", "checkin")
        for note in ({}, {"note": "x"})
    ]

    assert answers == ["error", "success", "error", "success"]


async def test_what_is_deleted_is_in_the_trash(client: httpx.AsyncClient) -> None:
    """It is checked in first, can still be read, and comes back."""
    path = await _new(client, serial="S1")
    await client.post(f"{path}/checkout", json=TO_USER)
    await client.delete(path)

    read = (await client.get(path)).json()
    serials = [(await client.get(f"/hardware/byserial/S1{query}")).json() for query in ("", "?deleted=true")]
    changed = (await client.patch(path, json={"name": "x"})).json()
    restored = [(await client.post(f"{path}/restore")).json() for _ in range(2)]

    assert (read["assigned_to"], bool(read["deleted_at"])) == (None, True)
    assert (serials[0]["status"], serials[1]["total"]) == ("error", 1)
    assert changed["messages"] == "Asset not found"
    assert [each["status"] for each in restored] == ["success", "error"]
    assert (restored[0]["messages"], restored[0]["payload"]) == (None, "Asset restored successfully.")


async def test_the_report_tells_what_happened(client: httpx.AsyncClient) -> None:
    """Newest first, with who got it and the note."""
    path = await _new(client)
    await client.post(f"{path}/checkout", json={**TO_USER, "note": "Kim's"})

    found = (await client.get("/reports/activity?action_type=checkout&limit=1&sort=id&order=desc")).json()

    (line,) = found["rows"]
    assert (line["action_type"], line["item"]["name"], line["target"]["id"]) == ("checkout", "N1", 2)
    assert line["note"] == "Kim&#039;s"


async def test_a_user_who_has_assets_stays(client: httpx.AsyncClient) -> None:
    """Until they are back."""
    path = await _new(client)
    made = (await client.post("/users", json={"first_name": "Kim", "username": "kim", "ldap_import": True})).json()
    body = {"checkout_to_type": "user", "assigned_user": made["payload"]["id"]}
    await client.post(f"{path}/checkout", json=body)

    kept = (await client.delete(f"/users/{made['payload']['id']}")).json()
    await client.post(f"{path}/checkin")
    gone = (await client.delete(f"/users/{made['payload']['id']}")).json()

    assert (kept["status"], gone["status"]) == ("error", "success")
