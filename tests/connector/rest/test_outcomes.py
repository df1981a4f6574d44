"""What a caller is told when something goes wrong on our side: what is known, and no more."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx
import sqlalchemy as sa

from cards.kandji._client import Kandji
from connector.engine import gate, tables
from connector.engine.store import Store
from connector.engine.switch import Switch
from tests.conftest import UNCAPPED, Upcard, asked
from tests.connector.rest.conftest import Fresh
from tests.processes import until

RESTART = "/devices/d1/action/restart"
AWAY = sa.exc.OperationalError("SELECT 1", {}, OSError("the store is away"))


async def restart(upcard: Upcard) -> httpx.Response:
    said = {"inputs": {"device_id": "d1"}}
    return await upcard.http.post("/v1/cards/kandji/restart_device", json=said, headers={"Idempotency-Key": "k"})


async def hold(upcard: Upcard, seconds: int) -> None:
    said = {"policy": {**UNCAPPED, "hold_seconds": seconds}}
    assert (await upcard.http.patch("/v1/connections/acme", json=said)).status_code == 200


def breaking(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[[], None]:
    """From now on the store fails, until the function that this gives is called."""
    broken, work = [True], getattr(Store, name)

    async def fails(self: Store, wanted: Any) -> Any:
        if broken:
            raise AWAY
        return await work(self, wanted)

    monkeypatch.setattr(Store, name, fails)
    return broken.clear


async def outcomes(upcard: Upcard) -> list[str]:
    found = (await upcard.http.get("/v1/audit")).json()["items"]
    return [entry["outcome"] for entry in found if entry["event"] == "outcome"]


async def test_an_outcome_waits_for_the_store(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command was carried out: its caller is told so once the same key says so too."""
    upcard = await fresh()
    monkeypatch.setattr(gate, "AGAIN", 0.01)
    back: list[Callable[[], None]] = []

    def carried_out(_: httpx.Request) -> httpx.Response:
        back.append(breaking(monkeypatch, "run_alone"))
        return httpx.Response(200)

    kandji.post(RESTART).mock(side_effect=carried_out)
    calling = asyncio.create_task(restart(upcard))
    await until(lambda: _asked(kandji))
    await asyncio.sleep(0.1)
    early = calling.done()
    back[0]()
    first, second = await calling, await restart(upcard)

    assert (early, first.status_code, second.content) == (False, 200, first.content)
    assert (await outcomes(upcard), len(asked(kandji))) == (["succeeded"], 1)


