"""Assets and people: lists, one, creating and updating, in every form that the service may have."""

from typing import Any

import httpx
import pytest

from tests.sandbox.assetbots.workspaces import ADMIN, Api


async def test_the_same_seed_gives_the_same_workspace(api: Api) -> None:
    """Another seed gives another one."""
    one, same, other = [(await api(seed=seed).get("/assets")).json() for seed in (7, 7, 8)]

    assert one["data"][0]["serialNumber"] == same["data"][0]["serialNumber"] != other["data"][0]["serialNumber"]


async def test_a_key_is_needed(client: httpx.AsyncClient) -> None:
    """In its own header; without it or with another, 401 in the service's form."""
    answers = [await client.get("/databases", headers={"X-Api-Key": key}) for key in ("", "wrong")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["error"]["message"] == "The request is not authorized."


async def test_a_key_tells_its_database(client: httpx.AsyncClient) -> None:
    """One database, in a list."""
    (database,) = (await client.get("/databases")).json()["data"]

    assert (database["name"], database["limits"]["assets"]) == ("Acme IT", None)


async def test_a_list_is_paged_without_a_total(api: Api) -> None:
    """100 when nothing is said, 1000 at most, and nothing but `data`."""
    client = api(assets=1100)

    first, second = (await client.get("/assets")).json(), (await client.get("/assets?limit=1000&offset=1000")).json()

    assert (len(first["data"]), len(second["data"]), list(first)) == (100, 100, ["data"])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "$filter=tag eq 1"])
async def test_a_wrong_page_is_refused(client: httpx.AsyncClient, query: str) -> None:
    """Nothing is ignored."""
    assert (await client.get(f"/assets?{query}")).status_code == 400


@pytest.mark.parametrize("path", ["/assets", "/people", "/locations"])
async def test_one_record_is_a_list_of_one(client: httpx.AsyncClient, path: str) -> None:
    """As in the list; 404 for one that is not there."""
    listed = (await client.get(path)).json()["data"][0]

    assert (await client.get(f"{path}/{listed['id']}")).json() == {"data": [listed]}
    assert (await client.get(f"{path}/nothing")).status_code == 404


@pytest.mark.parametrize(("form", "brand"), [("bare", "Apple"), ("wrapped", {"value": "Apple"})])
async def test_custom_fields_have_one_form(api: Api, form: str, brand: Any) -> None:
    """Read and written; the other form is refused, by its key."""
    client = api(custom_fields=form)
    asset = (await client.post("/assets", json={"tag": "N1", "brand": brand})).json()["data"][0]
    other = {"value": "Apple"} if form == "bare" else "Apple"

    refused = await client.post(f"/assets/{asset['id']}", json={"brand": other})

    assert (asset["tag"], asset["brand"]) == ("N1", brand)
    assert (refused.status_code, list(refused.json()["error"]["data"])) == (400, ["brand"])


@pytest.mark.parametrize(("updates", "kept"), [("merge", ("IT-00001", "Apple")), ("replace", (None, None))])
async def test_an_update_leaves_or_clears_the_rest(api: Api, updates: str, kept: tuple[Any, Any]) -> None:
    """Whichever the service does; it is a POST, and PATCH is not taken."""
    client = api(updates=updates)
    asset = (await client.get("/assets?limit=1")).json()["data"][0]

    after = (await client.post(f"/assets/{asset['id']}", json={"description": "New"})).json()["data"][0]

    assert (after["description"], after["tag"], after.get("brand")) == ("New", *kept)
    assert (await client.patch(f"/assets/{asset['id']}", json={})).status_code == 405


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/assets", {"tag": "x" * 49}, "tag"),
        ("/assets", {"description": "x" * 257}, "description"),
        ("/assets", {"category": {"id": "nothing"}}, "category"),
        ("/assets", {"colour": "red"}, "colour"),
        ("/people", {"name": "x"}, "name"),
        ("/people", {"email": "nora@example.com"}, "name"),
        ("/people", {"name": "Nora", "email": "x" * 129}, "email"),
    ],
)
async def test_a_wrong_body_is_explained(client: httpx.AsyncClient, path: str, body: Any, key: str) -> None:
    """By the key that is wrong."""
    answer = await client.post(path, json=body)

    assert (answer.status_code, list(answer.json()["error"]["data"])) == (400, [key])


async def test_a_key_that_nobody_knows_may_be_ignored(api: Api) -> None:
    """The other thing that the service may do."""
    answer = await api(unknown_fields="ignore").post("/assets", json={"colour": "red"})

    assert (answer.status_code, "colour" in answer.json()["data"][0]) == (201, False)


async def test_a_plan_has_a_limit(api: Api) -> None:
    """402 for one asset more; updates go on."""
    client = api(asset_limit=12)
    asset = (await client.get("/assets?limit=1")).json()["data"][0]

    assert (await client.post("/assets", json={"tag": "N1"})).status_code == 402
    assert (await client.post(f"/assets/{asset['id']}", json={"tag": "N1"})).status_code == 200


async def test_an_update_of_a_person_needs_the_name(client: httpx.AsyncClient) -> None:
    """As creating one does."""
    person = (await client.get("/people?limit=1")).json()["data"][0]

    assert (await client.post(f"/people/{person['id']}", json={"title": "Lead"})).status_code == 400
    renamed = await client.post(f"/people/{person['id']}", json={"name": "Nora Lind", "title": "Lead"})
    assert (renamed.json()["data"][0]["name"], renamed.json()["data"][0]["title"]) == ("Nora Lind", "Lead")


async def test_a_note_is_an_object(client: httpx.AsyncClient) -> None:
    """Not a list of one, as all else; it is listed by its target."""
    asset = (await client.get("/assets?limit=1")).json()["data"][0]

    note = (await client.post("/notes", json={"targetId": asset["id"], "value": "Spare charger"})).json()["data"]

    assert (await client.get(f"/notes?targetId={asset['id']}")).json() == {"data": [note]}
    assert (await client.get(f"/notes/{note['id']}")).json() == {"data": note}
    assert (await client.get("/notes")).status_code == 400
    assert (await client.post("/notes", json={"targetId": "nothing", "value": "x"})).status_code == 404


async def test_somebody_changes_an_asset_in_the_web_app(client: httpx.AsyncClient) -> None:
    """A field that is null is gone."""
    asset = (await client.get("/assets?limit=1")).json()["data"][0]
    change = {"tag": "N1", "reserved": True, "fields": {"brand": None, "model": "M"}}

    await client.patch(f"{ADMIN}/assets/{asset['id']}", json=change)
    after = (await client.get(f"/assets/{asset['id']}")).json()["data"][0]

    assert (after["tag"], after["model"], after["reservation"]["value"]["status"]) == ("N1", "M", "Reserved")
    assert "brand" not in after
