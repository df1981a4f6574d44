"""Syncs through HTTP: made, looked at, changed and forgotten; their mappings, locks, outbox and hook."""

from typing import Any

import pytest
import respx

from connector.sync import memory, outbox
from connector.sync.entities import Change, Hold, Link, Notice
from connector.sync.plan import Plan
from connector.sync.runs import SyncRun, insert, keep
from tests.conftest import Upcard
from tests.connector.rest.conftest import Fresh, holding
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
NO_SYNC = (404, "no_such_sync")
EVERY = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "/mapping"),
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


async def at_work(upcard: Upcard) -> str:
    """A run that is under way, as far as the store knows."""
    run = SyncRun("fleet", "apply", "somebody", state="running")
    await upcard.host.store.run(lambda db: insert(db, run))
    return run.id


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


async def test_a_sync_at_work_is_not_deleted(fresh: Fresh) -> None:
    """409, with the run; and it says so itself."""
    upcard = await fresh()
    await a_sync(upcard)
    run = await at_work(upcard)

    answers = [
        await upcard.http.delete(SYNC),
        await upcard.http.post(f"{SYNC}/plan"),
        await upcard.http.post(f"{SYNC}/apply"),
        await upcard.http.post(f"{SYNC}/undo", json={"run": run}),
    ]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(409, "conflict")}
    assert all(run in answer.json()["detail"] for answer in answers)
    assert (await upcard.http.get(SYNC)).json()["at_work"] == run


async def test_a_status_counts(fresh: Fresh) -> None:
    """Links by their state, people, holds of the last whole run, locks, and what waits in the outbox."""
    upcard = await fresh()
    asset = await linked(upcard)
    run = SyncRun("fleet", "plan", "somebody", state="planned")
    plan = Plan("x", holds=(Hold("twice", ("a", "b"), "two of them", "name one"),), warnings=(Notice("a", "why"),))

    def work(db: Any) -> None:
        memory.record_links(db, "fleet", [Link("device", "d9", "9", state="missing"), Link("user", "u1", "1")])
        keep(db, run, plan)
        outbox.announce(db, "fleet", [asset.sys_id], "hook")

    await upcard.host.store.run(work)
    await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "name", "reason": "why"})

    found = (await upcard.http.get(SYNC)).json()

    assert found["links"] == {"active": 1, "missing": 1, "people": 1}
    assert (found["holds"], found["locks"], found["outbox"]) == (1, 1, 1)
    assert (found["last"]["run"], found["last"]["exit_code"], found["last"]["held"]) == (run.id, 3, 1)
    assert "holds" not in found["last"]
    holds = (await upcard.http.get(f"{SYNC}/holds")).json()["items"]
    assert holds == [{"kind": "twice", "about": ["a", "b"], "why": "two of them", "todo": "name one", "field": None}]


async def test_a_field_is_locked_and_unlocked(fresh: Fresh) -> None:
    """With who did it and why; one that is locked stays as it is."""
    upcard = await fresh()
    asset = await linked(upcard)
    lock = {"link": f"device/{asset.sys_id}", "field": "name", "reason": "it is wrong"}
    named = {key: lock[key] for key in ("link", "field")}

    made = await upcard.http.post(f"{SYNC}/locks", json=lock)
    again = await upcard.http.post(f"{SYNC}/locks", json={**lock, "reason": "another"})
    there = (await upcard.http.get(f"{SYNC}/locks")).json()["items"]
    gone = await upcard.http.delete(f"{SYNC}/locks", params=named)
    twice = await upcard.http.delete(f"{SYNC}/locks", params=named)

    assert (made.status_code, {**made.json(), **lock, "by": upcard.caller}) == (201, made.json())
    assert (again.json(), there) == (made.json(), [made.json()])
    assert (gone.status_code, twice.status_code) == (204, 404)
    events = [(await audited(upcard, event))[-1] for event in ("sync_locked", "sync_unlocked")]
    assert [(each["link"], each["field"]) for each in events] == [(lock["link"], "name")] * 2


