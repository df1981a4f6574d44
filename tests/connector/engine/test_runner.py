"""A call that was read is run: refusals are judged, dry runs hold back, and every run comes to its end."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import respx

from cards.kandji.erase_device import Inputs
from connector.engine.calls import Call, Ready
from connector.engine.outputs import safe
from connector.engine.runner import Answer
from connector.engine.runs import Run
from connector.sdk.errors import InvalidCall, NoSuchFlow, Refused, Said, UpcardError
from connector.sdk.results import Counted, Page
from tests.conftest import TOKEN, Upcard, asked, opened
from tests.connector.engine.parts import caller
from tests.receiver import receiving

DEVICE = {"device_id": "d1", "device_name": "Nora's MacBook Pro", "platform": "Mac"}
PIN = "073916"


async def ready(upcard: Upcard, card: str, **said: Any) -> Ready:
    return await upcard.host.reader.read(Call(f"kandji.{card}", caller("k1"), **said))


async def ran(upcard: Upcard, card: str, **said: Any) -> tuple[Run, Answer]:
    """The run of a call and its answer, as far as it was waited for."""
    run, answer = await upcard.host.runner.run(await ready(upcard, card, **said), 10)
    assert answer is not None
    return run, answer


async def outputs(upcard: Upcard, card: str, **said: Any) -> dict[str, Any]:
    _, answer = await ran(upcard, card, **said)
    assert answer.outputs is not None
    return answer.outputs.model_dump()


# Reading a call


async def test_every_fault_of_a_call_is_told_at_once(upcard: Upcard) -> None:
    """ER-1: of options, inputs and stream together, before anything is asked."""
    with pytest.raises(InvalidCall) as raised:
        await ready(
            upcard,
            "list_devices",
            options={"result_set": "stream"},
            inputs={"platfrom": "Mac"},
            stream={"concurrency": 0},
        )

    assert [fault.at for fault in raised.value.faults] == ["inputs/platfrom", "stream/concurrency"]


@pytest.mark.parametrize("result_set", ["first", "first_200"])
async def test_a_stream_is_for_streams(upcard: Upcard, result_set: str) -> None:
    """What would be ignored is refused."""
    with pytest.raises(InvalidCall) as raised:
        await ready(upcard, "list_devices", options={"result_set": result_set}, stream={"url": "https://a.example"})

    assert [fault.at for fault in raised.value.faults] == ["stream"]


async def test_a_stream_goes_to_a_flow_that_is_there(upcard: Upcard) -> None:
    """A flow that nobody registered is not found."""
    with pytest.raises(NoSuchFlow):
        await ready(upcard, "list_devices", options={"result_set": "stream"}, stream={"flow": "nobody"})


async def test_a_stream_has_one_destination(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-1: which of two was meant is not guessed; both are named."""
    stream = {"flow": "onboard", "url": "https://hooks.example.com/"}

    answer = await upcard.call("kandji.list_devices", options={"result_set": "stream"}, stream=stream)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (
        400,
        ["stream/flow", "stream/url"],
    )


