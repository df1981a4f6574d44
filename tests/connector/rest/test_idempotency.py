"""Idempotency-Key: the same key and call is carried out once, and answered alike (ID-1 to ID-9)."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import respx
import sqlalchemy as sa

from connector.engine import answers as module
from connector.engine import tables
from connector.engine.callers import Grant
from tests.conftest import Upcard, asked
from tests.connector.rest.conftest import Fresh
from tests.receiver import receiving

KEY = "order-4711"
RESTART = "/devices/d1/action/restart"
PIN = "048213"


async def call(upcard: Upcard, card: str, key: Any = KEY, **said: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await upcard.http.post(f"/v1/cards/kandji/{card}", json=said, headers=headers)


async def restart(upcard: Upcard, key: str | None = KEY, device: str = "d1") -> httpx.Response:
    return await call(upcard, "restart_device", key, inputs={"device_id": device})


def replayed(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("idempotent-replayed") == "true")


def kept(upcard: Upcard) -> list[Any]:
    return list(upcard.host.store.run_here(lambda db: db.execute(sa.select(tables.answers)).all()))


async def test_the_same_call_is_carried_out_once(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-1: same status, same body, and a header that says so."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)

    first, second = await restart(upcard), await restart(upcard)

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert (replayed(first), replayed(second), len(asked(kandji))) == (False, True, 1)


@pytest.mark.parametrize("same", [KEY, f'"{KEY}"', f" {KEY} "])
async def test_a_key_may_be_quoted(on_either: Fresh, kandji: respx.MockRouter, same: str) -> None:
    """ID-1: as a structured field, or bare."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)

    await restart(upcard)

    assert replayed(await restart(upcard, same))


@pytest.mark.parametrize("key", ["", " ", '""', "a b", "ä".encode().decode("latin-1"), "x" * 256, "a\tb"])
async def test_a_key_that_cannot_be_read_is_refused(upcard: Upcard, kandji: respx.MockRouter, key: str) -> None:
    """ID-1: 1 to 255 visible ASCII characters; else nothing is sent."""
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]

    answer = await upcard.http.post(
        "/v1/cards/kandji/restart_device", json={"inputs": {"device_id": "d1"}}, headers=headers
    )

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, "headers/idempotency-key")
    assert asked(kandji) == []


