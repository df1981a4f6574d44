"""What a connection's policy lets through: destroying, caps, dry runs, and time to think again."""

import asyncio
from typing import Any

import httpx
import pytest
import respx
import sqlalchemy as sa

from connector.engine import tables
from tests.conftest import TENANT, Upcard
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import (
    CLEAR,
    DEVICE,
    another,
    clear,
    decisions,
    ended,
    played,
    policy,
    sent,
)
from tests.processes import until


async def test_a_new_connection_destroys_nothing(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-1: off until an admin turns it on."""
    upcard = await on_either()
    kandji.get("/devices").respond(json=[])
    new = {"name": "beta", "connector": "kandji", "fields": {"url": TENANT, "token": "t0ken-beta"}}

    made = await upcard.http.post("/v1/connections", json=new)
    refused = await clear(upcard, connection="beta")

    assert made.json()["policy"]["destroy"] == "off"
    assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
    assert sent(kandji) == []


async def test_a_simulator_on_this_machine_may_be_erased(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """The sandbox is there for trying; nobody reaches a real service by plain http on the loopback address."""
    upcard = await on_either(allow_services="127.0.0.1:9")
    kandji.route(host="127.0.0.1", path="/api/v1/devices").respond(json=[])
    new = {"name": "beta", "connector": "kandji", "fields": {"url": "http://127.0.0.1:9", "token": "t0ken-beta"}}

    assert (await upcard.http.post("/v1/connections", json=new)).json()["policy"]["destroy"] == "on"


async def test_a_connection_that_leaves_the_simulator_destroys_nothing(
    on_either: Fresh, kandji: respx.MockRouter
) -> None:
    """DA-1: what may be erased in a simulator may not be erased at a service; unless the same change says so."""
    upcard = await on_either(allow_services="127.0.0.1:9")
    kandji.route(host="127.0.0.1", path="/api/v1/devices").respond(json=[])
    kandji.get("/devices").respond(json=[])
    there, here = [{"url": url, "token": "t0ken-beta"} for url in ("http://127.0.0.1:9", TENANT)]
    await upcard.http.post("/v1/connections", json={"name": "beta", "connector": "kandji", "fields": there})

    moved = await upcard.http.patch("/v1/connections/beta", json={"fields": here})
    back = await upcard.http.patch("/v1/connections/beta", json={"fields": there})
    meant = await upcard.http.patch("/v1/connections/beta", json={"fields": here, "policy": {"destroy": "confirm"}})

    assert [each.json()["policy"]["destroy"] for each in (moved, back, meant)] == ["off", "on", "confirm"]


async def test_a_policy_that_changes_meanwhile_stays(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-1: new fields, while the service is asked for long, do not bring back what was turned off."""
    upcard = await on_either()

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
async def test_a_wrong_policy_is_refused(on_either: Fresh, given: dict[str, Any], at: str) -> None:
    """Each fault by its name, and nothing is changed."""
    upcard = await on_either()

    answer = await upcard.http.patch("/v1/connections/acme", json={"policy": given})

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, at)
    assert upcard.host.connections.get("acme").policy.destroy == "on"


