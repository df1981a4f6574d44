"""A second person agrees, refuses, or is too late."""

from typing import Any

import pytest
import respx
import sqlalchemy as sa

from connector.engine import approvals, tables
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import (
    CLEAR,
    ERASE,
    another,
    clear,
    custom,
    decisions,
    ended,
    held,
    played,
    policy,
    sent,
)


async def test_a_second_person_lets_the_call_through(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: once, exactly as it was asked for, under the run that waited."""
    upcard = await on_either()
    approval = await held(upcard, kandji, reason="Device was sold")
    waiting = (await upcard.http.get(f"/v1/runs/{approval['run']}")).json()["state"]

    async with another(upcard, "cards:destroy") as who:
        path = f"/v1/approvals/{approval['id']}"
        seen = (await who.get(path)).json()
        agreed = await who.post(f"{path}/approve", json={"reason": "Seen"})
        again = await who.post(f"{path}/approve", json={})

    assert (waiting, seen["reason"], seen["target"]) == ("waiting_approval", "Device was sold", "DMPX2")
    assert (agreed.status_code, agreed.json()["state"], agreed.json()["decided_why"]) == (200, "approved", "Seen")
    assert again.status_code == 409
    assert ((await ended(upcard, approval["run"]))["state"], sent(kandji)) == ("succeeded", [f"POST {CLEAR}"])


async def test_who_approves_a_written_request_sees_it(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5, DA-8: with the method, which is all that tells a look from a deletion; so does the audit."""
    upcard = await on_either()
    played(kandji)
    await policy(upcard, destroy="approve")

    await custom(upcard, "DELETE", "/devices/d2")

    seen = (await upcard.http.get("/v1/approvals")).json()["items"][0]["target"]
    entry = (await upcard.http.get("/v1/audit")).json()["items"][0]["target"]
    assert (seen, entry) == ("DMPX2: DELETE devices/d2", "DELETE devices/d2")


async def test_a_key_holds_no_more_than_a_person_can_look_at(
    on_either: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AU-7: who asks without end neither fills the store nor hides one call among thousands."""
    monkeypatch.setattr(approvals, "MOST_WAITING", 1)
    upcard = await on_either()
    approval = await held(upcard, kandji)

    more = await upcard.call("kandji.erase_device", inputs=ERASE)
    async with another(upcard, "cards:destroy") as who:
        others = await who.post("/v1/cards/kandji/clear_passcode", json={"inputs": {"device_id": "d2"}})
    await upcard.http.post(f"/v1/approvals/{approval['id']}/refuse", json={})
    later = await upcard.call("kandji.erase_device", inputs=ERASE)

    found = [answer.json()["type"] for answer in (more, others, later)]
    assert found == ["safety_cap", "approval_required", "approval_required"]


async def test_who_asked_gets_the_answer_with_the_same_key(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """The run keeps no outputs; the Idempotency-Key does."""
    upcard = await on_either()
    upcard.http.headers["Idempotency-Key"] = "k-1"
    approval = await held(upcard, kandji)
    asks_again = await clear(upcard)

    async with another(upcard, "cards:destroy") as who:
        await who.post(f"/v1/approvals/{approval['id']}/approve", json={})
    await ended(upcard, approval["run"])
    answer = await clear(upcard)

    assert (asks_again.json()["type"], asks_again.json()["run"]) == ("approval_required", approval["run"])
    assert (answer.status_code, answer.json()["outputs"]["status_code"]) == (200, 200)
    assert (answer.headers["idempotent-replayed"], len(sent(kandji))) == ("true", 1)


async def test_nobody_agrees_with_themselves(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: neither the key that asked, nor one that it made, directly or not."""
    upcard = await on_either()
    approval = await held(upcard, kandji)
    path = f"/v1/approvals/{approval['id']}/approve"

    found = [await upcard.http.post(path, json={})]
    async with another(upcard, maker=upcard.caller) as child:
        found.append(await child.post(path, json={}))
        child_id = child.headers["authorization"].split("_")[2]
    async with another(upcard, maker=child_id) as grandchild:
        upcard.host.keys.revoke(child_id)  # which hides nothing
        found.append(await grandchild.post(path, json={}))

    assert [answer.status_code for answer in found] == [403, 403, 403]
    assert sent(kandji) == []
    assert (await decisions(upcard))[-3:] == [("call", "kandji.clear_passcode", "refused", "forbidden")] * 3


@pytest.mark.parametrize(
    ("scopes", "narrow", "status"),
    [
        (("cards:read", "admin"), {}, 403),
        (("cards:destroy",), {"connections": ("other",)}, 404),
        (("cards:destroy",), {"cards": ("kandji.erase_device",)}, 404),
    ],
)
async def test_who_could_not_make_the_call_cannot_approve_it(
    on_either: Fresh, kandji: respx.MockRouter, scopes: tuple[str, ...], narrow: dict[str, Any], status: int
) -> None:
    """DA-5: an approval gives nobody more than they have."""
    upcard = await on_either()
    approval = await held(upcard, kandji)

    async with another(upcard, *scopes, **narrow) as who:
        answer = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    assert (answer.status_code, sent(kandji)) == (status, [])


async def test_who_approves_a_written_request_needs_its_card(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """SSRF-10, DA-5: a key that could not write Clear Passcode does not let another write it."""
    upcard = await on_either()
    played(kandji)
    await policy(upcard, destroy="approve")
    await custom(upcard, "POST", CLEAR)
    approval = (await upcard.http.get("/v1/approvals")).json()["items"][0]

    async with another(upcard, cards=("kandji.custom_api_action", "kandji.erase_device")) as who:
        answer = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    assert (answer.status_code, sent(kandji)) == (403, [])


async def test_who_could_not_make_the_call_cannot_refuse_it(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: nor see that it waits."""
    upcard = await on_either()
    approval = await held(upcard, kandji)

    async with another(upcard, "cards:destroy", cards=("kandji.erase_device",)) as who:
        refused = await who.post(f"/v1/approvals/{approval['id']}/refuse", json={})
        seen = (await who.get("/v1/approvals")).json()["items"]

    assert (refused.status_code, seen) == (404, [])


async def test_a_call_that_was_refused_is_not_made(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: its run failed, and the same call may be asked for anew."""
    upcard = await on_either()
    upcard.http.headers["Idempotency-Key"] = "k-1"
    approval = await held(upcard, kandji)

    async with another(upcard, "cards:destroy") as who:
        refused = await who.post(f"/v1/approvals/{approval['id']}/refuse", json={"reason": "Wrong device"})
        late = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    run = (await upcard.http.get(f"/v1/runs/{approval['run']}")).json()
    assert (refused.json()["state"], late.status_code, run["state"]) == ("refused", 409, "failed")
    assert run["error"]["type"] == "forbidden"
    assert (await clear(upcard)).json()["run"] != approval["run"]
    assert sent(kandji) == []


async def test_an_approval_expires(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: what nobody decided in time is not made."""
    upcard = await on_either()
    approval = await held(upcard, kandji)
    past = sa.update(tables.approvals).values(expires="2026-01-01T00:00:00.000Z")
    await upcard.host.store.run(lambda db: db.execute(past))

    async with another(upcard, "cards:destroy") as who:
        late = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})
    await upcard.host.approvals.expire()

    run = (await upcard.http.get(f"/v1/runs/{approval['run']}")).json()
    assert (late.status_code, run["state"], run["error"]["type"]) == (409, "failed", "approval_required")
    assert sent(kandji) == []


async def test_an_approval_does_not_lift_a_cap_or_the_kill_switch(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4, DA-6: they count at the moment of sending."""
    upcard = await on_either()
    approval = await held(upcard, kandji)
    path = f"/v1/approvals/{approval['id']}/approve"

    async with another(upcard, "cards:destroy") as who:
        await policy(upcard, destroy="approve", destroys_per_day=0)
        capped = await who.post(path, json={})
        await policy(upcard, destroy="approve")
        await upcard.http.put("/v1/kill-switch", json={"on": True})
        stopped = await who.post(path, json={})

    assert (capped.status_code, stopped.status_code, sent(kandji)) == (429, 403, [])


async def test_the_call_of_a_key_that_was_revoked_is_not_made(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: who asked must still be allowed to."""
    upcard = await on_either()
    approval = await held(upcard, kandji)

    async with another(upcard, "cards:destroy") as who:
        upcard.host.keys.revoke(upcard.caller)
        answer = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    assert (answer.status_code, sent(kandji)) == (409, [])


async def test_a_held_call_is_kept_sealed(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-1: a PIN waits with it; once it is decided, nothing of it is kept."""
    upcard = await on_either()
    kandji.get("/devices/d1").respond(200, json={"device_id": "d1", "platform": "Mac", "serial_number": "C02X"})
    await policy(upcard, destroy="approve")
    await upcard.call("kandji.erase_device", inputs={"device_id": "d1", "pin": "048213"})
    rows = upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.approvals)).mappings().all())

    await upcard.http.post(f"/v1/approvals/{rows[0]['id']}/refuse", json={})
    after = upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.approvals)).mappings().all())

    assert ("048213" in str(rows), rows[0]["call"] is None, after[0]["call"]) == (False, False, None)
