"""Which syncs a key reaches: those of whose connections it reaches both; the others are not there."""

from typing import Any

import pytest

from tests.connector.rest.conftest import Fresh, holding
from tests.connector.rest.sync_parts import MAPPING, SYNC, a_sync

NO_SYNC = (404, "no_such_sync")
EVERY = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "/mapping"),
    ("POST", "/check"),
    ("POST", "/mapping/propose"),
    ("POST", "/mapping/check"),
    ("POST", "/plan"),
    ("POST", "/apply"),
    ("POST", "/undo"),
    ("GET", "/runs"),
    ("GET", "/runs/sync_1"),
    ("GET", "/runs/sync_1/changes"),
    ("POST", "/runs/sync_1/cancel"),
    ("GET", "/holds"),
    ("GET", "/locks"),
    ("POST", "/locks"),
    ("DELETE", "/locks?link=a&field=b"),
    ("DELETE", "/links?link=a"),
    ("GET", "/outbox"),
    ("POST", "/hook/assets/1"),
    ("GET", "/assets/1"),
    ("POST", "/assets/1/check_out"),
    ("POST", "/assets/1/check_in"),
    ("POST", "/assets/1/tag"),
    ("POST", "/actions"),
]
BODIES: dict[str, Any] = {
    "": {"enabled": True},
    "/undo": {"run": "sync_1"},
    "/locks": {"link": "a", "field": "b", "reason": "c"},
    "/assets/1/check_out": {"person": "1"},
    "/assets/1/tag": {"tag": "a"},
    "/actions": {"asset": "1", "action": "blankpush"},
}


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_a_sync_beyond_a_key_is_not_there(fresh: Fresh, method: str, path: str) -> None:
    """AU-4: as one that never was, for a key that reaches only one of its connections."""
    upcard = await fresh(services=("kandji", "assetbots"))
    text = MAPPING.replace("kind: file, connection: fleet", "kind: assetbots, connection: workspace")
    await upcard.http.post("/v1/syncs", json={"name": "fleet", "mapping": text})
    scopes = ("admin", "runs", "cards:read", "cards:write")
    body = BODIES.get(path, {}) if method in ("POST", "PATCH") else None

    async with holding(upcard, *scopes, connections=("acme",)) as http:
        answers = [await http.request(method, f"/v1/syncs/{name}{path}", json=body) for name in ("fleet", "nobody")]
        there = (await http.get("/v1/syncs")).json()["items"]

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [NO_SYNC, NO_SYNC]
    assert answers[0].json() == answers[1].json()
    assert there == []


WORK = ["/plan", "/apply", "/undo", "/hook/assets/1", "/assets/1/check_out", "/assets/1/check_in", "/assets/1/tag"]


@pytest.mark.parametrize("path", WORK)
@pytest.mark.parametrize(("cards", "allowed"), [(("kandji.list_devices",), False), (("kandji.*",), True)])
async def test_a_key_for_some_cards_gets_no_others_by_a_sync(
    fresh: Fresh, path: str, cards: tuple[str, ...], *, allowed: bool
) -> None:
    """AU-4: a sync calls cards in its own name."""
    upcard = await fresh()
    await a_sync(upcard)

    async with holding(upcard, "runs", "cards:read", "cards:write", cards=cards) as http:
        answer = await http.post(f"{SYNC}{path}", json=BODIES.get(path, {}), headers={"Prefer": "respond-async"})

    assert (answer.status_code == 403) is not allowed, answer.text


async def test_a_key_uses_the_syncs_that_it_reaches(fresh: Fresh) -> None:
    """AU-4: both connections, of which a file of the built-in asset system is one, by its name."""
    upcard = await fresh()
    await a_sync(upcard)

    async with holding(upcard, "admin", "runs", connections=("acme", "fleet", "file")) as http:
        there = (await http.get("/v1/syncs")).json()["items"]
        changed = await http.patch(SYNC, json={"enabled": False})
        made = await http.post("/v1/syncs", json={"name": "b", "mdm": "acme", "assets": "file"})

    assert ([each["name"] for each in there], changed.status_code, made.status_code) == (["fleet"], 200, 201)


@pytest.mark.parametrize("reached", [("workspace",), ("acme",), ("fleet", "file")])
@pytest.mark.parametrize("body", [{"mapping": MAPPING}, {"mdm": "acme", "assets": "file"}])
async def test_a_key_makes_only_syncs_that_it_reaches(
    fresh: Fresh, body: dict[str, str], reached: tuple[str, ...]
) -> None:
    """AU-4: else it would read what is not its own; nor does it change one to such connections."""
    upcard = await fresh()

    async with holding(upcard, "admin", connections=reached) as http:
        answer = await http.post("/v1/syncs", json={"name": "b", **body})

    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")


async def test_a_mapping_does_not_lead_beyond_a_key(fresh: Fresh) -> None:
    """AU-4: by saving it, or by having it extended."""
    upcard = await fresh(services=("kandji", "assetbots"))
    await a_sync(upcard)
    text = MAPPING.replace("kind: file, connection: fleet", "kind: assetbots, connection: workspace")

    async with holding(upcard, "admin", connections=("acme", "fleet")) as http:
        answers = [
            await http.patch(SYNC, json={"mapping": text}),
            await http.post(f"{SYNC}/mapping/propose", json={"mapping": text}),
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