async def test_confirm_repeats_the_serial_number(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-2: as the service has it now; else nothing is sent."""
    upcard = await on_either()
    played(kandji)
    await policy(upcard, destroy="confirm")

    missing, wrong = await clear(upcard), await clear(upcard, confirm="DMPX3")
    before = sent(kandji)
    right = await clear(upcard, confirm="DMPX2")

    assert (missing.status_code, missing.json()["errors"][0]["at"]) == (400, "confirm")
    assert (wrong.status_code, wrong.json()["type"], before) == (409, "conflict", [])
    assert (right.status_code, sent(kandji)) == (200, [f"POST {CLEAR}"])


async def test_confirm_is_always_heeded(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-2: whoever confirms the wrong device sends nothing, whatever the policy and the card are."""
    upcard = await on_either()
    played(kandji)

    cleared = await clear(upcard, confirm="DMPX3")
    tried = await upcard.call("kandji.update_inventory", inputs={"device_id": "d2"}, confirm="DMPX3", dry_run=True)
    locked = await upcard.call("kandji.lock_device", inputs={"device_id": "d2"}, confirm="DMPX3")

    assert (cleared.status_code, tried.status_code, locked.status_code, sent(kandji)) == (409, 409, 409, [])


async def test_a_secret_is_not_read_before_it_is_confirmed(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-2, DA-8: the device is looked up, and the secret asked for once that is on record."""
    upcard = await on_either()
    played(kandji)
    secret = kandji.get("/devices/d2/secrets/unlockpin").respond(200, json={"pin": "048213"})

    wrong = await upcard.call("kandji.get_unlock_pin", inputs={"device_id": "d2"}, confirm="DMPX3")
    before = secret.call_count
    right = await upcard.call("kandji.get_unlock_pin", inputs={"device_id": "d2"}, confirm="DMPX2")

    assert (wrong.status_code, before) == (409, 0)
    assert (right.json().get("outputs"), secret.call_count) == ({"pin": "048213"}, 1)


async def test_more_than_the_cap_is_refused(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: 429 that says not to try again, and nothing is sent."""
    upcard = await on_either()
    played(kandji)
    await policy(upcard, destroys_per_10_minutes=3)

    found = [await clear(upcard) for _ in range(4)]

    assert [answer.status_code for answer in found] == [200, 200, 200, 429]
    assert (found[3].json()["type"], found[3].json()["retry"]) == ("safety_cap", False)
    assert (len(sent(kandji)), (await decisions(upcard))[-1]) == (
        3,
        ("call", "kandji.clear_passcode", "refused", "safety_cap"),
    )


async def test_calls_at_once_do_not_pass_the_cap_together(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: counted in the transaction that lets a call through, on all hosts."""
    upcard, other = await on_either(), await on_either()
    played(kandji)
    await policy(upcard, destroys_per_day=5)
    await other.host.connections.look()

    found = await asyncio.gather(*(clear(host) for host in [upcard, other] * 10))

    assert [answer.status_code for answer in found].count(200) == 5
    assert len(sent(kandji)) == 5


async def test_a_lock_counts_as_a_disruption(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: a mass lock is a denial of service; what does not disrupt is not capped."""
    upcard = await on_either()
    played(kandji)
    await policy(upcard, disruptions_per_day=1)

    locks = [await upcard.call("kandji.lock_device", inputs={"device_id": "d2"}) for _ in range(2)]
    push = await upcard.call("kandji.send_mdm_blank_push", inputs={"device_id": "d2"})

    assert [answer.status_code for answer in [*locks, push]] == [200, 429, 200]


@pytest.mark.parametrize(("devices", "allowed"), [(99, 1), (100, 2), (149, 2), (150, 3)])
async def test_a_part_of_the_fleet_may_be_destroyed(
    on_either: Fresh, kandji: respx.MockRouter, devices: int, allowed: int
) -> None:
    """DA-4: two percent a day, and one of any fleet; one request tells whether it is large enough."""
    upcard = await on_either()
    kandji.get("/devices").mock(
        side_effect=lambda request: httpx.Response(200, json=[DEVICE] * (int(request.url.params["offset"]) < devices))
    )
    played(kandji)
    await policy(upcard, destroys_percent_of_fleet=2)

    found = [(await clear(upcard)).status_code for _ in range(4)]

    assert found == [200] * allowed + [429] * (4 - allowed)


@pytest.mark.parametrize(
    ("said", "status"),
    [({"destroy": "off"}, 403), ({"destroys_per_day": 0}, 429), ({"destroy": "confirm"}, 400), ({}, 200)],
)
async def test_a_dry_run_asks_the_policy(
    on_either: Fresh, kandji: respx.MockRouter, said: dict[str, Any], status: int
) -> None:
    """DA-3: it says what the call would meet, counts nothing and sends nothing."""
    upcard = await on_either()
    played(kandji)
    await policy(upcard, **said)

    answer = await clear(upcard, dry_run=True)

    assert (answer.status_code, sent(kandji)) == (status, [])
    assert upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.commands)).all()) == []


async def test_a_call_that_is_held_can_be_canceled(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-7: until its time is over, nothing is sent."""
    upcard = await on_either()
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


async def test_a_call_that_is_held_is_asked_about_again(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-7: what was turned off, and whose key was revoked, in that time, is not sent."""
    upcard = await on_either()
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