async def test_a_host_stops_without_its_store(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is not told that nothing was done; the next start ends the call the same way (ID-5)."""
    upcard = await fresh()
    monkeypatch.setattr("connector.engine.runner.LAST", 0.1)
    back: list[Callable[[], None]] = []

    def carried_out(_: httpx.Request) -> httpx.Response:
        back.append(breaking(monkeypatch, "run_alone"))
        return httpx.Response(200)

    kandji.post(RESTART).mock(side_effect=carried_out)
    calling = asyncio.create_task(restart(upcard))
    await until(lambda: _asked(kandji))

    await upcard.host.runner.stop()
    told = (await calling).json()
    back[0]()
    await upcard.host.abandoned.cut_off(upcard.host.presence.id)
    again = (await restart(upcard)).json()

    assert (told["type"], again["type"], again["run"]) == ("outcome_unknown", "outcome_unknown", told["run"])
    assert (await outcomes(upcard), len(asked(kandji))) == (["outcome_unknown"], 1)


async def test_what_cannot_be_asked_is_not_sent(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DA-6: without the store nobody knows whether the kill switch is on; the call may be made again."""
    upcard = await fresh()
    kandji.post(RESTART).respond(200)
    with monkeypatch.context() as away:

        async def look(_: Switch) -> None:
            raise AWAY

        away.setattr(Switch, "look", look)
        refused = await restart(upcard)
    nothing = asked(kandji)
    answer = await restart(upcard)

    assert (refused.status_code, refused.json()["type"], nothing) == (503, "unavailable", [])
    assert (answer.status_code, len(asked(kandji))) == (200, 1)


async def test_the_kill_switch_stops_another_attempt(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: turned on while the service asks for time, it is heeded before the command is sent again."""
    upcard = await fresh()
    kandji.post(RESTART).respond(429)

    async def turned(_: float) -> None:
        await upcard.host.switch.put(on=True, by="", reason=None)

    upcard.host.connections.get("acme").service.sleep = turned

    answer = await restart(upcard)

    assert (answer.status_code, answer.json()["type"], len(asked(kandji))) == (403, "forbidden", 1)


async def test_a_call_that_others_ended_is_not_sent(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """A host that was frozen for so long that it was taken for dead lets the call be."""
    upcard = await fresh()
    kandji.get("/devices/d1").mock(side_effect=lambda _: _frozen(upcard))
    kandji.post("/devices/d1/action/erase").respond(200)

    said = {"inputs": {"device_id": "d1", "pin": "048213"}}
    answer = await upcard.http.post("/v1/cards/kandji/erase_device", json=said)

    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert [request.method for request in asked(kandji)] == ["GET"]


async def test_a_held_call_is_not_sent_by_a_host_that_stops(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-7: it says so, and the key is free."""
    upcard = await fresh()
    kandji.post(RESTART).respond(200)
    await hold(upcard, 60)
    calling = asyncio.create_task(restart(upcard))
    await until(lambda: _held(upcard))

    await upcard.host.runner.stop()
    told = (await calling).json()
    await hold(upcard, 0)
    answer = await restart(upcard)

    assert (told["type"], told["retry"]) == ("unavailable", True)
    assert (answer.status_code, len(asked(kandji))) == (200, 1)


async def test_a_call_that_was_canceled_is_never_told_to_be_done(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-7: the same key says that it was canceled, from the moment it is."""
    upcard = await fresh()
    await hold(upcard, 2)
    calling = asyncio.create_task(restart(upcard))
    run = await until(lambda: _held(upcard))

    await upcard.http.post(f"/v1/runs/{run}/cancel")
    at_once = await restart(upcard)
    told = await calling
    later = await restart(upcard)

    assert [answer.status_code for answer in (at_once, told, later)] == [409, 409, 409]
    assert {answer.json()["type"] for answer in (at_once, told, later)} == {"conflict"}
    assert asked(kandji) == []


async def test_a_call_that_nobody_can_be_at_is_given_up(fresh: Fresh) -> None:
    """It may have been carried out, and the audit says so; one that began just now is left alone."""
    upcard = await fresh()
    row = {"card": "kandji.lock_device", "connection": "acme", "state": "running", "caller": upcard.caller}
    rows = [
        {**row, "id": id_, "started": started}
        for id_, started in (("run_1", "2026-01-01T00:00:00.000Z"), ("run_2", "2999-01-01T00:00:00.000Z"))
    ]
    await upcard.host.store.run(lambda db: db.execute(sa.insert(tables.runs), rows))

    await upcard.host.abandoned.give_up()
    old, new = [(await upcard.http.get(f"/v1/runs/{row['id']}")).json() for row in rows]

    assert (old["state"], old["error"]["type"], new["state"]) == ("failed", "outcome_unknown", "running")
    assert await outcomes(upcard) == ["outcome_unknown"]


async def test_a_call_of_which_a_part_was_carried_out_is_not_to_be_repeated(
    fresh: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ID-7: a card whose look-up after its command fails says neither `retry`, nor sends the command again."""
    upcard = await fresh()
    kandji.post("/devices/d1/action/lock").respond(200, json={"PIN": "048213"})
    kandji.get("/devices/d1").respond(500)
    monkeypatch.setattr(Kandji, "_device_or_nothing", Kandji.device)
    said, key = {"inputs": {"device_id": "d1"}}, {"Idempotency-Key": "k"}

    first, second = [await upcard.http.post("/v1/cards/kandji/lock_device", json=said, headers=key) for _ in range(2)]

    assert (first.status_code, first.json()["type"], second.json()) == (502, "outcome_unknown", first.json())
    assert [request.method for request in asked(kandji)].count("POST") == 1


async def _asked(kandji: respx.MockRouter) -> bool:
    return bool(asked(kandji))


async def _held(upcard: Upcard) -> str:
    found = (await upcard.http.get("/v1/runs?state=queued")).json()["items"]
    return str(found[0]["run"]) if found else ""


async def _frozen(upcard: Upcard) -> httpx.Response:
    """Another host takes this one for dead meanwhile."""
    await upcard.host.abandoned.cut_off(upcard.host.presence.id)
    return httpx.Response(200, json={"device_id": "d1", "platform": "Mac"})