async def test_unregistered_addresses_are_off_by_default(tmp_path: Path) -> None:
    """SSRF-2: the operator decides whether a call may name an address."""
    async with opened(tmp_path) as upcard:
        with pytest.raises(InvalidCall) as raised:
            await ready(upcard, "list_devices", options={"result_set": "stream"}, stream={"url": "https://a.example/x"})

    assert [fault.at for fault in raised.value.faults] == ["stream/url"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://169.254.169.254/", "https://localhost/"])
async def test_an_unregistered_address_is_checked(upcard: Upcard, url: str) -> None:
    """SSRF-2: as a registered one is; the error says nothing of addresses."""
    with pytest.raises(UpcardError, match=r"^The destination is not allowed\.$"):
        await ready(upcard, "list_devices", options={"result_set": "stream"}, stream={"url": url})


async def test_only_lists_give_lines(upcard: Upcard) -> None:
    """NDJSON of one record makes no sense."""
    with pytest.raises(InvalidCall, match="Only a list card"):
        await ready(upcard, "get_device", options={"details": "basic"}, inputs={"device_id": "d1"}, records=True)


# Running it


async def test_a_run_succeeds_with_outputs(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """And is kept with its caller."""
    kandji.get("/devices/d1").respond(json=DEVICE)

    run, _ = await ran(upcard, "get_device", options={"details": "Basic"}, inputs={"device_id": "d1"})

    assert (run.state, run.error, run.caller, run.connection) == ("succeeded", None, "k1", "acme")
    assert (await upcard.host.runs.get(run.id, "k1")).shown() == run.shown()


async def test_a_change_is_on_record_before_it_is_sent(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ID-4: when the service is asked, the store knows of it."""
    known: list[str] = []

    async def queue(_: httpx.Request) -> httpx.Response:
        found, _cursor = await upcard.host.runs.list("k9", card=None, state=None, since=None, cursor=None, limit=9)
        known.extend(run.state for run in found)
        return httpx.Response(200)

    kandji.post("/devices/d1/action/restart").mock(side_effect=queue)
    call = await upcard.host.reader.read(Call("kandji.restart_device", caller("k9"), inputs={"device_id": "d1"}))

    await upcard.host.runner.run(call, 10)

    assert known == ["running"]


async def test_a_refusal_is_the_status_code_of_a_card(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-4: the run succeeded: the card says what the service said."""
    kandji.route().respond(400, json="Command already running")

    assert await outputs(upcard, "restart_device", inputs={"device_id": "d1"}) == {"status_code": 400}


async def test_an_explanation_says_why_it_was_refused(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-4: where a card has such an output, it holds the service's words."""
    kandji.get("/devices/d1").respond(json=DEVICE)
    kandji.post("/devices/d1/action/enablelostmode").respond(400, json=["Device is not supervised."])

    found = await outputs(upcard, "turn_on_lost_mode", inputs={"device_id": "d1", "phone_number": "1"})

    assert (found["status_code"], found["message"]) == (400, "Device is not supervised.")


async def test_a_refusal_without_a_status_code_fails_the_run(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """With what the service said."""
    kandji.get("/devices/d1").respond(404, json={"detail": "Not found."})

    run, answer = await ran(upcard, "get_device", options={"details": "basic"}, inputs={"device_id": "d1"})

    assert (run.state, run.error) == ("failed", answer.problem)
    assert answer.problem == Refused.saying(404, "Not found.").shown(run.id)


async def test_a_refused_token_is_a_missing_connection(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """UP-4: the caller can do nothing about it but connect again."""
    kandji.get("/devices/d1").respond(401, json={"detail": "Invalid token."})

    _, answer = await ran(upcard, "get_device", options={"details": "basic"}, inputs={"device_id": "d1"})

    assert answer.problem is not None
    assert answer.problem["type"] == "not_connected"


async def test_a_run_goes_on_when_nobody_waits(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """The caller takes the run, and looks later."""
    release = asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        await release.wait()
        return httpx.Response(200, json=DEVICE)

    kandji.get("/devices/d1").mock(side_effect=slow)

    run, answer = await upcard.host.runner.run(
        await ready(upcard, "get_device", options={"details": "basic"}, inputs={"device_id": "d1"}), 0
    )
    before = run.state
    release.set()
    await asyncio.gather(*upcard.host.runner.tasks)

    assert (answer, before, run.state) == (None, "running", "succeeded")


async def test_a_run_ends_whatever_happens(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """CB-11: a fault of ours fails the run, without a word about what it was."""
    kandji.get("/devices/d1").mock(side_effect=ZeroDivisionError("s3cret"))

    with pytest.raises(ZeroDivisionError):
        await ran(upcard, "get_device", options={"details": "basic"}, inputs={"device_id": "d1"})

    found, _ = await upcard.host.runs.list("k1", card=None, state="failed", since=None, cursor=None, limit=1)
    assert found[0].error == UpcardError("Something went wrong on our side.").shown(found[0].id)


# Lists


async def test_the_first_record_is_asked_for_alone(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """One record is asked for where one is wanted."""
    route = kandji.get("/devices").respond(json=[DEVICE])

    found = await outputs(upcard, "list_devices", options={"result_set": "First Matching Record"})

    assert found["device_name"] == "Nora's MacBook Pro"
    assert [call.request.url.params["limit"] for call in route.calls] == ["1"]


async def test_no_first_record_is_empty_outputs(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Nothing found is an answer and no error."""
    kandji.get("/devices").respond(json=[])

    found = await outputs(upcard, "list_devices", options={"result_set": "first"})

    assert set(found.values()) == {None}


async def test_a_stream_counts_what_was_delivered(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """CB-11: the answer is the number of records that the flow has taken."""
    kandji.get("/devices").respond(json=[DEVICE, {**DEVICE, "device_id": "d2"}])

    async with receiving() as flow:
        said = {"options": {"result_set": "stream"}, "stream": {"url": flow.url}}
        run, answer = await ran(upcard, "list_devices", **said)

    assert answer.outputs == Counted(record_count=2)
    assert {head["webhook-id"] for head in flow.headers} == {f"{run.id}_0", f"{run.id}_1"}


async def test_a_state_that_cannot_be_sent_is_refused(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-1: before a record is fetched; no face hands on what cannot be written again."""
    stream = {"url": "http://127.0.0.1:1/flow", "state": {"n": 10**30}}

    answer = await upcard.call("kandji.list_devices", options={"result_set": "stream"}, stream=stream)

    assert (answer.status_code, asked(kandji)) == (400, [])


async def test_records_can_be_taken_by_the_caller(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Page by page; the run ends with the last one."""
    kandji.get("/devices", params={"offset": 0}).respond(json=[{"device_id": str(number)} for number in range(300)])
    kandji.get("/devices", params={"offset": 300}).respond(json=[{"device_id": "last"}])

    found = [page.records async for page in await _records(upcard)]

    assert ([len(records) for records in found], found[1]) == ([300, 1], [{"device_id": "last"}])
    assert (await _latest(upcard)).state == "succeeded"


async def test_a_caller_that_goes_away_ends_the_run(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """CB-11: a list that was read in part is not running any more, and does not stay in memory."""
    kandji.get("/devices").respond(json=[{"device_id": str(number)} for number in range(300)])
    before = set(upcard.host.runs._live)
    found = await _records(upcard)
    await anext(found)

    await found.aclose()

    assert set(upcard.host.runs._live) == before


@pytest.mark.parametrize("levels", [300, 1000])
async def test_a_record_too_deep_to_hand_on_is_unexpected(
    upcard: Upcard, kandji: respx.MockRouter, levels: int
) -> None:
    """UP-2: answers have a depth; what nobody promised is not a fault of ours, and the run did not succeed."""
    kandji.get("/devices").respond(content=b'[{"device_id": "d1", "tags": %s}]' % (b"[" * levels + b"]" * levels))

    answer = await upcard.call("kandji.list_devices", options={"result_set": "first_200"})

    assert (answer.status_code, answer.json()["type"]) == (502, "unexpected")
    assert (await _latest(upcard)).state == "failed"


async def test_a_change_with_an_answer_too_deep_was_carried_out(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-9: nobody repeats it for want of an answer."""
    kandji.post("/x").respond(content=b'{"a":' * 300 + b"1" + b"}" * 300)
    said = {"options": {"request_type": "POST"}, "inputs": {"relative_url": "/x"}}

    _, answer = await ran(upcard, "custom_api_action", **said)

    assert answer.problem == {**(answer.problem or {}), "type": "outcome_unknown", "retry": False}


# Dry runs


async def test_a_dry_run_says_what_it_would_send(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: the target is looked up, the secret in the body is hidden, nothing is sent."""
    kandji.get("/devices/d1").respond(json=DEVICE)

    _, answer = await ran(upcard, "erase_device", inputs={"device_id": "d1", "pin": PIN}, dry_run=True)

    assert answer.outputs is None
    assert answer.would_send == {
        "method": "POST",
        "path": "/api/v1/devices/d1/action/erase",
        "body": {"PIN": "[redacted]"},
    }
    assert {request.method for request in asked(kandji)} == {"GET"}


async def test_a_dry_run_of_a_custom_request_hides_what_looks_secret(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3, SEC-3: all of the request is shown, without the connection's own headers; secrets go by their names."""
    said = {
        "relative_url": "/users?page=2&api_key=s3cret",
        "query": {"tags": ["a", "b"]},
        "headers": {"X-Api-Key": "s3cret", "X-Trace": "t1"},
        "body": {"name": "Nora", "shipping": 1, "users": [{"Password": "s3cret", "unlockPin": 73916, "pin": None}]},
    }

    _, answer = await ran(upcard, "custom_api_action", options={"request_type": "POST"}, inputs=said, dry_run=True)

    hidden = "[redacted]"
    assert answer.would_send == {
        **{"method": "POST", "path": "/api/v1/users"},
        "query": {"page": ["2"], "api_key": hidden, "tags": ["a", "b"]},
        "headers": {"X-Api-Key": hidden, "X-Trace": "t1"},
        "body": {"name": "Nora", "shipping": 1, "users": [{"Password": hidden, "unlockPin": hidden, "pin": hidden}]},
    }
    assert asked(kandji) == []


async def test_a_dry_run_of_a_reading_card_asks_nothing(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: it says the request that it would make."""
    said = {"options": {"result_set": "first"}, "inputs": {"platform": "Mac"}}

    _, answer = await ran(upcard, "list_devices", **said, dry_run=True)

    query = {"platform": "Mac", "limit": 1, "offset": 0}
    assert answer.would_send == {"method": "GET", "path": "/api/v1/devices", "query": query, "body": None}
    assert asked(kandji) == []


async def test_a_dry_run_of_a_stream_hands_nothing_over(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: neither is the service asked nor the flow."""
    async with receiving() as flow:
        said = {"options": {"result_set": "stream"}, "stream": {"url": flow.url}, "dry_run": True}
        run, _ = await ran(upcard, "list_devices", **said)

    assert (run.state, flow.sent, asked(kandji)) == ("succeeded", [], [])


async def test_a_dry_run_tells_a_wrong_target(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: a card without a Status Code fails as it would; others report it."""
    kandji.get("/devices/d1").respond(404, json={"detail": "Not found."})

    found = await outputs(upcard, "restart_device", inputs={"device_id": "d1"}, dry_run=True)

    assert found == {"status_code": 404}


async def test_a_dry_run_of_a_custom_get_asks_nothing(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: a dry run sends nothing, whatever the method."""
    route = kandji.get("/secrets").respond(json={})
    said = {"options": {"request_type": "GET"}, "inputs": {"relative_url": "/secrets"}, "dry_run": True}

    await ran(upcard, "custom_api_action", **said)

    assert route.call_count == 0


async def test_a_dry_run_of_lines_asks_nothing(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """DA-3: a dry run has no records to give, so it cannot be had as lines."""
    route = kandji.get("/devices").respond(json=[])

    answer = await upcard.http.post(
        "/v1/cards/kandji/list_devices", json={"dry_run": True}, headers={"Accept": "application/x-ndjson"}
    )

    assert (route.call_count, answer.status_code) == (0, 400)


# Secrets


async def test_a_secret_that_the_service_repeats_is_hidden(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """SEC-5: known secrets, the connection's token above all, are masked in a service's words."""
    kandji.get("/devices/d1").respond(403, json={"detail": f"{'x' * 270} {TOKEN} may not do this."})

    _, answer = await ran(upcard, "get_device", options={"details": "basic"}, inputs={"device_id": "d1"})

    assert (answer.problem or {})["service"]["said"].endswith("x [redacted] may not do this.")


def test_a_secret_input_that_the_service_repeats_is_hidden() -> None:
    """SEC-5: in base64 and the like as well."""
    said = "No: 048213, dTowNDgyMTM6, 303438323133"
    ready: Any = SimpleNamespace(card=SimpleNamespace(gives_secrets=False), inputs=Inputs(device_id="d1", pin="048213"))

    found = safe(Refused.saying(400, said), ready)

    assert (found.service or Said(0, said)).said == "No: [redacted], dTo[redacted]M6, [redacted]"
    assert found.detail == "The service answered 400: No: [redacted], dTo[redacted]M6, [redacted]"


async def _records(upcard: Upcard) -> AsyncGenerator[Page[Any]]:
    found = upcard.host.runner.records(await ready(upcard, "list_devices", records=True))
    assert isinstance(found, AsyncGenerator)
    return found


async def _latest(upcard: Upcard) -> Run:
    found, _ = await upcard.host.runs.list("k1", card=None, state=None, since=None, cursor=None, limit=1)
    return found[0]


# A host that stops


async def test_a_host_that_stops_takes_no_calls(tmp_path: Path, kandji: respx.MockRouter) -> None:
    """UP-7: nothing was done, and the caller is told to come again."""
    async with opened(tmp_path) as upcard:
        upcard.host.draining.set()

        answers = [
            await upcard.call("kandji.get_device", options={"details": "basic"}, inputs={"device_id": "d1"}),
            await upcard.http.post(
                "/v1/cards/kandji/list_devices", json={}, headers={"Accept": "application/x-ndjson"}
            ),
        ]

    assert [answer.json()["type"] for answer in answers] == ["unavailable"] * 2
    assert [answer.headers["retry-after"] for answer in answers] == ["2"] * 2
    assert asked(kandji) == []


@pytest.mark.parametrize(
    ("card", "options", "problem"),
    [("get_device", {"details": "basic"}, "unavailable"), ("restart_device", {}, "outcome_unknown")],
)
async def test_a_call_that_outlasts_the_stop_is_told_what_is_known(
    tmp_path: Path, kandji: respx.MockRouter, card: str, options: dict[str, str], problem: str
) -> None:
    """UP-7: what only read can be repeated; what changes something may have been done, and is on record so."""
    begun = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    kandji.route(path__regex="/devices/d1").mock(side_effect=hang)
    async with opened(tmp_path) as upcard:
        call = asyncio.create_task(upcard.call(f"kandji.{card}", options=options, inputs={"device_id": "d1"}))
        await begun.wait()

        await upcard.host.runner.stop(0.01)
        answer = await call
        run = (await upcard.http.get(f"/v1/runs/{answer.json()['run']}")).json()

    assert (answer.json()["type"], run["state"], run["error"]["type"]) == (problem, "failed", problem)
