"""Runs over HTTP: each caller sees their own, follows them, and controls their streams."""

import json
from typing import Any

import httpx
import pytest
import respx
from aiohttp import web

from tests.conftest import HOST, Upcard
from tests.receiver import receiving

STREAM = {"options": {"result_set": "stream"}}


async def streamed(upcard: Upcard, kandji: respx.MockRouter, count: int, **stream: Any) -> str:
    """The run of a stream that is over."""
    kandji.get("/devices").respond(json=[{"device_id": f"d{number}"} for number in range(count)])
    answer = await upcard.call("kandji.list_devices", **STREAM, stream=stream)
    return str(answer.json()["run"])


async def test_a_run_shows_its_counts(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """CB-11: they add up, and the answer of the stream is one of them."""
    async with receiving() as flow:
        run = await streamed(upcard, kandji, 3, url=flow.url)

    found = (await upcard.http.get(f"/v1/runs/{run}")).json()
    assert (found["state"], found["card"], found["connection"]) == ("succeeded", "kandji.list_devices", "acme")
    assert {**found["progress"], "rate": 0} == {
        **{"fetched": 3, "sent": 3, "delivered": 3, "failed": 0, "skipped": 0, "pending": 0, "pages": 1},
        **{"cursor": None, "truncated": False, "waiting_for": None, "rate": 0},
    }


async def test_another_caller_s_run_is_not_there(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """AU-4: for none of its addresses."""
    async with receiving() as flow:
        run = await streamed(upcard, kandji, 1, url=flow.url)
    other = {"Authorization": f"Bearer {upcard.host.keys.mint('another')}"}
    transport = httpx.ASGITransport(upcard.app, raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=other) as http:
        answers = [
            *[await http.get(f"/v1/runs/{run}{path}") for path in ("", "/events", "/failures")],
            *[
                await http.post(f"/v1/runs/{run}/{verb}", json={})
                for verb in ("cancel", "pause", "resume", "redeliver")
            ],
        ]
        listed = (await http.get("/v1/runs")).json()

    assert {answer.json()["type"] for answer in answers} == {"no_such_run"}
    assert listed == {"items": [], "next": None}


async def test_runs_are_listed_in_pages(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Newest first; `next` leads on."""
    kandji.get("/devices").respond(json=[])
    some = [await upcard.call("kandji.list_devices", options={"result_set": "first"}) for _ in range(3)]
    ids = [answer.json()["run"] for answer in some]

    one = (await upcard.http.get("/v1/runs", params={"limit": "2", "card": "kandji.list_devices"})).json()
    two = (await upcard.http.get("/v1/runs", params={"limit": "1", "cursor": one["next"]})).json()

    assert {run["run"] for run in [*one["items"], *two["items"]]} == set(ids)


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": value} for value in ("0", "201", "x", "1.5", "-1")),
        *({"cursor": value} for value in ("7", "run_", "run_" + "z" * 28, "run_" + "0" * 29, "zzz")),
        *({"state": "nope"}, {"since": "yesterday"}, {"stat": "failed"}, {"card": "\0"}, {"state": "x", "limit": "x"}),
    ],
)
async def test_a_wrong_filter_is_told(upcard: Upcard, query: dict[str, str]) -> None:
    """A misspelt filter does not list everything."""
    answer = await upcard.http.get("/v1/runs", params=query)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (
        400,
        [f"query/{key}" for key in query],
    )


async def test_a_run_is_followed_to_its_end(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Server-sent events: one `done` with the whole run; who has seen it need not come back."""
    async with receiving() as flow:
        run = await streamed(upcard, kandji, 2, url=flow.url)

    answer = await upcard.http.get(f"/v1/runs/{run}/events")
    event = dict(line.partition(": ")[::2] for line in answer.text.splitlines() if line)
    again = await upcard.http.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": event["id"]})

    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert (event["event"], json.loads(event["data"])) == ("done", (await upcard.http.get(f"/v1/runs/{run}")).json())
    assert (again.status_code, again.content) == (204, b"")


async def test_failures_are_listed_and_sent_again(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """CB-10: without the records; 202, and the run goes on."""
    async with receiving(lambda _: web.Response(status=410)) as flow:
        run = await streamed(upcard, kandji, 1, url=flow.url)
        listed = (await upcard.http.get(f"/v1/runs/{run}/failures")).json()
        flow.script = lambda _: web.Response()
        answer = await upcard.http.post(f"/v1/runs/{run}/redeliver", json={"positions": [0]})
        await upcard.host.streams.wait(await upcard.host.runs.get(run, _caller(upcard)), 10)

    left = (await upcard.http.get(f"/v1/runs/{run}/failures")).json()["items"]
    assert [(failure["position"], failure["status"]) for failure in listed["items"]] == [(0, 410)]
    assert "device_id" not in json.dumps(listed)
    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/runs/{run}")
    assert (left, len(flow.sent)) == ([], 2)


WRONG: list[Any] = [["0"], [1.5], [True], [None], [{}], [[]], [-1], [], list(range(9_001)), "0", {}]


@pytest.mark.parametrize("positions", WRONG, ids=lambda wrong: str(wrong)[:20])
async def test_positions_are_whole_numbers(upcard: Upcard, kandji: respx.MockRouter, positions: Any) -> None:
    """Anything else is told."""
    async with receiving() as flow:
        run = await streamed(upcard, kandji, 0, url=flow.url)

    answer = await upcard.http.post(f"/v1/runs/{run}/redeliver", json={"positions": positions})

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, ["positions"])


async def test_a_position_that_is_given_twice_is_sent_once(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """A list of positions is a set."""
    async with receiving(lambda _: web.Response(status=410)) as flow:
        run = await streamed(upcard, kandji, 1, url=flow.url)
        flow.script = lambda _: web.Response()
        await upcard.http.post(f"/v1/runs/{run}/redeliver", json={"positions": [0, 0]})
        await upcard.host.streams.wait(await upcard.host.runs.get(run, _caller(upcard)), 10)

    assert len(flow.sent) == 2


async def test_a_misspelt_wish_does_not_send_everything(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """ER-2: without positions, all failures are sent again."""
    async with receiving() as flow:
        run = await streamed(upcard, kandji, 0, url=flow.url)

    answer = await upcard.http.post(f"/v1/runs/{run}/redeliver", json={"position": [0]})

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, ["position"])


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
async def test_a_stream_that_is_over_takes_no_more_wishes(upcard: Upcard, kandji: respx.MockRouter, verb: str) -> None:
    """409 says in which state it is."""
    async with receiving() as flow:
        run = await streamed(upcard, kandji, 0, url=flow.url)

    answer = await upcard.http.post(f"/v1/runs/{run}/{verb}")

    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert answer.json()["detail"] == f"The run is succeeded: there is nothing to {verb}."


def _caller(upcard: Upcard) -> str:
    return str(upcard.http.headers["authorization"].split("_")[2])