async def test_a_lock_names_a_link(fresh: Fresh) -> None:
    """404 for one that is not there; 400 without a name, or without a reason."""
    upcard = await fresh()
    await a_sync(upcard)

    answers = [
        await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "a", "reason": "b"}),
        await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "a"}),
        await upcard.http.delete(f"{SYNC}/locks", params={"link": "device/9"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 400, 400]
    assert [answer.json()["errors"][0]["at"] for answer in answers[1:]] == ["reason", "query/field"]


async def test_the_outbox_says_of_what_the_mdm_is_to_hear(fresh: Fresh) -> None:
    """Many announcements of one asset are one entry; one that is not linked is none of ours."""
    upcard = await fresh()
    asset = await linked(upcard)

    answers = [await upcard.http.post(f"{SYNC}/hook/assets/{asset.sys_id}") for _ in range(3)]
    nobody = await upcard.http.post(f"{SYNC}/hook/assets/nobody")

    assert [(each.status_code, each.json()) for each in answers] == [(202, {"announced": [asset.sys_id]})] * 3
    assert nobody.json() == {"announced": []}
    [entry] = (await upcard.http.get(f"{SYNC}/outbox")).json()["items"]
    assert (entry["asset"], entry["origin"], entry["turn"], entry["attempts"]) == (asset.sys_id, "hook", 2, 0)
    assert len(await audited(upcard, "sync_hook")) == 4


async def test_what_was_done_by_a_run_is_listed(fresh: Fresh) -> None:
    """By pages, or only what became of it; another sync's runs are not there."""
    upcard = await fresh()
    await a_sync(upcard)
    await a_sync(upcard, name="other")
    lines = tuple(Change("link", "asset", str(seq), f"n{seq}", "why", seq=seq) for seq in range(1, 4))
    made = sorted((SyncRun("fleet", "plan", "somebody", state="planned") for _ in range(3)), key=lambda run: run.id)
    for run in made:
        await upcard.host.store.run(lambda db, run=run: keep(db, run, Plan("x", lines)))  # type: ignore[misc]
    at = f"{SYNC}/runs/{made[0].id}/changes"

    first = (await upcard.http.get(at, params={"limit": 2})).json()
    rest = (await upcard.http.get(at, params={"limit": 2, "cursor": first["next"]})).json()
    failed = (await upcard.http.get(at, params={"status": "failed"})).json()
    page = (await upcard.http.get(f"{SYNC}/runs", params={"limit": 2})).json()
    last = (await upcard.http.get(f"{SYNC}/runs", params={"limit": 2, "cursor": page["next"]})).json()

    assert [[line["seq"] for line in some["items"]] for some in (first, rest, failed)] == [[1, 2], [3], []]
    assert [run["run"] for run in page["items"] + last["items"]] == [run.id for run in reversed(made)]
    assert (rest["next"], last["next"]) == (None, None)
    assert (page["items"][0]["counts"], page["items"][0]["exit_code"]) == ({"planned": 3}, 2)
    other = await upcard.http.get(f"/v1/syncs/other/runs/{made[0].id}")
    assert (other.status_code, other.json()["type"]) == (404, "no_such_run")


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


async def test_a_key_uses_the_syncs_that_it_reaches(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """AU-4: both connections; the built-in asset system is none."""
    upcard = await fresh()
    await a_sync(upcard)

    async with holding(upcard, "admin", "runs", connections=("acme",)) as http:
        there = (await http.get("/v1/syncs")).json()["items"]
        changed = await http.patch(SYNC, json={"enabled": False})
        made = await http.post("/v1/syncs", json={"name": "b", "mdm": "acme", "assets": "file"})

    assert ([each["name"] for each in there], changed.status_code, made.status_code) == (["fleet"], 200, 201)


@pytest.mark.parametrize("body", [{"mapping": MAPPING}, {"mdm": "acme", "assets": "file"}])
async def test_a_key_makes_only_syncs_that_it_reaches(fresh: Fresh, body: dict[str, str]) -> None:
    """AU-4: else it would read what is not its own; nor does it change one to such connections."""
    upcard = await fresh()

    async with holding(upcard, "admin", connections=("workspace",)) as http:
        answer = await http.post("/v1/syncs", json={"name": "b", **body})

    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")


async def test_a_mapping_does_not_lead_beyond_a_key(fresh: Fresh) -> None:
    """AU-4: by saving it, or by having it extended."""
    upcard = await fresh(services=("kandji", "assetbots"))
    await a_sync(upcard)
    text = MAPPING.replace("kind: file, connection: fleet", "kind: assetbots, connection: workspace")

    async with holding(upcard, "admin", connections=("acme",)) as http:
        answers = [
            await http.patch(SYNC, json={"mapping": text}),
            await http.post(f"{SYNC}/mapping/propose", json={"mapping": text}),
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
