"""Assets, users, models and custom fields: lists, one, creating and updating, and what is refused with HTTP 200."""

from typing import Any

import httpx
import pytest

from tests.sandbox.snipeit.servers import ADMIN, Api

NEW = {"model_id": 1, "status_id": 2, "asset_tag": "N1"}


async def test_the_same_seed_gives_the_same_server(api: Api) -> None:
    """Another seed gives another one."""
    one, same, other = [(await api(seed=seed).get("/hardware/1")).json()["serial"] for seed in (7, 7, 8)]

    assert one == same != other


async def test_a_token_is_needed(client: httpx.AsyncClient) -> None:
    """401 in JSON; who does not ask for JSON is led to the login."""
    answers = [
        await client.get("/users/me", headers={"Authorization": "Bearer wrong", "Accept": accept})
        for accept in ("application/json", "*/*")
    ]

    assert [answer.status_code for answer in answers] == [401, 302]
    assert answers[0].json() == {"error": "Unauthorized or unauthenticated."}


async def test_who_asks_is_told(client: httpx.AsyncClient) -> None:
    """It is no user to hand assets to."""
    me = (await client.get("/users/me")).json()

    assert me["username"] == "upcard"
    assert me["id"] not in [user["id"] for user in (await client.get("/users")).json()["rows"]]


@pytest.mark.parametrize(
    ("limit", "came"), [("500", 500), ("501", 500), ("9999", 500), ("0", 500), ("7", 7), ("x", 500)]
)
async def test_a_limit_that_is_too_much_is_replaced(api: Api, limit: str, came: int) -> None:
    """Silently, by 500."""
    found = (await api(assets=600).get(f"/hardware?limit={limit}")).json()

    assert (len(found["rows"]), found["total"]) == (came, 565)  # without the archived ones


async def test_a_list_is_sorted_as_asked(client: httpx.AsyncClient) -> None:
    """By ID; newest first where nothing is said, which here are all of one age."""
    ids = [asset["id"] for asset in (await client.get("/hardware?sort=id&order=asc&limit=3&offset=2")).json()["rows"]]
    usual = [asset["id"] for asset in (await client.get("/hardware?limit=3")).json()["rows"]]

    assert (ids, usual) == ([3, 4, 5], [24, 22, 21])


async def test_all_fields_come_at_once(client: httpx.AsyncClient) -> None:
    """There is no paging of them."""
    found = (await client.get("/fields?limit=1&offset=3")).json()

    assert (found["total"], len(found["rows"])) == (4, 4)


async def test_text_is_escaped_for_display_only(client: httpx.AsyncClient) -> None:
    """GET and users have it escaped as PHP does; the row of an asset, which a change answers, has it as it is."""
    words = 'O\'Brien & "<x>"'
    made = (await client.post("/hardware", json={**NEW, "name": words})).json()["payload"]
    user = (await client.post("/users", json=_user(last_name="O'Brien"))).json()["payload"]

    read = (await client.get(f"/hardware/{made['id']}")).json()

    assert (made["name"], read["name"]) == (words, "O&#039;Brien &amp; &quot;&lt;x&gt;&quot;")
    assert user["last_name"] == "O&#039;Brien"


async def test_labels_of_custom_fields_are_not_escaped(client: httpx.AsyncClient) -> None:
    """They are keys; what has none of them has an empty list, as PHP writes it."""
    assets = (await client.get("/hardware")).json()["rows"]
    with_fields = next(asset for asset in assets if asset["model"]["id"] == 1)

    assert "Owner's Department" in with_fields["custom_fields"]
    assert [asset["custom_fields"] for asset in assets if asset["model"]["id"] == 5] in ([[]], [[], []])


async def test_a_change_answers_the_row(client: httpx.AsyncClient) -> None:
    """Flat, with the columns of custom fields at the top."""
    answer = (await client.post("/hardware", json={**NEW, "_snipeit_os_version_1": "15.3"})).json()

    assert (answer["status"], answer["payload"]["model_id"]) == ("success", 1)
    assert (answer["payload"]["_snipeit_os_version_1"], "custom_fields" in answer["payload"]) == ("15.3", False)


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/hardware", {"model_id": None}, "model_id"),
        ("/hardware", {"model_id": 99}, "model_id"),
        ("/hardware", {"status_id": "x"}, "status_id"),
        ("/hardware", {"rtd_location_id": 99}, "rtd_location_id"),
        ("/hardware", {"asset_tag": "IT-00001"}, "asset_tag"),
        ("/hardware", {"asset_tag": ""}, "asset_tag"),
        ("/hardware", {"_snipeit_purchase_reason_4": "x"}, "_snipeit_purchase_reason_4"),
        ("/hardware", {"_snipeit_colour_9": "x"}, "_snipeit_colour_9"),
        ("/hardware", {"model_id": 5, "_snipeit_os_version_1": "x"}, "_snipeit_os_version_1"),
        ("/hardware", {"_snipeit_mac_address_2": "x"}, "_snipeit_mac_address_2"),
        ("/users", {"username": "nora.vale"}, "username"),
        ("/users", {"first_name": ""}, "first_name"),
        ("/users", {"password": "short"}, "password"),
        ("/users", {"password_confirmation": "another"}, "password"),
        ("/users", {"email": "nora"}, "email"),
        ("/models", {"category_id": 99}, "category_id"),
        ("/models", {"fieldset_id": 99}, "fieldset_id"),
        ("/models", {"name": None}, "name"),
        ("/fields", {"element": "slider"}, "element"),
        ("/fields", {"name": "OS Version"}, "name"),
    ],
)
async def test_a_wrong_body_is_refused_with_200(client: httpx.AsyncClient, path: str, body: Any, key: str) -> None:
    """By the key that is wrong; nothing is made."""
    good: dict[str, Any] = {
        "/hardware": NEW,
        "/users": _user(),
        "/models": {"name": "M", "category_id": 1},
        "/fields": {"name": "F", "element": "text", "format": "ANY"},
    }
    before = (await client.get(f"{path}?limit=1")).json()["total"]

    answer = await client.post(path, json={**good[path], **body})

    told = answer.json()
    assert (answer.status_code, told["status"], told["payload"], list(told["messages"])) == (200, "error", None, [key])
    assert (await client.get(f"{path}?limit=1")).json()["total"] == before
    assert (await client.post(path, json=good[path])).json()["status"] == "success"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/hardware/999", "Asset does not exist."),
        ("/hardware/x", "Asset does not exist."),
        ("/hardware/byserial/nothing", "Asset does not exist."),
        ("/hardware/bytag/nothing", "Asset does not exist."),
        ("/users/999", "User not found"),
    ],
)
async def test_what_is_not_there_is_an_error_with_200(client: httpx.AsyncClient, path: str, words: str) -> None:
    """A sentence, not a status."""
    answer = await client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "error", "messages": words, "payload": None})


