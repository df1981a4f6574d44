"""Quick actions through HTTP: who may tell a device what, when, and what is left of it."""

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import sqlalchemy as sa

from connector.catalog.find import catalog
from connector.sync.tables import sync_runs
from tests.conftest import Log, Upcard, asked
from tests.connector.rest.conftest import Fresh, holding
from tests.connector.rest.fleet import another, policy
from tests.connector.rest.sync_parts import PIN, SERIAL, SYNC, act, audited, linked, listed, recorded

ON = "actions: { enabled: true }\n"
ALL = "actions: { enabled: true, confirm: [] }\n"
PUSH = "/devices/d1/action/blankpush"


def sent(kandji: respx.MockRouter) -> list[str]:
    return [each.url.path.rpartition("/")[2] for each in asked(kandji) if each.method == "POST"]


async def lines(upcard: Upcard, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await upcard.http.get(f"{SYNC}/runs/{run}/changes")).json()["items"]
    return found


async def later(upcard: Upcard, minutes: int) -> None:
    """All that was recorded is so many minutes older."""
    moment = f"2026-01-01T00:{minutes:02}:00.000Z"
    await upcard.host.store.run(lambda db: db.execute(sa.update(sync_runs).values(started=moment)))


async def test_actions_are_off_by_default(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Nothing is sent until the mapping turns them on, and the asset says so."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard)

    answer = await act(upcard, "blankpush")

    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert answer.json()["detail"] == "Quick actions are off: actions.enabled of the mapping turns them on."
    assert (await upcard.http.get(f"{SYNC}/assets/{SERIAL}")).json()["actions"] == []
    assert (sent(kandji), await recorded(upcard)) == ([], [])


async def test_an_action_that_is_not_in_the_list_is_refused(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """`actions.allow` names those that are allowed."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, "actions: { enabled: true, allow: [blankpush], confirm: [] }\n")

    answers = [await act(upcard, action) for action in ("blankpush", "restart")]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert sent(kandji) == ["blankpush"]


async def test_an_action_is_answered_as_the_card_is(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """The same members, and a run of the caller's own."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "blankpush")

    assert (answer.status_code, answer.json()["outputs"]) == (200, {"status_code": 200})
    run = (await upcard.http.get(f"/v1/runs/{answer.json()['run']}")).json()
    assert (run["card"], run["state"]) == ("kandji.send_mdm_blank_push", "succeeded")


async def test_an_action_is_on_record_as_a_run_and_as_a_note(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """One line: what was asked of which device, and the run of the card; the audit has it under the caller."""
    upcard = await fresh()
    listed(kandji)
    asset = await linked(upcard, ON)

    answer = await act(upcard, "blankpush")

    [run] = await recorded(upcard)
    [line] = await lines(upcard, run.id)
    assert (run.mode, run.state, run.by, run.error) == ("action", "succeeded", upcard.caller, None)
    assert {key: line[key] for key in ("op", "side", "target", "field", "after", "status")} == {
        "op": "act",
        "side": "mdm",
        "target": "d1",
        "field": "blankpush",
        "after": answer.json()["run"],
        "status": "done",
    }
    [note] = notes(upcard, asset.sys_id)
    assert f"blankpush was sent to Mac 1 ({SERIAL})" in note
    [entry] = await audited(upcard, "sync_action")
    assert (entry["action"], entry["run"], entry["caller"]) == ("blankpush", answer.json()["run"], upcard.caller)


async def test_a_pin_is_shown_once_and_kept_nowhere(
    tmp_path: Path, fresh: Fresh, kandji: respx.MockRouter, log: Log
) -> None:
    """Not in the database, not in the file of assets, not in the log; the sync's run has no word of it."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "lock", confirm=SERIAL, headers={"Idempotency-Key": "once"})

    assert answer.json()["outputs"]["pin"] == PIN
    shown = [(await upcard.http.get(f"{SYNC}/runs")).text, (await upcard.http.get("/v1/audit")).text]
    kept = [*databases(tmp_path), log(), *shown]
    assert len(kept) == 5
    assert [text for text in kept if re.search(rf"(?<![0-9a-f.]){PIN}(?![0-9a-f])", text)] == []


async def test_a_note_that_cannot_be_written_fails_no_action(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device was told: that is what the caller hears."""
    upcard = await fresh()
    listed(kandji)
    asset = await linked(upcard, ON)
    with sqlite3.connect(upcard.host.syncs.systems.folder / "fleet.sqlite") as db:
        db.execute("DROP TABLE notes")

    answer = await act(upcard, "blankpush")

    assert answer.status_code == 200
    assert [run.state for run in await recorded(upcard)] == ["succeeded"]
    assert asset.sys_id


@pytest.mark.parametrize("confirm", [None, "", "C02MAC2"])
async def test_what_is_dangerous_is_confirmed_by_the_serial_number(
    fresh: Fresh, kandji: respx.MockRouter, confirm: str | None
) -> None:
    """Typed; anything else sends nothing."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "restart", confirm=confirm)

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, "confirm")
    assert (sent(kandji), await recorded(upcard)) == ([], [])


async def test_letter_case_of_a_serial_number_does_not_count(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """It is typed by a person."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "restart", confirm=f" {SERIAL.lower()} ")

    assert (answer.status_code, sent(kandji)) == (200, ["restart"])


@pytest.mark.parametrize(
    ("platform", "setting", "action", "status"),
    [
        ("iPhone", "guide", "restart", 409),
        ("iPhone", "guide", "shutdown", 409),
        ("iPhone", "api", "restart", 200),
        ("iPhone", "api", "shutdown", 200),
        ("AppleTV", "api", "restart", 200),
        ("AppleTV", "api", "shutdown", 409),
        ("iPad", "guide", "blankpush", 200),
        ("Mac", "guide", "restart", 200),
    ],
)
async def test_an_action_is_for_some_platforms(
    fresh: Fresh, kandji: respx.MockRouter, platform: str, setting: str, action: str, status: int
) -> None:
    """As the guide has it; or as the service's API allows, where the mapping says so. The asset says the same."""
    upcard = await fresh()
    listed(kandji, platform=platform)
    await linked(upcard, f"actions: {{ enabled: true, confirm: [], platforms: {setting} }}\n")

    may = (await upcard.http.get(f"{SYNC}/assets/{SERIAL}")).json()["actions"]
    answer = await act(upcard, action)

    assert answer.status_code == status
    assert (action in may) == (status == 200)
    assert sent(kandji) == ([action] if status == 200 else [])


@pytest.mark.parametrize("facts", [{"mdm_enabled": False}, {"is_removed": True}, {"device_id": "another"}])
async def test_a_device_that_left_is_told_nothing(
    fresh: Fresh, kandji: respx.MockRouter, facts: dict[str, Any]
) -> None:
    """Not enrolled, removed, or not in the list any more."""
    upcard = await fresh()
    listed(kandji, **facts)
    await linked(upcard, ON)

    answer = await act(upcard, "blankpush")

    assert (answer.status_code, answer.json()["type"], sent(kandji)) == (409, "conflict", [])


@pytest.mark.parametrize(("state", "status"), [("active", 200), ("held", 409), ("missing", 409), ("retired", 409)])
async def test_only_linked_devices_take_actions(
    fresh: Fresh, kandji: respx.MockRouter, state: str, status: int
) -> None:
    """A link that is held or missing is none."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON, state=state)

    assert (await act(upcard, "blankpush")).status_code == status


async def test_an_asset_without_a_link_takes_no_actions(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """By its serial number, by its ID, or by one that is not there."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)
    syncs = upcard.host.syncs
    alone = await syncs.both(await syncs.get("fleet")).assets.create_asset({"serial": "ALONE"})

    answers = [await act(upcard, "blankpush", asset=name) for name in ("ALONE", alone.sys_id, "nobody")]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(404, "not_found")}


async def test_two_assets_with_one_serial_number_are_named_by_their_ids(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Nobody guesses which one was meant."""
    upcard = await fresh()
    listed(kandji)
    first = await linked(upcard, ON)
    await linked(upcard, device="d2")

    answers = [await act(upcard, "blankpush", asset=name) for name in (SERIAL, first.sys_id)]

    assert [answer.status_code for answer in answers] == [409, 200]


async def test_the_same_action_within_five_minutes_is_refused(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """For the same device; another action goes through, and so does the same one later."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)

    answers = [await act(upcard, action) for action in ("restart", "restart", "blankpush")]
    await later(upcard, 4)
    after = await act(upcard, "restart")

    assert [answer.status_code for answer in [*answers, after]] == [200, 409, 200, 200]
    assert answers[1].json()["type"] == "conflict"
    assert sent(kandji) == ["restart", "blankpush", "restart"]


async def test_two_at_once_send_one_command(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """It is on record before it is sent."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)

    answers = await asyncio.gather(*(act(upcard, "restart") for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert sent(kandji) == ["restart"]


async def test_the_same_key_gets_the_same_answer(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """ID-1: also within the five minutes, with the PIN; it is on record once."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)

    first, second = [await act(upcard, "lock", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    other = await act(upcard, "lock", headers={"Idempotency-Key": "k2"})

    assert (second.json(), second.headers["idempotent-replayed"]) == (first.json(), "true")
    assert (other.status_code, sent(kandji), len(await recorded(upcard))) == (409, ["lock"], 1)


async def test_already_running_is_a_result(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """400 of the service is in Status Code; it is on record as not done, and may be asked for again."""
    upcard = await fresh()
    kandji.post(PUSH).mock(side_effect=[httpx.Response(400, json={"detail": "running"}), httpx.Response(200)])
    listed(kandji)
    asset = await linked(upcard, ON)

    first, second = [await act(upcard, "blankpush") for _ in range(2)]

    assert (first.status_code, first.json()["outputs"]) == (200, {"status_code": 400})
    assert second.json()["outputs"] == {"status_code": 200}
    assert [run.state for run in await recorded(upcard)] == ["succeeded", "failed"]
    assert len(notes(upcard, asset.sys_id)) == 1


async def test_an_action_whose_outcome_is_unknown_is_not_repeated(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """It may have been carried out: within five minutes nobody sends it again."""
    upcard = await fresh()
    kandji.post(PUSH).mock(side_effect=httpx.ReadTimeout("late"))
    listed(kandji)
    await linked(upcard, ON)

    first, second = [await act(upcard, "blankpush") for _ in range(2)]

    assert (first.status_code, first.json()["type"]) == (502, "outcome_unknown")
    assert (second.status_code, second.json()["type"]) == (409, "conflict")
    [run] = await recorded(upcard)
    assert (run.state, run.error and run.error["type"]) == ("failed", "outcome_unknown")


async def test_an_action_that_was_not_carried_out_may_be_repeated(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """The service was throttling: nothing was done."""
    upcard = await fresh()
    kandji.post(PUSH).respond(429, headers={"retry-after": "3600"})
    listed(kandji)
    await linked(upcard, ON)

    first, second = [await act(upcard, "blankpush") for _ in range(2)]

    assert [answer.json()["type"] for answer in (first, second)] == ["throttled"] * 2


async def test_an_action_counts_for_the_cap(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: it is a disruptive card like any other; one that was refused is no run of the sync."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)
    await policy(upcard, disruptions_per_10_minutes=1)

    answers = [await act(upcard, action) for action in ("restart", "shutdown", "shutdown")]

    assert [(each.status_code, each.json().get("type")) for each in answers] == [
        (200, None),
        (429, "safety_cap"),
        (429, "safety_cap"),
    ]
    assert (sent(kandji), len(await recorded(upcard))) == (["restart"], 1)


async def test_the_kill_switch_stops_actions(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)
    await upcard.http.put("/v1/kill-switch", json={"on": True})

    assert ((await act(upcard, "restart")).status_code, sent(kandji)) == (403, [])


async def test_an_action_that_destroys_waits_for_a_second_person(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DA-2: an MDM may name such a card. Who asked gets the answer by the same call, and then it is on record."""
    upcard = await fresh()
    listed(kandji)
    kandji.post("/devices/d1/action/clearpasscode").respond(200)
    mdm = catalog().connector("kandji").mdm
    assert mdm
    monkeypatch.setattr(mdm, "actions", {**mdm.actions, "lock": "clear_passcode"})
    await linked(upcard, ALL)
    await policy(upcard, destroy="approve")

    held = await act(upcard, "lock", headers={"Idempotency-Key": "k"})
    before = await recorded(upcard)
    [approval] = (await upcard.http.get("/v1/approvals")).json()["items"]
    async with another(upcard) as second:
        assert (await second.post(f"/v1/approvals/{approval['id']}/approve", json={})).status_code == 200
    for _ in range(100):
        answer = await act(upcard, "lock", headers={"Idempotency-Key": "k"})
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.02)

    assert (held.status_code, held.json()["type"], before) == (409, "approval_required", [])
    assert (answer.status_code, answer.json()["run"]) == (200, held.json()["run"])
    assert [run.inputs for run in await recorded(upcard)] == [held.json()["run"]]


async def test_a_slow_action_is_on_record_when_it_ends(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """202 after `Prefer: wait`, and where to look; what became of it is recorded all the same."""
    upcard = await fresh()
    goes_on = asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        await goes_on.wait()
        return httpx.Response(200, json={})

    kandji.post(PUSH).mock(side_effect=slow)
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "blankpush", headers={"Prefer": "wait=1"})
    [before] = await recorded(upcard)
    goes_on.set()
    await asyncio.gather(*upcard.host.runner.tasks)
    [after] = await recorded(upcard)

    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/runs/{answer.json()['run']}")
    assert (before.error and before.error["type"], after.state, after.error) == ("outcome_unknown", "succeeded", None)
    assert after.inputs == answer.json()["run"]


@pytest.mark.parametrize(
    ("scopes", "cards", "action", "detail"),
    [
        (("cards:read", "admin"), ("*",), "blankpush", "The key lacks the scope cards:write."),
        (("cards:write",), ("kandji.get_device",), "blankpush", "The key is not for this card."),
    ],
)
async def test_an_action_needs_what_its_card_needs(
    fresh: Fresh, kandji: respx.MockRouter, scopes: tuple[str, ...], cards: tuple[str, ...], action: str, detail: str
) -> None:
    """AU-4: the sync is no way around a key's limits."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    async with holding(upcard, *scopes, cards=cards) as http:
        answer = await http.post(f"{SYNC}/actions", json={"asset": SERIAL, "action": action})

    assert (answer.status_code, answer.json()["detail"]) == (403, detail)
    assert sent(kandji) == []


async def test_a_pin_is_for_who_may_see_secrets(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """As on the card itself: without the scope the device is locked, and the PIN is hidden."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)
    body = {"asset": SERIAL, "action": "lock"}

    async with holding(upcard, "cards:write") as http:
        by_sync = await http.post(f"{SYNC}/actions", json=body)
        by_card = await http.post("/v1/cards/kandji/lock_device", json={"inputs": {"device_id": "d1"}})

    assert by_sync.json()["outputs"] == by_card.json()["outputs"]
    assert PIN not in by_sync.text


async def test_the_device_follows_from_the_asset(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Another one cannot be named; other inputs are the card's."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answers = [await act(upcard, "blankpush", inputs=given) for given in ({"device_id": "d2"}, {"x": 1})]

    assert [answer.json()["errors"][0]["at"] for answer in answers] == ["inputs/device_id", "inputs/x"]
    assert sent(kandji) == []


async def test_an_action_does_not_make_a_plan_old(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Nothing of what is synced changed: the plan that was made before it can still be applied."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)
    made = await upcard.http.post(f"{SYNC}/undo", json={"run": (await earlier(upcard))})

    await act(upcard, "blankpush")
    answer = await upcard.http.post(
        f"{SYNC}/apply", json={"plan": made.json()["run"]}, headers={"Prefer": "respond-async"}
    )

    assert answer.status_code == 202


async def earlier(upcard: Upcard) -> str:
    """A run that is over: an action of another device's asset."""
    await act(upcard, "blankpush")
    await later(upcard, 1)
    return (await recorded(upcard))[0].id


def notes(upcard: Upcard, asset: str) -> list[str]:
    with sqlite3.connect(upcard.host.syncs.systems.folder / "fleet.sqlite") as db:
        return [row[0] for row in db.execute("SELECT text FROM notes WHERE asset=?", (asset,))]


def databases(folder: Path) -> list[str]:
    """All that is in the host's database, and in the file of assets."""
    return [dumped(path) for kind in ("*.db", "*.sqlite") for path in folder.rglob(kind)]


def dumped(path: Path) -> str:
    with sqlite3.connect(path) as db:
        return "\n".join(db.iterdump())
