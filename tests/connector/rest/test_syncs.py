"""Syncs through HTTP: made, looked at, changed and forgotten, and their mappings."""

from typing import Any

import pytest

from tests.connector.rest.conftest import Fresh
from tests.connector.rest.sync_parts import MAPPING, SYNC, a_sync, audited, linked

FRESH = {
    "name": "fleet",
    "enabled": False,
    "next_run": None,
    "at_work": None,
    "last": None,
    "links": {"active": 0, "missing": 0, "people": 0},
    "holds": 0,
    "locks": 0,
    "outbox": 0,
}


async def test_a_sync_is_made_of_a_mapping(fresh: Fresh) -> None:
    """To the letter, with its comments; it does nothing by itself yet."""
    upcard = await fresh()
    text = f"\n# ours\n{MAPPING}\n\n"

    made = await upcard.http.post("/v1/syncs", json={"name": "fleet", "mapping": text})

    assert (made.status_code, made.headers["location"]) == (201, SYNC)
    assert {**made.json(), **FRESH} == made.json()
    assert (await upcard.http.get(f"{SYNC}/mapping")).json() == {"mapping": text}
    assert (await upcard.http.get(SYNC)).json() == made.json()
    assert (await upcard.http.get("/v1/syncs")).json() == {"items": [made.json()], "next": None}
    assert [entry["sync"] for entry in await audited(upcard, "sync_created")] == ["fleet"]


async def test_a_mapping_is_proposed_for_two_connections(fresh: Fresh) -> None:
    """With a line for each property and each column, of the MDM and of the built-in asset system."""
    upcard = await fresh()

    made = await upcard.http.post("/v1/syncs", json={"name": "fleet", "mdm": "acme", "assets": "file"})

    text = (await upcard.http.get(f"{SYNC}/mapping")).json()["mapping"]
    assert made.status_code == 201
    assert "mdm: { kind: kandji, connection: acme }" in text
    assert "assets: { kind: file, connection: file }" in text
    assert "to: name, from: device_name" in text
    new = (await upcard.http.post(f"{SYNC}/mapping/check")).json()
    assert new == {"properties": [], "columns": []}


@pytest.mark.parametrize(
    ("body", "status", "at"),
    [
        ({"name": "A B", "mapping": MAPPING}, 400, "name"),
        ({"name": "b"}, 400, ""),
        ({"name": "b", "mdm": "acme"}, 400, "assets"),
        ({"name": "b", "assets": "file", "mapping": MAPPING}, 400, "mapping"),
        ({"name": "b", "mdm": "acme", "assets": "../x", "assets_kind": "file"}, 400, "assets"),
        ({"name": "b", "mdm": "nobody", "assets": "file"}, 404, None),
        ({"name": "b", "mdm": "acme", "assets": "nobody"}, 404, None),
        ({"name": "b", "mdm": "acme", "assets": "acme"}, 400, "assets/kind"),
        ({"name": "b", "mdm": "acme", "assets": "acme", "assets_kind": "snipeit"}, 400, "assets_kind"),
        ({"name": "b", "mapping": MAPPING.replace("acme", "nobody")}, 400, "mdm/connection"),
        ({"name": "b", "mapping": MAPPING.replace("connection: fleet", "connection: ../x")}, 400, "assets/connection"),
        ({"name": "fleet", "mapping": MAPPING}, 409, None),
    ],
)
async def test_a_sync_that_cannot_be_made_is_refused(
    fresh: Fresh, body: dict[str, str], status: int, at: str | None
) -> None:
    """With the place of what is wrong; nothing is kept of it."""
    upcard = await fresh()
    await a_sync(upcard)

    answer = await upcard.http.post("/v1/syncs", json=body)

    faults = answer.json().get("errors")
    assert (answer.status_code, faults and faults[0]["at"]) == (status, at)
    assert len((await upcard.http.get("/v1/syncs")).json()["items"]) == 1


