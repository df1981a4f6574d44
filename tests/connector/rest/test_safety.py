"""What keeps a fleet safe: policies, caps, the kill switch and approvals, for cards and for written requests alike."""

import asyncio
from typing import Any

import httpx
import pytest
import respx
import sqlalchemy as sa

from connector.engine import approvals, tables
from connector.engine.audit import Audit
from connector.engine.callers import SCOPES, Grant
from tests.conftest import TENANT, TOKEN, UNCAPPED, Upcard, asked
from tests.connector.rest.conftest import Fresh
from tests.processes import until

DEVICE = {"device_id": "d2", "device_name": "iPad 2", "platform": "iPad", "serial_number": "DMPX2"}
CLEAR = "/devices/d2/action/clearpasscode"
ERASE = {"device_id": "d2", "preserve_data_plan": True, "disallow_proximity_setup": True}
CUSTOM = {"options": {"request_type": "POST"}, "inputs": {"relative_url": CLEAR}}


@pytest.fixture
def fresh(on_either: Fresh) -> Fresh:
    """What is promised here holds on both databases."""
    return on_either


async def policy(upcard: Upcard, **said: Any) -> dict[str, Any]:
    answer = await upcard.http.patch("/v1/connections/acme", json={"policy": {**UNCAPPED, **said}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["policy"]
    return found


async def clear(upcard: Upcard, **said: Any) -> httpx.Response:
    return await upcard.call("kandji.clear_passcode", inputs={"device_id": "d2"}, **said)


async def custom(upcard: Upcard, method: str, url: str, **said: Any) -> httpx.Response:
    said = {"options": {"request_type": method}, "inputs": {"relative_url": url}, **said}
    return await upcard.call("kandji.custom_api_action", **said)


def another(upcard: Upcard, *scopes: str, maker: str = "", **narrow: Any) -> httpx.AsyncClient:
    """Somebody with a key of their own."""
    key = upcard.host.keys.mint("another", Grant(frozenset(scopes or SCOPES), **narrow), maker=maker)
    transport = httpx.ASGITransport(upcard.app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://upcard.test", headers={"Authorization": f"Bearer {key}"}
    )


def played(kandji: respx.MockRouter) -> None:
    """A fleet of which everything is taken."""
    kandji.get("/devices/d2").respond(200, json=DEVICE)
    kandji.route(method__in=["POST", "PATCH", "DELETE"]).respond(200)


def sent(kandji: respx.MockRouter) -> list[str]:
    """What was sent that changes something."""
    return [f"{each.method} {each.url.path.removeprefix('/api/v1')}" for each in asked(kandji) if each.method != "GET"]


async def decisions(upcard: Upcard) -> list[tuple[Any, ...]]:
    found, _ = await upcard.host.audit.entries(caller=None, card=None, connection=None, cursor=None, limit=100)
    names = ("event", "card", "decision", "why", "outcome", "status")
    return [tuple(entry[name] for name in names if name in entry) for entry in reversed(found)]


# Policy


async def test_a_new_connection_destroys_nothing(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-1: off until an admin turns it on."""
    upcard = await fresh()
    kandji.get("/devices").respond(json=[])
    new = {"name": "beta", "connector": "kandji", "fields": {"url": TENANT, "token": "t0ken-beta"}}

    made = await upcard.http.post("/v1/connections", json=new)
    refused = await clear(upcard, connection="beta")

    assert made.json()["policy"]["destroy"] == "off"
    assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
    assert sent(kandji) == []


async def test_a_simulator_on_this_machine_may_be_erased(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """The sandbox is there for trying; nobody reaches a real service by plain http on the loopback address."""
    upcard = await fresh(allow_services="127.0.0.1:9")
    kandji.route(host="127.0.0.1", path="/api/v1/devices").respond(json=[])
    new = {"name": "beta", "connector": "kandji", "fields": {"url": "http://127.0.0.1:9", "token": "t0ken-beta"}}

    assert (await upcard.http.post("/v1/connections", json=new)).json()["policy"]["destroy"] == "on"


async def test_a_connection_that_leaves_the_simulator_destroys_nothing(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-1: what may be erased in a simulator may not be erased at a service; unless the same change says so."""
    upcard = await fresh(allow_services="127.0.0.1:9")
    kandji.route(host="127.0.0.1", path="/api/v1/devices").respond(json=[])
    kandji.get("/devices").respond(json=[])
    there, here = [{"url": url, "token": "t0ken-beta"} for url in ("http://127.0.0.1:9", TENANT)]
    await upcard.http.post("/v1/connections", json={"name": "beta", "connector": "kandji", "fields": there})

    moved = await upcard.http.patch("/v1/connections/beta", json={"fields": here})
    back = await upcard.http.patch("/v1/connections/beta", json={"fields": there})
    meant = await upcard.http.patch("/v1/connections/beta", json={"fields": here, "policy": {"destroy": "confirm"}})

    assert [each.json()["policy"]["destroy"] for each in (moved, back, meant)] == ["off", "on", "confirm"]


async def test_a_policy_that_changes_meanwhile_stays(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-1: new fields, while the service is asked for long, do not bring back what was turned off."""
    upcard = await fresh()

    async def off(_: httpx.Request) -> httpx.Response:
        await policy(upcard, destroy="off")
        return httpx.Response(200, json=[])

    kandji.get("/devices").mock(side_effect=off)

    answer = await upcard.http.patch("/v1/connections/acme", json={"fields": {"token": "another"}})

    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert upcard.host.connections.get("acme").policy.destroy == "off"


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"destroy": "maybe"}, "policy/destroy"),
        ({"destroys_per_day": -1}, "policy/destroys_per_day"),
        ({"destroys_per_day": " "}, "policy/destroys_per_day"),
        ({"hold_seconds": ""}, "policy/hold_seconds"),
        ({"more": 1}, "policy/more"),
        ({"destroys_percent_of_fleet": 101}, "policy/destroys_percent_of_fleet"),
    ],
)
async def test_a_wrong_policy_is_refused(fresh: Fresh, given: dict[str, Any], at: str) -> None:
    """Each fault by its name, and nothing is changed."""
    upcard = await fresh()

    answer = await upcard.http.patch("/v1/connections/acme", json={"policy": given})

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, at)
    assert upcard.host.connections.get("acme").policy.destroy == "on"


async def test_confirm_repeats_the_serial_number(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-2: as the service has it now; else nothing is sent."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, destroy="confirm")

    missing, wrong = await clear(upcard), await clear(upcard, confirm="DMPX3")
    before = sent(kandji)
    right = await clear(upcard, confirm="DMPX2")

    assert (missing.status_code, missing.json()["errors"][0]["at"]) == (400, "confirm")
    assert (wrong.status_code, wrong.json()["type"], before) == (409, "conflict", [])
    assert (right.status_code, sent(kandji)) == (200, [f"POST {CLEAR}"])


async def test_confirm_is_always_heeded(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-2: whoever confirms the wrong device sends nothing, whatever the policy and the card are."""
    upcard = await fresh()
    played(kandji)

    cleared = await clear(upcard, confirm="DMPX3")
    locked = await upcard.call("kandji.lock_device", inputs={"device_id": "d2"}, confirm="DMPX3")

    assert (cleared.status_code, locked.status_code, sent(kandji)) == (409, 409, [])


# Caps


async def test_more_than_the_cap_is_refused(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: 429 that says not to try again, and nothing is sent."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, destroys_per_10_minutes=3)

    found = [await clear(upcard) for _ in range(4)]

    assert [answer.status_code for answer in found] == [200, 200, 200, 429]
    assert (found[3].json()["type"], found[3].json()["retry"]) == ("safety_cap", False)
    assert (len(sent(kandji)), (await decisions(upcard))[-1]) == (
        3,
        ("call", "kandji.clear_passcode", "refused", "safety_cap"),
    )


async def test_calls_at_once_do_not_pass_the_cap_together(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: counted in the transaction that lets a call through, on all hosts."""
    upcard, other = await fresh(), await fresh()
    played(kandji)
    await policy(upcard, destroys_per_day=5)
    await other.host.connections.look()

    found = await asyncio.gather(*(clear(host) for host in [upcard, other] * 10))

    assert [answer.status_code for answer in found].count(200) == 5
    assert len(sent(kandji)) == 5


async def test_a_lock_counts_as_a_disruption(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: a mass lock is a denial of service; what does not disrupt is not capped."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, disruptions_per_day=1)

    locks = [await upcard.call("kandji.lock_device", inputs={"device_id": "d2"}) for _ in range(2)]
    push = await upcard.call("kandji.send_mdm_blank_push", inputs={"device_id": "d2"})

    assert [answer.status_code for answer in [*locks, push]] == [200, 429, 200]


@pytest.mark.parametrize(("devices", "allowed"), [(99, 1), (100, 2), (149, 2), (150, 3)])
async def test_a_part_of_the_fleet_may_be_destroyed(
    fresh: Fresh, kandji: respx.MockRouter, devices: int, allowed: int
) -> None:
    """DA-4: two percent a day, and one of any fleet; one request tells whether it is large enough."""
    upcard = await fresh()
    kandji.get("/devices").mock(
        side_effect=lambda request: httpx.Response(200, json=[DEVICE] * (int(request.url.params["offset"]) < devices))
    )
    played(kandji)
    await policy(upcard, destroys_percent_of_fleet=2)

    found = [(await clear(upcard)).status_code for _ in range(4)]

    assert found == [200] * allowed + [429] * (4 - allowed)


# Dry run


@pytest.mark.parametrize(
    ("said", "status"),
    [({"destroy": "off"}, 403), ({"destroys_per_day": 0}, 429), ({"destroy": "confirm"}, 400), ({}, 200)],
)
async def test_a_dry_run_asks_the_policy(
    fresh: Fresh, kandji: respx.MockRouter, said: dict[str, Any], status: int
) -> None:
    """DA-3: it says what the call would meet, counts nothing and sends nothing."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, **said)

    answer = await clear(upcard, dry_run=True)

    assert (answer.status_code, sent(kandji)) == (status, [])
    assert upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.commands)).all()) == []


# The kill switch


async def test_the_kill_switch_stops_every_host(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: at once, also before another host has looked; what does not disrupt goes on; off lets all through again."""
    upcard, other = await fresh(), await fresh()
    played(kandji)

    turned = await upcard.http.put("/v1/kill-switch", json={"on": True, "reason": "stolen laptop"})
    stopped = [await clear(upcard), await clear(other)]
    push = await other.call("kandji.send_mdm_blank_push", inputs={"device_id": "d2"})
    await upcard.http.put("/v1/kill-switch", json={"on": False})
    again = await clear(upcard)

    assert (turned.json()["on"], turned.json()["by"], turned.json()["reason"]) == (True, ["call"], "stolen laptop")
    assert [(answer.status_code, answer.json()["type"]) for answer in stopped] == [(403, "forbidden")] * 2
    assert (push.status_code, again.status_code) == (200, 200)


async def test_the_kill_switch_survives_a_restart(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: it is in the store."""
    upcard = await fresh()
    await upcard.http.put("/v1/kill-switch", json={"on": True})

    other = await fresh()

    assert (await other.http.get("/v1/kill-switch")).json()["on"] is True


async def test_a_file_and_a_setting_stop_as_well(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: without any call."""
    upcard, by_setting = await fresh(), await fresh(kill_switch=True)
    played(kandji)
    (upcard.host.settings.data_dir / "kill-switch").touch()

    found = [await clear(upcard), await clear(by_setting)]

    assert [answer.status_code for answer in found] == [403, 403]
    assert (await upcard.http.get("/v1/kill-switch")).json()["by"] == ["file"]
    assert sent(kandji) == []


async def test_the_kill_switch_is_asked_immediately_before_sending(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: also where it was turned on after the call was let through."""
    upcard = await fresh()
    played(kandji)

    def looked_up(_: httpx.Request) -> httpx.Response:
        (upcard.host.settings.data_dir / "kill-switch").touch()
        return httpx.Response(200, json={**DEVICE, "device_id": "d4"})

    kandji.get("/devices/d4").mock(side_effect=looked_up)
    needed = {"preserve_data_plan": True, "disallow_proximity_setup": True}

    answer = await upcard.call("kandji.erase_device", inputs={"device_id": "d4", **needed})

    assert (answer.status_code, sent(kandji)) == (403, [])


# Written requests


@pytest.mark.parametrize("url", [CLEAR, CLEAR.upper(), f"{CLEAR}/", "/devices/d2/action/clearpass%63ode"])
async def test_a_written_request_is_under_the_policy_of_its_card(
    fresh: Fresh, kandji: respx.MockRouter, url: str
) -> None:
    """SSRF-10: however it is spelt."""
    upcard = await fresh()
    await policy(upcard, destroy="off")

    answer = await custom(upcard, "POST", url)

    assert (answer.status_code, sent(kandji)) == (403, [])
    assert (await decisions(upcard))[-1] == ("call", "kandji.custom_api_action", "refused", "forbidden")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("DELETE", "/devices/d2"),
        ("DELETE", "/users/u1"),
        ("DELETE", "/devices/d2/details/lostmode"),
        ("POST", "/devices/d2/action/deleteuser"),
        ("PATCH", "/unheard/of"),
    ],
)
async def test_what_no_card_sends_counts_as_destructive(
    fresh: Fresh, kandji: respx.MockRouter, method: str, url: str
) -> None:
    """SSRF-10: whatever is not known is taken for the worst."""
    upcard = await fresh()
    await policy(upcard, destroy="off")

    assert (await custom(upcard, method, url)).status_code == 403
    assert sent(kandji) == []


@pytest.mark.parametrize(
    ("method", "url", "scopes"),
    [
        ("POST", CLEAR, {"cards:read", "cards:write", "cards:secret"}),
        ("POST", "/devices/d2/action/restart", {"cards:read", "cards:destroy"}),
        ("GET", "/devices/d2/secrets/filevaultkey", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/devices/d2/secrets/recoverypassword", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/devices", {"cards:write", "cards:destroy"}),
        ("POST", "/devices/d2/action/lock", {"cards:read", "cards:write", "cards:destroy"}),
        ("POST", "/devices/d2/action/erase", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/blueprints", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/blueprints/b1/", {"cards:read", "cards:write", "cards:destroy"}),
    ],
)
async def test_a_written_request_needs_the_scopes_of_its_card(
    fresh: Fresh, kandji: respx.MockRouter, method: str, url: str, scopes: set[str]
) -> None:
    """SSRF-10, AU-4: Custom API Action is no way around them."""
    upcard = await fresh()
    said = {"options": {"request_type": method}, "inputs": {"relative_url": url}}

    async with another(upcard, *scopes, cards=("*", "kandji.custom_api_action")) as who:
        answer = await who.post("/v1/cards/kandji/custom_api_action", json=said)

    assert (answer.status_code, answer.json()["type"], asked(kandji)) == (403, "forbidden", [])


async def test_a_written_request_needs_its_card(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SSRF-10: a key that is not for Clear Passcode cannot write it."""
    upcard = await fresh()

    async with another(upcard, cards=("kandji.custom_api_action", "kandji.get_device")) as who:
        answer = await who.post("/v1/cards/kandji/custom_api_action", json=CUSTOM)

    assert (answer.status_code, asked(kandji)) == (403, [])


async def test_custom_api_action_is_given_by_name_only(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """AU-4: neither `*` nor `kandji.*` covers it."""
    upcard = await fresh()

    for cards in [("*",), ("kandji.*",)]:
        async with another(upcard, cards=cards) as who:
            answer = await who.post("/v1/cards/kandji/custom_api_action", json=CUSTOM)
            assert (answer.status_code, asked(kandji)) == (403, [])


# Secrets


async def test_who_may_not_see_secrets_locks_without_learning_the_pin(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-3: the command is the command; the PIN is for others."""
    upcard = await fresh()
    kandji.post("/devices/d1/action/lock").respond(200, json={"PIN": "048213"})
    kandji.get("/devices/d1").respond(200, json={"device_id": "d1", "platform": "Mac"})

    async with another(upcard, "cards:write") as who:
        answer = await who.post("/v1/cards/kandji/lock_device", json={"inputs": {"device_id": "d1"}})

    assert (answer.status_code, answer.json()["outputs"]["pin"]) == (200, "[redacted]")
    assert "048213" not in answer.text


@pytest.mark.parametrize("card", ["get_filevault_recovery_key", "get_unlock_pin", "get_activation_lock_bypass_codes"])
async def test_a_card_of_secrets_needs_the_scope(fresh: Fresh, kandji: respx.MockRouter, card: str) -> None:
    """SEC-3, AU-4: 403, and the service is not asked."""
    upcard = await fresh()

    async with another(upcard, "cards:read", "cards:write", "cards:destroy") as who:
        answer = await who.post(f"/v1/cards/kandji/{card}", json={"inputs": {"device_id": "d1"}})

    assert (answer.status_code, asked(kandji)) == (403, [])


async def test_records_are_given_without_secrets(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-3: an enrollment code in a list is one as well."""
    upcard = await fresh()
    found = {"results": [{"id": "b1", "name": "One", "enrollment_code": {"code": "s3cret-code"}}], "next": None}
    kandji.get("/blueprints").respond(200, json=found)
    lines = {"Accept": "application/x-ndjson"}

    async with another(upcard, "cards:read") as who:
        answers = [
            await who.post("/v1/cards/kandji/list_blueprints", json={"options": {"result_set": "first_200"}}),
            await who.post("/v1/cards/kandji/list_blueprints", json={}, headers=lines),
        ]

    assert [("One" in answer.text, "s3cret-code" in answer.text) for answer in answers] == [(True, False)] * 2


async def test_a_refusal_of_a_list_with_secrets_has_no_words(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-3, SEC-5: what the service says may repeat an enrollment code; neither answers nor runs have it."""
    upcard = await fresh()
    kandji.get("/blueprints").respond(403, json={"detail": "The code is s3cret-code."})
    path, lines = "/v1/cards/kandji/list_blueprints", {"Accept": "application/x-ndjson"}

    answers = [
        await upcard.http.post(path, json={"options": {"result_set": "first_200"}}),
        await upcard.http.post(path, json={}, headers=lines),
        await upcard.http.get("/v1/cards/kandji/get_blueprint/choices/blueprint_id"),
    ]
    runs = await upcard.http.get("/v1/runs")

    assert [answer.json()["service"] for answer in answers] == [{"status": 403, "said": ""}] * 3
    assert "s3cret-code" not in runs.text + "".join(answer.text for answer in answers)


# Approvals


async def held(upcard: Upcard, kandji: respx.MockRouter, **said: Any) -> dict[str, Any]:
    """A call that waits for a second person; gives its approval."""
    played(kandji)
    await policy(upcard, destroy="approve")
    answer = await clear(upcard, **said)
    assert (answer.status_code, answer.json()["type"], sent(kandji)) == (409, "approval_required", [])
    found: dict[str, Any] = (await upcard.http.get("/v1/approvals", params={"state": "waiting"})).json()["items"][0]
    assert found["run"] == answer.json()["run"]
    return found


async def ended(upcard: Upcard, run: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        found: dict[str, Any] = (await upcard.http.get(f"/v1/runs/{run}")).json()
        return found if found["state"] not in ("queued", "running") else {}

    return await until(look)


async def test_a_second_person_lets_the_call_through(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: once, exactly as it was asked for, under the run that waited."""
    upcard = await fresh()
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


async def test_who_approves_a_written_request_sees_it(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5, DA-8: with the method, which is all that tells a look from a deletion; so does the audit."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, destroy="approve")

    await custom(upcard, "DELETE", "/devices/d2")

    seen = (await upcard.http.get("/v1/approvals")).json()["items"][0]["target"]
    entry = (await upcard.http.get("/v1/audit")).json()["items"][0]["target"]
    assert (seen, entry) == ("DMPX2: DELETE devices/d2", "DELETE devices/d2")


async def test_a_key_holds_no_more_than_a_person_can_look_at(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AU-7: who asks without end neither fills the store nor hides one call among thousands."""
    monkeypatch.setattr(approvals, "MOST_WAITING", 1)
    upcard = await fresh()
    approval = await held(upcard, kandji)

    more = await upcard.call("kandji.erase_device", inputs=ERASE)
    async with another(upcard, "cards:destroy") as who:
        others = await who.post("/v1/cards/kandji/clear_passcode", json={"inputs": {"device_id": "d2"}})
    await upcard.http.post(f"/v1/approvals/{approval['id']}/refuse", json={})
    later = await upcard.call("kandji.erase_device", inputs=ERASE)

    found = [answer.json()["type"] for answer in (more, others, later)]
    assert found == ["safety_cap", "approval_required", "approval_required"]


async def test_who_asked_gets_the_answer_with_the_same_key(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """The run keeps no outputs; the Idempotency-Key does."""
    upcard = await fresh()
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


async def test_nobody_agrees_with_themselves(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: neither the key that asked, nor one that it made, directly or not."""
    upcard = await fresh()
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
    fresh: Fresh, kandji: respx.MockRouter, scopes: tuple[str, ...], narrow: dict[str, Any], status: int
) -> None:
    """DA-5: an approval gives nobody more than they have."""
    upcard = await fresh()
    approval = await held(upcard, kandji)

    async with another(upcard, *scopes, **narrow) as who:
        answer = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    assert (answer.status_code, sent(kandji)) == (status, [])


async def test_who_approves_a_written_request_needs_its_card(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SSRF-10, DA-5: a key that could not write Clear Passcode does not let another write it."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, destroy="approve")
    await custom(upcard, "POST", CLEAR)
    approval = (await upcard.http.get("/v1/approvals")).json()["items"][0]

    async with another(upcard, cards=("kandji.custom_api_action", "kandji.erase_device")) as who:
        answer = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    assert (answer.status_code, sent(kandji)) == (403, [])


async def test_who_could_not_make_the_call_cannot_refuse_it(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: nor see that it waits."""
    upcard = await fresh()
    approval = await held(upcard, kandji)

    async with another(upcard, "cards:destroy", cards=("kandji.erase_device",)) as who:
        refused = await who.post(f"/v1/approvals/{approval['id']}/refuse", json={})
        seen = (await who.get("/v1/approvals")).json()["items"]

    assert (refused.status_code, seen) == (404, [])


async def test_a_call_that_was_refused_is_not_made(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: its run failed, and the same call may be asked for anew."""
    upcard = await fresh()
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


async def test_an_approval_expires(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: what nobody decided in time is not made."""
    upcard = await fresh()
    approval = await held(upcard, kandji)
    past = sa.update(tables.approvals).values(expires="2026-01-01T00:00:00.000Z")
    await upcard.host.store.run(lambda db: db.execute(past))

    async with another(upcard, "cards:destroy") as who:
        late = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})
    await upcard.host.approvals.expire()

    run = (await upcard.http.get(f"/v1/runs/{approval['run']}")).json()
    assert (late.status_code, run["state"], run["error"]["type"]) == (409, "failed", "approval_required")
    assert sent(kandji) == []


async def test_an_approval_does_not_lift_a_cap_or_the_kill_switch(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4, DA-6: they count at the moment of sending."""
    upcard = await fresh()
    approval = await held(upcard, kandji)
    path = f"/v1/approvals/{approval['id']}/approve"

    async with another(upcard, "cards:destroy") as who:
        await policy(upcard, destroy="approve", destroys_per_day=0)
        capped = await who.post(path, json={})
        await policy(upcard, destroy="approve")
        await upcard.http.put("/v1/kill-switch", json={"on": True})
        stopped = await who.post(path, json={})

    assert (capped.status_code, stopped.status_code, sent(kandji)) == (429, 403, [])


async def test_the_call_of_a_key_that_was_revoked_is_not_made(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-5: who asked must still be allowed to."""
    upcard = await fresh()
    approval = await held(upcard, kandji)

    async with another(upcard, "cards:destroy") as who:
        upcard.host.keys.revoke(upcard.caller)
        answer = await who.post(f"/v1/approvals/{approval['id']}/approve", json={})

    assert (answer.status_code, sent(kandji)) == (409, [])


async def test_a_held_call_is_kept_sealed(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-1: a PIN waits with it; once it is decided, nothing of it is kept."""
    upcard = await fresh()
    kandji.get("/devices/d1").respond(200, json={"device_id": "d1", "platform": "Mac", "serial_number": "C02X"})
    await policy(upcard, destroy="approve")
    await upcard.call("kandji.erase_device", inputs={"device_id": "d1", "pin": "048213"})
    rows = upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.approvals)).mappings().all())

    await upcard.http.post(f"/v1/approvals/{rows[0]['id']}/refuse", json={})
    after = upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.approvals)).mappings().all())

    assert ("048213" in str(rows), rows[0]["call"] is None, after[0]["call"]) == (False, False, None)


# Hold


async def test_a_call_that_is_held_can_be_canceled(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-7: until its time is over, nothing is sent."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, hold_seconds=1)

    kept, stopped = [
        (
            await upcard.http.post("/v1/cards/kandji/clear_passcode", json=said, headers={"Prefer": "respond-async"})
        ).json()
        for said in [{"inputs": {"device_id": device}} for device in ("d2", "d3")]
    ]
    canceled = await upcard.http.post(f"/v1/runs/{stopped['run']}/cancel")
    found = [(await ended(upcard, run["run"]))["state"] for run in (kept, stopped)]
    late = await upcard.http.post(f"/v1/runs/{kept['run']}/cancel")

    assert (kept["state"], canceled.status_code, found, late.status_code) == (
        *("queued", 200, ["succeeded", "canceled"]),
        409,
    )
    assert sent(kandji) == [f"POST {CLEAR}"]


async def test_a_call_that_is_held_is_asked_about_again(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-7: what was turned off, and whose key was revoked, in that time, is not sent."""
    upcard = await fresh()
    played(kandji)
    await policy(upcard, hold_seconds=1)
    wish = {"Prefer": "respond-async"}

    run = (
        await upcard.http.post("/v1/cards/kandji/clear_passcode", json={"inputs": {"device_id": "d2"}}, headers=wish)
    ).json()["run"]
    async with another(upcard, "cards:write", "runs") as who:
        lock = {"inputs": {"device_id": "d2"}}
        await who.post("/v1/cards/kandji/lock_device", json=lock, headers=wish)
        upcard.host.keys.revoke(who.headers["authorization"].split("_")[2])
    await policy(upcard, destroy="off")
    found = await ended(upcard, run)
    await until(lambda: _all_ended(upcard))

    assert (found["state"], found["error"]["type"], sent(kandji)) == ("failed", "forbidden", [])


async def _all_ended(upcard: Upcard) -> bool:
    return not upcard.host.runner.tasks


# Audit


async def test_who_did_what_is_on_record(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-8: allowed or refused, by which key, on which device, and what became of it; reads are not."""
    upcard = await fresh()
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


async def test_who_is_refused_without_end_does_not_fill_the_audit(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """AU-7: a key that allows nothing could write 200 entries a second, which are kept forever."""
    upcard = await fresh()
    said = {"inputs": {"device_id": "d2"}}

    async with another(upcard, "runs") as who:
        answers = await asyncio.gather(*(who.post("/v1/cards/kandji/clear_passcode", json=said) for _ in range(150)))

    entries = (await upcard.http.get("/v1/audit", params={"limit": 1000})).json()["items"]
    assert {answer.status_code for answer in answers} == {403}
    assert 100 <= len(entries) < 150


async def test_a_token_that_stands_for_a_device_is_not_on_record(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-4: the audit and approvals have the target as it was given, but not where that is a token or a key."""
    upcard = await fresh()
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
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DA-8: an audit that cannot be written stops the command, and leaves nothing behind."""
    upcard = await fresh()
    played(kandji)

    def broken(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, OSError("disk full"))

    monkeypatch.setattr(Audit, "append", broken)

    answer = await clear(upcard)

    assert (answer.status_code, answer.json()["type"], sent(kandji)) == (500, "internal", [])
    assert upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.commands)).all()) == []


async def test_admins_are_on_record(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-8: who changed a policy, turned the kill switch, made and revoked a key, and led records elsewhere."""
    upcard = await fresh(allow_receivers="127.0.0.1:*")
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
