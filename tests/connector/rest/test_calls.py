"""Calling a card over HTTP: its answer, a run to look at later, lines of records, or a problem."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import respx

from connector.rest.calls import LONGEST_WAIT, WAIT, patience
from tests.conftest import TOKEN, Upcard, asked
from tests.connector.rest.conftest import Fresh

DEVICE = {"device_id": "d1", "device_name": "Nora's MacBook Pro", "platform": "Mac", "user": ""}
BASIC = {"options": {"details": "basic"}, "inputs": {"device_id": "d1"}}
LINES = {"Accept": "application/x-ndjson"}
PIN = "073916"


async def call(upcard: Upcard, card: str, body: Any, **headers: str) -> httpx.Response:
    return await upcard.http.post(f"/v1/cards/kandji/{card}", json=body, headers=headers)


def slow(kandji: respx.MockRouter) -> tuple[asyncio.Event, asyncio.Event]:
    """Kandji sets the first event when it is asked, and answers when the second one is set."""
    came, release = asyncio.Event(), asyncio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        came.set()
        await release.wait()
        return httpx.Response(200, json=DEVICE)

    kandji.get("/devices/d1").mock(side_effect=answer)
    return came, release


# Answers


async def test_a_card_answers_with_its_run_and_outputs(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Every declared output is there; the answer is neither cached nor guessed at."""
    kandji.get("/devices/d1").respond(json=DEVICE)

    answer = await call(upcard, "get_device", BASIC)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert set(answer.json()) == {"run", "outputs"}
    assert answer.json()["outputs"]["device"]["device_name"] == "Nora's MacBook Pro"
    assert answer.json()["outputs"]["user"] == {"email": None, "name": None, "user_id": None, "is_archived": None}


@pytest.mark.parametrize("details", ["basic", "Basic", "BASIC", " basic "])
async def test_labels_are_choices(upcard: Upcard, kandji: respx.MockRouter, details: str) -> None:
    """A call may send the guide's words."""
    kandji.get("/devices/d1").respond(json=DEVICE)

    answer = await call(upcard, "get_device", {**BASIC, "options": {"details": details}})

    assert "device" in answer.json()["outputs"]


@pytest.mark.parametrize("nothing", [None, {}])
async def test_what_a_card_does_not_need_can_be_left_out(
    upcard: Upcard, kandji: respx.MockRouter, nothing: dict[str, Any] | None
) -> None:
    """Null is the same as nothing."""
    kandji.get("/devices").respond(json=[])

    answer = await call(
        upcard,
        "list_devices",
        {"connection": None, "options": {"result_set": "first"}, "inputs": nothing, "stream": None, "dry_run": None},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"inputs": []}, "inputs"),
        ({"inputs": "x"}, "inputs"),
        ({"options": 1}, "options"),
        ({"stream": []}, "stream"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"connection": {}}, "connection"),
        ({"input": {}}, "input"),
    ],
)
async def test_an_envelope_is_read_strictly(upcard: Upcard, body: dict[str, Any], at: str) -> None:
    """A misspelt part of a call is never dropped."""
    answer = await call(upcard, "get_device", body)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, [at])


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("careful", ["dry_run", "confirm"])
async def test_a_blank_variable_is_no_decision(
    upcard: Upcard, kandji: respx.MockRouter, careful: str, blank: str
) -> None:
    """Who asks for a dry run, or for a check of the target, by a variable that was empty does not lock the device."""
    answer = await call(upcard, "lock_device", {"inputs": {"device_id": "d1"}, careful: blank})

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, [careful])