async def test_another_call_with_the_same_key_is_refused(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-3: 422, and nothing is carried out."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)

    await restart(upcard)
    other = await restart(upcard, device="d2")

    assert (other.status_code, other.json()["type"]) == (422, "idempotency_mismatch")
    assert len(asked(kandji)) == 1


async def test_a_call_is_another_at_another_address(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-3: the answer of one tenant is not that of the tenant which the connection leads to now."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)
    kandji.route(host="other.api.kandji.io").respond(200, json=[])
    fields = {"url": "https://other.api.kandji.io", "token": "another"}

    await restart(upcard)
    moved = await upcard.http.patch("/v1/connections/acme", json={"fields": fields})
    answer = await restart(upcard)

    assert moved.status_code == 200
    assert (answer.status_code, answer.json()["type"]) == (422, "idempotency_mismatch")


async def test_how_a_call_is_written_does_not_matter(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-3: neither the order of keys, nor white space, nor a default that is spelt out."""
    upcard = await on_either()
    kandji.post("/devices/d1/notes").respond(201, json={"note_id": "n1"})
    bodies = [
        b'{"inputs": {"device_id": "d1", "note": "Charger"}}',
        b'{ "dry_run":false,"options":{},\n"inputs": {"note": "Charger", "device_id": " d1 "} }',
    ]
    typed = {"Idempotency-Key": KEY, "Content-Type": "application/json"}

    made = [await upcard.http.post("/v1/cards/kandji/create_note", content=body, headers=typed) for body in bodies]

    assert [replayed(answer) for answer in made] == [False, True], [answer.text for answer in made]


async def test_a_key_is_its_caller_s_card_s_and_connection_s(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-2: nobody else sees the answer, and no other card is held up."""
    upcard = await on_either()
    kandji.post(url__regex=r".*/action/\w+").respond(200)
    await restart(upcard)

    other_card = await call(upcard, "shutdown_device", inputs={"device_id": "d1"})
    upcard.http.headers["Authorization"] = f"Bearer {upcard.host.keys.mint('another', Grant.everything())}"
    other_caller = await restart(upcard)

    assert [replayed(other_card), replayed(other_caller), len(asked(kandji))] == [False, False, 3]


async def test_calls_at_once_are_one_command(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-4: the others are told to wait, or get the same answer."""
    upcard = await on_either()

    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(200)

    kandji.post(RESTART).mock(side_effect=slow)

    found = await asyncio.gather(*(restart(upcard) for _ in range(20)))

    assert len(asked(kandji)) == 1
    assert {(answer.status_code, answer.json().get("type")) for answer in found} <= {(200, None), (409, "in_progress")}
    assert all("retry-after" in answer.headers for answer in found if answer.status_code == 409)


@pytest.mark.parametrize("wrong", [{}, {"device_id": "../d1"}, {"device_id": "d1", "more": 1}])
async def test_what_was_not_begun_does_not_burn_the_key(
    on_either: Fresh, kandji: respx.MockRouter, wrong: dict[str, Any]
) -> None:
    """ID-9: a call that is not valid leaves its key free."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)

    refused = await call(upcard, "restart_device", inputs=wrong)
    answer = await restart(upcard)

    assert (refused.status_code, answer.status_code, replayed(answer)) == (400, 200, False)


async def test_what_may_be_repeated_is_made_anew(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """A problem that says `retry` would say so for ever, if it were kept."""
    upcard = await on_either()
    kandji.post(RESTART).mock(side_effect=[*[httpx.Response(429)] * 4, httpx.Response(200)])

    throttled, answer = await restart(upcard), await restart(upcard)

    assert (throttled.json()["type"], answer.status_code, replayed(answer)) == ("throttled", 200, False)


async def test_an_unknown_outcome_stays_unknown(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-5: the same key never sends it again; ID-7: and is not told to try."""
    upcard = await on_either()
    kandji.post(RESTART).mock(side_effect=httpx.ReadTimeout("slow"))

    first, second = await restart(upcard), await restart(upcard)

    assert (first.status_code, first.json()["type"], first.json()["retry"]) == (502, "outcome_unknown", False)
    assert (second.json(), replayed(second), len(asked(kandji))) == (first.json(), True, 1)
    assert first.json()["run"]


async def test_a_service_s_refusal_is_an_answer(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """The card's Status Code, the same again."""
    upcard = await on_either()
    kandji.post(RESTART).respond(400, json="Command already running")

    first, second = await restart(upcard), await restart(upcard)

    assert first.json()["outputs"]["status_code"] == 400
    assert (second.content, len(asked(kandji))) == (first.content, 1)


async def test_an_answer_outlives_the_host(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-8: it is in the store, and not in memory."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)
    first = await restart(upcard)

    other = await on_either()
    other.http.headers["Authorization"] = upcard.http.headers["Authorization"]
    second = await restart(other)

    assert (second.content, replayed(second), len(asked(kandji))) == (first.content, True, 1)


async def test_a_secret_is_kept_for_a_while_only(
    on_either: Fresh, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ID-8: sealed, and then the command is not done again, but the answer is gone."""
    upcard = await on_either()
    kandji.get("/devices/d1").respond(200, json={"device_id": "d1", "platform": "Mac"})
    kandji.post("/devices/d1/action/lock").respond(200, json={"PIN": PIN})

    first = await call(upcard, "lock_device", inputs={"device_id": "d1"})
    again = await call(upcard, "lock_device", inputs={"device_id": "d1"})
    sealed = kept(upcard)
    at = time.time() + module.SECRETS + 1
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: at))
    later = await call(upcard, "lock_device", inputs={"device_id": "d1"})

    assert (first.json()["outputs"]["pin"], again.content) == (PIN, first.content)
    assert PIN not in str(sealed)
    assert (later.status_code, later.json()["type"]) == (409, "result_expired")
    assert [request.method for request in asked(kandji)].count("POST") == 1


async def test_a_read_is_answered_alike_as_well(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """Any card takes a key."""
    upcard = await on_either()
    kandji.get("/devices/d1").mock(
        side_effect=[httpx.Response(200, json={"device_id": "d1", "device_name": name}) for name in ("One", "Two")]
    )
    said = {"options": {"details": "basic"}, "inputs": {"device_id": "d1"}}

    first, second = await call(upcard, "get_device", **said), await call(upcard, "get_device", **said)

    assert (second.content, replayed(second), len(asked(kandji))) == (first.content, True, 1)


async def test_a_stream_is_begun_once(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """The same key is the same run, and every record is handed over once."""
    kandji.get("/devices").respond(json=[{"device_id": f"d{number}"} for number in range(5)])
    async with receiving() as flow:
        said = {"options": {"result_set": "stream"}, "stream": {"url": flow.url}}

        first, second = await call(upcard, "list_devices", **said), await call(upcard, "list_devices", **said)

        assert (second.json(), replayed(second)) == (first.json(), True)
        assert first.json()["outputs"] == {"record_count": 5}
        assert len(flow.of(first.json()["run"]).sent) == 5


async def test_records_that_the_caller_takes_have_no_key(upcard: Upcard) -> None:
    """They are not kept, so nothing could be given again."""
    headers = {"Idempotency-Key": KEY, "Accept": "application/x-ndjson"}

    answer = await upcard.http.post("/v1/cards/kandji/list_devices", json={}, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_call")


async def test_a_dry_run_keeps_nothing(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """It is not the call; the call comes after it, with the same key."""
    upcard = await on_either()
    kandji.get("/devices/d1").respond(200, json={"device_id": "d1"})
    kandji.post(RESTART).respond(200)

    dry = await call(upcard, "restart_device", inputs={"device_id": "d1"}, dry_run=True)
    answer = await restart(upcard)

    assert (dry.json()["dry_run"], replayed(answer), len(kept(upcard))) == (True, False, 1)


async def test_an_erase_without_a_key_is_made_once(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-6: low-code platforms repeat a call by themselves, and send no key."""
    upcard = await on_either(repeat_window=600)
    kandji.post("/devices/d2/action/clearpasscode").respond(200)
    said = {"inputs": {"device_id": "d2"}}

    first, second = [await call(upcard, "clear_passcode", None, **said) for _ in range(2)]

    assert (second.content, replayed(second), len(asked(kandji))) == (first.content, True, 1)


async def test_an_erase_that_was_refused_can_be_made_again(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """ID-6: it was certainly not carried out."""
    upcard = await on_either(repeat_window=600)
    kandji.post("/devices/d2/action/clearpasscode").mock(side_effect=[httpx.Response(400), httpx.Response(200)])
    said = {"inputs": {"device_id": "d2"}}

    found = [await call(upcard, "clear_passcode", None, **said) for _ in range(2)]

    assert [answer.json()["outputs"]["status_code"] for answer in found] == [400, 200]


async def test_a_write_with_a_key_takes_two_commits(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """One before anything is sent, with run, answer, caps and audit; one after it."""
    upcard = await on_either()
    kandji.post(RESTART).respond(200)
    commits: list[object] = []
    written: list[str] = []
    store = upcard.host.store
    sa.event.listen(store._synced, "commit", commits.append)
    sa.event.listen(store.engine, "before_cursor_execute", lambda *it: written.append(it[2]))

    await restart(upcard)

    assert len(commits) == 2
    writes = [each for each in written if not each.startswith("SELECT")]
    assert [each for each in writes if "runs" in each or "answers" in each or "audit" in each] == []
