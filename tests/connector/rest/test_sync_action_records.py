"""What a quick action leaves behind: a run with one line, a note, an entry of the audit; and never a PIN."""

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from connector.catalog.find import catalog
from tests.conftest import Log, Upcard
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import another, policy
from tests.connector.rest.sync_parts import (
    ALL,
    ON,
    PIN,
    SERIAL,
    SYNC,
    act,
    audited,
    linked,
    listed,
    long_ago,
    recorded,
    told,
)

PUSH = "/devices/d1/action/blankpush"


async def lines(upcard: Upcard, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await upcard.http.get(f"{SYNC}/runs/{run}/changes")).json()["items"]
    return found


async def test_an_action_is_on_record_as_a_run_and_as_a_note(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """One line: what was asked of which device, and the run of the card; the audit has it under the caller."""
    upcard = await on_either()
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


async def test_the_same_key_gets_the_same_answer(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-1: also within the five minutes, with the PIN; it is on record once."""
    upcard = await on_either()
    listed(kandji)
    await linked(upcard, ALL)

    first, second = [await act(upcard, "lock", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    other = await act(upcard, "lock", headers={"Idempotency-Key": "k2"})

    assert (second.json(), second.headers["idempotent-replayed"]) == (first.json(), "true")
    assert (other.status_code, told(kandji), len(await recorded(upcard))) == (409, ["lock"], 1)


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
    await long_ago(upcard)
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