async def test_a_query_is_no_part_of_a_call(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: who asks for a dry run in the wrong place does not erase a device."""
    answer = await call(upcard, "erase_device?dry_run=true", {"inputs": {"device_id": "d1", "pin": PIN}})

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, ["query/dry_run"])
    assert asked(kandji) == []


async def test_every_fault_is_told_before_anything_is_asked(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-1: with its place, and without the value."""
    answer = await call(upcard, "erase_device", {"inputs": {"pin": "73916x", "device": "d1"}})

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_call")
    assert {error["at"]: error["why"] for error in answer.json()["errors"]} == {
        "inputs/device_id": "No Device ID input provided. Enter a valid Device ID.",
        "inputs/pin": "PIN must be exactly 6 digits.",
        "inputs/device": "There is no input of this name. Did you mean device_id?",
    }
    assert "73916x" not in answer.text
    assert asked(kandji) == []


async def test_an_error_names_its_run(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """The caller can look it up, and so can the operator."""
    kandji.get("/devices/d1").respond(404, json={"detail": "Not found."})

    answer = await call(upcard, "get_device", BASIC)

    run = (await upcard.http.get(f"/v1/runs/{answer.json()['run']}")).json()
    assert (answer.status_code, answer.json()["service"]) == (502, {"status": 404, "said": "Not found."})
    assert (run["state"], run["error"]) == ("failed", answer.json())


# Waiting


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", WAIT), ("wait=0", 0), ("wait=3", 3), ("Wait=3", 3), (" wait = 3 ", 3), ("respond-async", 0),
        ("respond-async, wait=10", 10), ("wait=10, respond-async", 10), ("handling=lenient", WAIT), ("wait=", WAIT),
        ("wait=soon", WAIT), ("wait=-1", WAIT), ("wait=1.5", WAIT), ("wait=\u0663", WAIT), ("wait=1e3", WAIT),
        ("wait=99999", LONGEST_WAIT), ("wait=" + "9" * 5000, LONGEST_WAIT), (",,=,", WAIT),
    ],
)  # fmt: skip
def test_a_caller_says_how_long_to_wait(prefer: str, seconds: float) -> None:
    """RFC 7240: what cannot be read is ignored; there is a longest wait, and the default ends before 60 seconds."""
    assert (WAIT, LONGEST_WAIT) == (55, 600)
    assert patience(prefer) == seconds


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0"])
async def test_a_run_is_taken_and_looked_at_later(upcard: Upcard, kandji: respx.MockRouter, prefer: str) -> None:
    """202 with the place of the run, which goes on and ends by itself."""
    _, release = slow(kandji)

    answer = await call(upcard, "get_device", BASIC, Prefer=prefer)
    before = (await upcard.http.get(answer.headers["location"])).json()
    release.set()
    await asyncio.gather(*upcard.host.runner.tasks)
    after = (await upcard.http.get(answer.headers["location"])).json()

    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    assert answer.headers["location"] == f"/v1/runs/{answer.json()['run']}"
    assert (before["state"], before["finished"]) == ("running", None)
    assert (after["state"], after["finished"] is not None) == ("succeeded", True)