async def test_a_call_that_is_not_there_has_a_status(client: httpx.AsyncClient) -> None:
    """404 and 405, in the same envelope."""
    answers = [await client.get("/nothing"), await client.post("/statuslabels", json={})]

    assert [answer.status_code for answer in answers] == [404, 405]
    assert [answer.json()["status"] for answer in answers] == ["error", "error"]


async def test_an_asset_is_found_by_tag_and_by_serial(client: httpx.AsyncClient) -> None:
    """By tag one object; by serial a list, also of one, with slashes and all."""
    await client.post("/hardware", json={**NEW, "serial": "A/1"})
    await client.post("/hardware", json={**NEW, "asset_tag": "N2", "serial": "A/1"})

    serials = (await client.get("/hardware/byserial/A%2F1")).json()
    tag = (await client.get("/hardware/bytag/N2")).json()

    assert ([asset["asset_tag"] for asset in serials["rows"]], tag["serial"]) == (["N1", "N2"], "A/1")


@pytest.mark.parametrize(
    ("switches", "body", "status"),
    [
        ({}, {"serial": "S1"}, "success"),
        ({"unique_serial": True}, {"serial": "S1"}, "error"),
        ({}, {"asset_tag": None}, "error"),
        ({"auto_increment": True}, {"asset_tag": None}, "success"),
    ],
)
async def test_admin_settings_decide(api: Api, switches: Any, body: Any, status: str) -> None:
    """Whether serial numbers are unique, and who gives tags."""
    client = api(**switches)
    await client.post("/hardware", json={**NEW, "serial": "S1"})

    answer = await client.post("/hardware", json={**NEW, "asset_tag": "N2", **body})

    assert answer.json()["status"] == status


@pytest.mark.parametrize(("show", "seen"), [(False, False), (True, True)])
async def test_archived_assets_are_in_the_list_where_a_setting_says_so(api: Api, show: bool, seen: bool) -> None:
    """And when they are asked for, always."""
    client = api(show_archived=show)
    await client.post("/hardware", json={**NEW, "status_id": 3})

    listed = [asset["asset_tag"] for asset in (await client.get("/hardware")).json()["rows"]]
    asked = [asset["asset_tag"] for asset in (await client.get("/hardware?status=Archived")).json()["rows"]]

    assert ("N1" in listed, "N1" in asked) == (seen, True)


async def test_a_field_is_put_into_a_fieldset(client: httpx.AsyncClient) -> None:
    """Then assets of its models take it; doing it twice does no harm."""
    made = (await client.post("/fields", json={"name": "Ring", "element": "text", "format": "ANY"})).json()["payload"]
    before = (await client.post("/hardware", json={**NEW, made["db_column"]: "A"})).json()
    twice = [(await client.post(f"/fields/{made['id']}/associate", json={"fieldset_id": 1})).json() for _ in range(2)]

    after = (await client.post("/hardware", json={**NEW, made["db_column"]: "A"})).json()

    assert [each["status"] for each in (before, *twice, after)] == ["error", "success", "success", "success"]
    assert (await client.get("/fieldsets")).json()["rows"][0]["fields"]["total"] == 4


async def test_somebody_changes_an_asset_in_the_web_app(client: httpx.AsyncClient) -> None:
    """Its columns, who has it, and whether it is there."""
    await client.patch(f"{ADMIN}/assets/1", json={"own": {"name": "Loaner", "status_id": 2}, "user_id": 2})
    held = (await client.get("/hardware/1")).json()
    await client.patch(f"{ADMIN}/assets/1", json={"user_id": None, "deleted": True})
    gone = (await client.get("/hardware/1")).json()

    assert (held["name"], held["assigned_to"]["id"]) == ("Loaner", 2)
    assert (gone["assigned_to"], bool(gone["deleted_at"])) == (None, True)


def _user(**more: Any) -> dict[str, Any]:
    word = "correct horse"
    return {"first_name": "Kim", "username": "kim", "password": word, "password_confirmation": word, **more}
