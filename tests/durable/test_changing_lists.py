"""A list that changes while it is streamed, or that never ends: no record comes twice, and nothing goes on for ever."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
import respx

from connector.engine import source
from tests.conftest import Upcard
from tests.durable.conftest import DEVICES, Stage, adds_up, counts
from tests.processes import admin, until
from tests.receiver import receiving

PAGE = 300


class Fleet:
    """A service's devices by offset. `changes` says what is put in front once the page at an offset was read."""

    def __init__(self, count: int, changes: dict[int, int]) -> None:
        self._ids = [f"d{at}" for at in range(count)]
        self._changes = changes

    def serve(self, kandji: respx.MockRouter) -> None:
        kandji.route(host="127.0.0.1").pass_through()
        kandji.get("/devices").mock(side_effect=self._page)

    def _page(self, request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        found = [{"device_id": id_} for id_ in self._ids[offset : offset + limit]]
        self._ids[:0] = [f"new{offset}-{at}" for at in range(self._changes.get(offset, 0))]
        return httpx.Response(200, json=found)


@pytest.mark.parametrize(
    ("count", "changes", "skipped"),
    [(650, {0: 5}, 5), (650, {300: 5}, 5), (650, {0: 3, 300: 2}, 5), (600, {300: 5}, 5), (601, {0: 0}, 0)],
)
async def test_what_moved_to_the_next_page_is_skipped_and_counted(
    upcard: Upcard, kandji: respx.MockRouter, count: int, changes: dict[int, int], skipped: int
) -> None:
    """Devices that came in front push others on to the next page; also where that page holds nothing else."""
    Fleet(count, changes).serve(kandji)

    run, sent = await _streamed(upcard)

    assert run["state"] == "succeeded"
    assert Counter(sent) == {f"d{at}": 1 for at in range(count)}
    assert counts(run) == (count + skipped, count, 0, skipped)
    assert adds_up(run)


async def test_a_page_that_comes_again_fails_the_run(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """A service that ignores the offset would give the first page for ever."""
    kandji.route(host="127.0.0.1").pass_through()
    kandji.get("/devices").respond(json=[{"device_id": f"d{at}"} for at in range(PAGE)])

    run, sent = await _streamed(upcard)

    assert (run["state"], run["error"]["type"]) == ("failed", "unexpected")
    assert Counter(sent) == {f"d{at}": 1 for at in range(PAGE)}


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_a_list_with_too_many_pages_is_cut_and_says_so(
    upcard: Upcard, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """The page cap ends the stream with `truncated`, after exactly so many pages; it is no success (CB-11)."""
    monkeypatch.setattr(source, "MOST_PAGES", most)
    Fleet(3000, {}).serve(kandji)

    run, sent = await _streamed(upcard)

    assert (run["state"], run["progress"]["truncated"], run["progress"]["pages"]) == ("failed", True, most)
    assert len(sent) == most * PAGE


@pytest.mark.slow
async def test_devices_that_come_and_go_are_never_sent_twice(stage: Stage) -> None:
    """The simulated tenant: five in front while the first page is sent, ten of the sent ones gone in the second."""
    stage.receiver.delay = 0.1
    run = await stage.begun(concurrency=100)
    await until(lambda: _asked_for(stage, 300))
    await admin(stage.service, "POST", "/devices", count=5, at_front=True)
    await until(lambda: stage.taken(run, 301))
    await until(lambda: _asked_for(stage, 600))
    stage.receiver.delay = 0.0

    ended = await stage.works.reaches(run, "succeeded", "failed")

    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES + 5, DEVICES, 0, 5))
    assert max(Counter(record["device_id"] for record in stage.receiver.records).values()) == 1


@pytest.mark.slow
async def test_the_repeated_page_of_the_sandbox_fails_the_run(stage: Stage) -> None:
    """`unexpected`; after a resume the service behaves, and the rest follows without a repetition."""
    await admin(stage.service, "POST", "/faults", kind="repeat", after=1, times=1, path="/devices")
    run = await asyncio.to_thread(stage.works.stream)

    failed = await stage.works.reaches(run, "failed", "succeeded")
    await stage.works.run(run, "resume")
    ended = await stage.works.reaches(run, "succeeded", "failed")

    assert (failed["state"], failed["error"]["type"], counts(failed)) == ("failed", "unexpected", (300, 300, 0, 0))
    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES, DEVICES, 0, 0))
    assert len(stage.receiver.of(run).sent) == DEVICES


async def _streamed(upcard: Upcard) -> tuple[dict[str, Any], list[str]]:
    """A stream of all devices to its end: the run, and the ids that were sent."""
    async with receiving() as receiver:
        body = {"options": {"result_set": "stream"}, "stream": {"url": receiver.url, "concurrency": 50}}
        answer = await upcard.call("kandji.list_devices", **body)
    run: dict[str, Any] = (await upcard.http.get(f"/v1/runs/{answer.json()['run']}")).json()
    return run, [record["device_id"] for record in receiver.records]


async def _asked_for(stage: Stage, offset: int) -> bool:
    """Whether the service was asked for this page."""
    found = await admin(stage.service, "GET", "/requests")
    return any(f"offset={offset}" in request["query"] for request in found["requests"])
