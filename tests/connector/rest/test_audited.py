"""What is on record: who did what, on which device, allowed or refused."""

import asyncio

import pytest
import respx
import sqlalchemy as sa

from connector.engine import tables
from connector.engine.audit import Audit
from tests.conftest import TOKEN
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import (
    another,
    clear,
    custom,
    decisions,
    played,
    policy,
    sent,
)


async def test_who_did_what_is_on_record(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-8: allowed or refused, by which key, on which device, and what became of it; reads are not."""
    upcard = await on_either()
    played(kandji)
    kandji.get("/devices/d1/secrets/unlockpin").respond(200, json={"pin": "048213"})

    await upcard.call("kandji.get_device", options={"details": "basic"}, inputs={"device_id": "d2"})
    await clear(upcard)
    await upcard.call("kandji.get_unlock_pin", inputs={"device_id": "d1"})
    async with another(upcard, "cards:read") as who:
        await who.post("/v1/cards/kandji/clear_passcode", json={"inputs": {"device_id": "d2"}})

    answer = (await upcard.http.get("/v1/audit")).json()["items"]
    assert await decisions(upcard) == [
        ("call", "kandji.clear_passcode", "allowed"),
        ("outcome", "kandji.clear_passcode", "succeeded", 200),
        ("call", "kandji.get_unlock_pin", "allowed"),
        ("outcome", "kandji.get_unlock_pin", "succeeded"),
        ("call", "kandji.clear_passcode", "refused", "forbidden"),
    ]
    assert (answer[-1]["target"], answer[-1]["caller"], len(answer[-1]["payload"])) == ("d2", upcard.caller, 64)
    assert "048213" not in str(answer)
    assert upcard.host.audit.verify() == []


async def test_who_is_refused_without_end_does_not_fill_the_audit(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """AU-7: a key that allows nothing could write 200 entries a second, which are kept forever."""
    upcard = await on_either()
    said = {"inputs": {"device_id": "d2"}}

    async with another(upcard, "runs") as who:
        answers = await asyncio.gather(*(who.post("/v1/cards/kandji/clear_passcode", json=said) for _ in range(150)))

    entries = (await upcard.http.get("/v1/audit", params={"limit": 1000})).json()["items"]
    assert {answer.status_code for answer in answers} == {403}
    assert 100 <= len(entries) < 150


async def test_a_token_that_stands_for_a_device_is_not_on_record(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-4: the audit and approvals have the target as it was given, but not where that is a token or a key."""
    upcard = await on_either()
    kandji.route().respond(200, json={"serial_number": "DMPX2", "platform": "iPad"})
    key = upcard.http.headers["Authorization"].removeprefix("Bearer ")
    await policy(upcard, destroy="approve")

    await upcard.call("kandji.lock_device", inputs={"device_id": TOKEN})
    await custom(upcard, "DELETE", f"/keys/{key}")

    audit, held = await upcard.http.get("/v1/audit"), await upcard.http.get("/v1/approvals")
    assert [entry.get("target") for entry in audit.json()["items"][:2]] == ["DELETE keys/[redacted]", "[redacted]"]
    assert [TOKEN in audit.text, key in audit.text + held.text] == [False, False]
    assert held.json()["items"][0]["target"] == "DELETE keys/[redacted]"


async def test_nothing_is_sent_that_is_not_on_record(
    on_either: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DA-8: an audit that cannot be written stops the command, and leaves nothing behind."""
    upcard = await on_either()
    played(kandji)

    def broken(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, OSError("disk full"))

    monkeypatch.setattr(Audit, "append", broken)

    answer = await clear(upcard)

    assert (answer.status_code, answer.json()["type"], sent(kandji)) == (500, "internal", [])
    assert upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.commands)).all()) == []


async def test_admins_are_on_record(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-8: who changed a policy, turned the kill switch, made and revoked a key, and led records elsewhere."""
    upcard = await on_either(allow_receivers="127.0.0.1:*")
    flow = {"name": "onboard", "url": "https://127.0.0.1:9/s3cret"}

    await policy(upcard, destroy="off")
    await upcard.http.put("/v1/kill-switch", json={"on": True, "reason": "test"})
    key = {"label": "flow", "scopes": ["cards:read"]}
    made = (await upcard.http.post("/v1/keys", json=key)).json()
    await upcard.http.delete(f"/v1/keys/{made['id']}")
    await upcard.http.post("/v1/flows", json=flow)
    await upcard.http.patch("/v1/flows/onboard", json={"url": "https://127.0.0.1:10/s3cret"})
    await upcard.http.delete("/v1/flows/onboard")

    found = (await upcard.http.get("/v1/audit")).json()["items"]
    assert [(entry["event"], entry["caller"]) for entry in found] == [
        ("flow_deleted", upcard.caller),
        ("flow_changed", upcard.caller),
        ("flow_created", upcard.caller),
        ("key_revoked", upcard.caller),
        ("key_created", upcard.caller),
        ("kill_switch_on", upcard.caller),
        ("policy_changed", upcard.caller),
    ]
    assert (found[1]["host"], found[4]["scopes"], found[4]["cards"]) == ("https://127.0.0.1:10", "cards:read", "*")
    assert "s3cret" not in str(found)