@pytest.mark.parametrize("how", ["create", "change", "propose"])
async def test_every_error_of_a_mapping_has_its_line(fresh: Fresh, how: str) -> None:
    """All of them at once, wherever a mapping is given."""
    upcard = await fresh()
    await a_sync(upcard)
    wrong = MAPPING.replace("version: 1", "\nversion: 2") + "scedule: { every: 1h }\n"
    calls: dict[str, Any] = {
        "create": lambda: upcard.http.post("/v1/syncs", json={"name": "b", "mapping": wrong}),
        "change": lambda: upcard.http.patch(SYNC, json={"mapping": wrong}),
        "propose": lambda: upcard.http.post(f"{SYNC}/mapping/propose", json={"mapping": wrong}),
    }

    answer = await calls[how]()

    assert answer.status_code == 400
    assert [(each["at"], each["why"]) for each in answer.json()["errors"]] == [
        ("line 2: version", "version must be one of: 1."),
        ("line 10: scedule", "scedule is not a key here; did you mean schedule?"),
    ]


async def test_a_sync_is_turned_on_and_off(fresh: Fresh) -> None:
    """Its first run is due at once."""
    upcard = await fresh()
    await a_sync(upcard)

    on = (await upcard.http.patch(SYNC, json={"enabled": True})).json()
    off = (await upcard.http.patch(SYNC, json={"enabled": False})).json()

    assert (on["enabled"], bool(on["next_run"]), off["enabled"], off["next_run"]) == (True, True, False, None)
    assert [entry["enabled"] for entry in await audited(upcard, "sync_changed")] == ["false", "true"]


async def test_a_sync_without_a_category_is_not_turned_on(fresh: Fresh) -> None:
    """New assets would have none."""
    upcard = await fresh()
    text = MAPPING.replace('create: { default_category: "Kandji" }\n', "")
    await upcard.http.post("/v1/syncs", json={"name": "fleet", "mapping": text})

    answer = await upcard.http.patch(SYNC, json={"enabled": True})

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, "create/default_category")
    assert (await upcard.http.get(SYNC)).json()["enabled"] is False


async def test_another_mapping_is_saved(fresh: Fresh) -> None:
    """One that is empty is refused; the audit says that it was saved, and not what it says."""
    upcard = await fresh()
    await a_sync(upcard)

    empty = await upcard.http.patch(SYNC, json={"mapping": ""})
    saved = await upcard.http.patch(SYNC, json={"mapping": MAPPING + "# more\n"})

    assert (empty.status_code, saved.status_code) == (400, 200)
    assert (await upcard.http.get(f"{SYNC}/mapping")).json() == {"mapping": MAPPING + "# more\n"}
    [entry] = await audited(upcard, "sync_changed")
    assert (entry["mapping"], entry["caller"]) == ("saved", upcard.caller)
    assert "# more" not in str(entry)


async def test_a_proposal_is_not_saved(fresh: Fresh) -> None:
    """It extends what is saved, or the file that is sent, and leaves its lines as they are."""
    upcard = await fresh()
    await a_sync(upcard)

    saved = (await upcard.http.post(f"{SYNC}/mapping/propose")).json()
    sent = (await upcard.http.post(f"{SYNC}/mapping/propose", json={"mapping": MAPPING + "# mine\n"})).json()

    assert (saved["saved"], sent["saved"]) == (False, False)
    assert "  - { to: name, from: device_name }\n" in saved["mapping"]
    assert "from: os_version" in saved["mapping"]
    assert sent["mapping"].endswith("# mine\n")
    assert (await upcard.http.get(f"{SYNC}/mapping")).json() == {"mapping": MAPPING}


async def test_what_is_new_on_either_side_is_told(fresh: Fresh) -> None:
    """Properties and columns with their kinds, of which the mapping says nothing."""
    upcard = await fresh()
    await a_sync(upcard)

    new = (await upcard.http.post(f"{SYNC}/mapping/check")).json()

    assert {"name": "tag", "kind": "text"} in new["columns"]
    assert {"name": "os_version", "kind": "text"} in new["properties"]
    assert "serial_number" not in [each["name"] for each in new["properties"]]


async def test_a_sync_is_deleted_with_what_it_remembers(fresh: Fresh) -> None:
    """Both systems stay as they are; a new one of the same name begins anew."""
    upcard = await fresh()
    asset = await linked(upcard)
    await upcard.http.post(f"{SYNC}/hook/assets/{asset.sys_id}")

    gone = await upcard.http.delete(SYNC)
    missing = await upcard.http.get(SYNC)
    again = (await a_sync(upcard)).json()

    assert (gone.status_code, gone.content, missing.status_code) == (204, b"", 404)
    assert (again["links"]["active"], again["outbox"]) == (0, 0)
    assert len(await audited(upcard, "sync_deleted")) == 1