async def test_a_caller_that_goes_away_does_not_stop_the_run(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """A command that was sent is a command; its end is on record."""
    came, release = slow(kandji)
    calling = asyncio.create_task(call(upcard, "get_device", BASIC))
    await came.wait()

    calling.cancel()
    await asyncio.wait({calling})
    release.set()
    await asyncio.gather(*upcard.host.runner.tasks)

    latest = (await upcard.http.get("/v1/runs", params={"limit": "1"})).json()["items"][0]
    assert (latest["card"], latest["state"]) == ("kandji.get_device", "succeeded")


# Connections


async def test_one_of_several_connections_is_named(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Each with its own token; without a name the call is not valid."""
    upcard = await fresh()
    kandji.get("/devices").respond(json=[])
    kandji.get("/devices/d1").respond(json=DEVICE)
    await upcard.host.connections.create("beta", "kandji", {"url": "https://acme.api.kandji.io", "token": "other"})

    named = await call(upcard, "get_device", {**BASIC, "connection": "beta"})
    unnamed = await call(upcard, "get_device", BASIC)
    unknown = await call(upcard, "get_device", {**BASIC, "connection": "gamma"})

    assert (named.status_code, asked(kandji)[-1].headers["authorization"]) == (200, "Bearer other")
    assert (unnamed.status_code, [error["at"] for error in unnamed.json()["errors"]]) == (400, ["connection"])
    assert (unknown.status_code, unknown.json()["type"]) == (404, "no_such_connection")


async def test_without_a_connection_there_is_nothing_to_call(fresh: Fresh) -> None:
    """The error says how to make one."""
    upcard = await fresh()
    await upcard.host.connections.delete("acme")

    answer = await call(upcard, "get_device", BASIC)

    assert (answer.status_code, answer.json()["type"]) == (409, "not_connected")


# Dry runs and secrets


async def test_a_dry_run_hides_the_pin(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3, SEC-3: it says what would be sent, and sends nothing."""
    kandji.get("/devices/d1").respond(json=DEVICE)

    answer = await call(upcard, "erase_device", {"inputs": {"device_id": "d1", "pin": PIN}, "dry_run": True})

    assert answer.json() == {
        "run": answer.json()["run"],
        "dry_run": True,
        "would_send": {
            "method": "POST",
            "path": "/api/v1/devices/d1/action/erase",
            "body": {"PIN": "[redacted]"},
        },
    }
    assert {request.method for request in asked(kandji)} == {"GET"}


async def test_a_secret_is_kept_nowhere(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """SEC-3: a PIN goes to its caller, and into no run."""
    kandji.get("/devices/d1").respond(json=DEVICE)
    kandji.post("/devices/d1/action/lock").respond(json={"PIN": PIN})

    answer = await call(upcard, "lock_device", {"inputs": {"device_id": "d1"}})
    run = await upcard.http.get(f"/v1/runs/{answer.json()['run']}")
    metrics = await upcard.http.get("/metrics")

    assert answer.json()["outputs"]["pin"] == PIN
    shown = run.text.replace(run.json()["run"], "") + metrics.text  # the ID is random, and may have a "d1" in it
    assert not any(secret in shown for secret in (PIN, TOKEN, "d1"))


async def test_a_body_that_cannot_be_sent_is_a_fault_of_the_call(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-1: whatever JSON a caller sends, it is no fault of ours."""
    said = {"options": {"request_type": "POST"}, "inputs": {"relative_url": "/x", "body": {"n": 10**30}}}

    assert (await call(upcard, "custom_api_action", said)).status_code == 400


async def test_a_filter_of_any_length_is_no_fault_of_ours(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-1: it is refused by us or by the service."""
    kandji.get("/devices").respond(414)
    said = {"options": {"result_set": "first"}, "inputs": {"device_name": "x" * 70_000}}

    assert (await call(upcard, "list_devices", said)).status_code in (400, 502)


# Lines


@pytest.mark.parametrize("accept", ["application/x-ndjson", "application/x-ndjson, application/json;q=0.5"])
async def test_records_come_as_lines(upcard: Upcard, kandji: respx.MockRouter, accept: str) -> None:
    """All of them, as the service sends them."""
    kandji.get("/devices").respond(json=[DEVICE, {**DEVICE, "device_id": "d2"}])

    answer = await call(upcard, "list_devices", {}, Accept=accept)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert [json.loads(line)["device_id"] for line in answer.text.splitlines()] == ["d1", "d2"]
    assert answer.text.endswith("\n")


async def test_no_records_are_no_lines(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """An empty list is an answer."""
    kandji.get("/devices").respond(json=[])

    answer = await call(upcard, "list_devices", {}, **LINES)

    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize(
    ("status", "slug"), [(403, "refused"), (401, "not_connected"), (500, "unavailable"), (429, "throttled")]
)
async def test_an_error_before_the_first_line_is_a_problem(
    upcard: Upcard, kandji: respx.MockRouter, status: int, slug: str
) -> None:
    """ER-1: with its own status, since nothing was answered yet."""
    kandji.get("/devices").respond(status)

    answer = await call(upcard, "list_devices", {}, **LINES)

    assert (answer.headers["content-type"], answer.json()["type"]) == ("application/problem+json", slug)


async def test_an_invalid_call_is_a_problem_before_the_first_line(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-1: as for any answer."""
    answer = await call(upcard, "list_devices", {"inputs": {"platfrom": "Mac"}}, **LINES)

    assert (answer.status_code, asked(kandji)) == (400, [])


async def test_an_error_after_the_first_page_cuts_the_lines(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """UP-6: a cut list never looks complete: the answer breaks off, and the run says why."""
    kandji.get("/devices", params={"offset": 0}).respond(json=[{"device_id": str(number)} for number in range(300)])
    kandji.get("/devices", params={"offset": 300}).respond(500)
    transport = httpx.ASGITransport(upcard.app)

    async with httpx.AsyncClient(
        transport=transport, base_url="http://upcard.test", headers=upcard.http.headers
    ) as http:
        with pytest.raises(Exception, match="The service answered 500"):
            await http.post("/v1/cards/kandji/list_devices", json={}, headers=LINES)

    latest = (await upcard.http.get("/v1/runs", params={"limit": "1"})).json()["items"][0]
    assert (latest["state"], latest["error"]["type"]) == ("failed", "unavailable")


async def test_a_page_too_deep_for_a_line_is_unexpected(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """UP-2: nobody promised it, and the run says so."""
    kandji.get("/devices").respond(content=b'[{"tags": %s}]' % (b"[" * 300 + b"]" * 300))

    answer = await call(upcard, "list_devices", {}, **LINES)

    latest = (await upcard.http.get("/v1/runs", params={"limit": "1"})).json()["items"][0]
    assert (answer.status_code, answer.json()["type"], latest["error"]["type"]) == (502, "unexpected", "unexpected")


async def test_a_fault_of_ours_is_not_the_caller_s(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """SEC-6: the run tells it from a caller who went away."""
    kandji.get("/devices").mock(side_effect=RuntimeError)

    answer = await call(upcard, "list_devices", {}, **LINES)

    latest = (await upcard.http.get("/v1/runs", params={"limit": "1"})).json()["items"][0]
    assert (answer.status_code, latest["error"]["detail"]) == (500, "Something went wrong on our side.")


async def test_only_lists_give_lines(upcard: Upcard) -> None:
    """A card with one answer says so."""
    answer = await call(upcard, "get_device", BASIC, **LINES)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_call")
