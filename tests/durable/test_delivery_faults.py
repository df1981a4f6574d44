"""What a flow does to a stream: it refuses, is gone, asks to wait, hangs. Records it did not take can be sent again."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from aiohttp import web

from tests.durable.conftest import DEVICES, Figure, Stage, adds_up, counts
from tests.processes import free_port, until
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.slow

QUICK = 5.0  # seconds: who waited for a slot of the hanging flow would wait for 20; how fast it is says bench/


async def test_failures_are_listed_and_sent_again_as_they_were(stage: Stage) -> None:
    """500 for some records: listed with their status; all of them or a subset go again, with the same id and bytes."""
    bad = frozenset(range(0, 300, 25))
    run = await asyncio.to_thread(stage.works.stream, concurrency=50)
    stage.receiver.script = lambda body: web.Response(status=500 if _position(stage, run, body) in bad else 204)
    ended = await stage.works.reaches(run, "succeeded", "failed")
    listed = await asyncio.to_thread(stage.works.ask, "GET", f"/v1/runs/{run}/failures?limit=1000")
    first = dict(zip(stage.receiver.ids, stage.receiver.raw, strict=True))
    stage.receiver.script = lambda _: _taken()

    stage.receiver.forget()
    await stage.works.run(run, "redeliver", {"positions": [0, 100]})
    some = await until(lambda: _back(stage, run))
    sent_some = dict(zip(stage.receiver.ids, stage.receiver.raw, strict=True))
    stage.receiver.forget()
    await stage.works.run(run, "redeliver", {})
    everything = await until(lambda: _back(stage, run))

    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES, DEVICES - len(bad), len(bad), 0))
    assert {(failure["position"], failure["status"]) for failure in listed["items"]} == {(at, 500) for at in bad}
    assert sent_some == {f"{run}_{at}": first[f"{run}_{at}"] for at in (0, 100)}
    assert (some["state"], counts(some)[1:3]) == ("succeeded", (DEVICES - len(bad) + 2, len(bad) - 2))
    assert set(stage.receiver.ids) == {f"{run}_{at}" for at in bad - {0, 100}}
    assert len(stage.receiver.ids) == len(bad) - 2
    assert (everything["state"], counts(everything)) == ("succeeded", (DEVICES, DEVICES, 0, 0))


async def test_a_flow_that_is_gone_fails_the_run_and_can_come_back(stage: Stage) -> None:
    """410: nothing more is sent; after a resume the rest is, and the record it was answered to can go again."""
    stage.receiver.script = lambda _: web.Response(status=410 if len(stage.receiver.sent) == 100 else 204)
    run = await asyncio.to_thread(stage.works.stream, concurrency=4)

    failed = await stage.works.reaches(run, "failed", "succeeded")
    sent = len(stage.receiver.sent)
    await stage.works.run(run, "resume")
    ended = await stage.works.reaches(run, "succeeded", "failed")
    await stage.works.run(run, "redeliver", {})
    whole = await until(lambda: _back(stage, run))

    assert (failed["state"], failed["error"]["type"]) == ("failed", "delivery_failed")
    assert adds_up(failed)
    assert sent <= 104
    assert (ended["state"], ended["progress"]["sent"]) == ("succeeded", DEVICES)
    assert counts(whole) == (DEVICES, DEVICES, 0, 0)


async def test_a_busy_flow_slows_the_stream_and_loses_nothing(stage: Stage) -> None:
    """A flow that answers 429 three times to each record: shown as waiting, and no record fails."""
    stage.receiver.script = lambda _: _later("1") if stage.receiver.ids.count(stage.receiver.ids[-1]) < 4 else _taken()
    run = await asyncio.to_thread(stage.works.stream, concurrency=20, record_limit=20)

    await until(lambda: _waiting(stage, run), within=5)
    ended = await stage.works.reaches(run, "succeeded", "failed")

    assert (ended["state"], counts(ended)) == ("succeeded", (20, 20, 0, 0))
    assert ended["progress"]["waiting_for"] is None


async def test_a_stream_that_is_to_stop_at_a_failure_does_and_goes_on_after_it(stage: Stage) -> None:
    """The failed record is listed, the rest is sent after a resume, and nothing twice."""
    run = await asyncio.to_thread(stage.works.stream, concurrency=4, on_failure="stop")
    stage.receiver.script = lambda body: web.Response(status=404 if _position(stage, run, body) == 20 else 204)
    failed = await stage.works.reaches(run, "failed", "succeeded")
    attempts = Counter(stage.receiver.ids)
    stage.receiver.script = lambda _: _taken()

    await stage.works.run(run, "resume")
    ended = await stage.works.reaches(run, "succeeded", "failed")

    assert (failed["state"], failed["error"]["type"], failed["progress"]["failed"]) == ("failed", "delivery_failed", 1)
    assert adds_up(failed)
    assert attempts[f"{run}_20"] == 3
    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES, DEVICES - 1, 1, 0))
    assert Counter(stage.receiver.ids) == {f"{run}_{at}": 3 if at == 20 else 1 for at in range(DEVICES)}


async def test_a_dead_or_hanging_flow_delays_nobody_else(stage: Stage, record_property: Figure) -> None:
    """One closed port, two streams to a flow that never answers: another stream and the API are as fast as ever."""
    async with receiving(delay=60.0) as deaf, receiving() as quick:
        runs = [await _to(stage, "dead", f"http://127.0.0.1:{free_port()}/flow")]
        runs += [await _to(stage, "deaf", deaf.url) for _ in range(2)]
        await until(lambda: _hangs(deaf))
        began = time.monotonic()
        run = await _to(stage, "quick", quick.url)
        slowest = await asyncio.to_thread(_slowest_of_100, stage)
        record_property("p99 of get_device", slowest)
        try:
            ended = await stage.works.reaches(run, "succeeded", "failed", within=15)
        finally:
            for other in [*runs, run]:
                await stage.works.run(other, "cancel")

    record_property("seconds of a stream", time.monotonic() - began)
    assert counts(ended) == (DEVICES, DEVICES, 0, 0)
    assert slowest < QUICK


def _position(stage: Stage, run: str, body: dict[str, Any]) -> int:
    """The position of the request that came last, which is the one that is answered."""
    return int(stage.receiver.ids[-1].rpartition("_")[2])


def _taken() -> web.Response:
    return web.Response(status=204)


def _later(seconds: str) -> web.Response:
    return web.Response(status=429, headers={"Retry-After": seconds})


async def _back(stage: Stage, run: str) -> dict[str, Any]:
    """The run, once what was sent again is done."""
    found = await stage.works.run(run)
    return {} if found["state"] in ("queued", "running") else found


async def _waiting(stage: Stage, run: str) -> bool:
    return (await stage.works.run(run))["progress"]["waiting_for"] is not None


async def _hangs(deaf: Receiver) -> bool:
    """Whether as many requests wait there as may: for a second, none has come."""
    return bool(deaf.times) and time.monotonic() - deaf.times[-1] > 1


async def _to(stage: Stage, flow: str, url: str) -> str:
    await asyncio.to_thread(stage.works.ask, "POST", "/v1/flows", {"name": flow, "url": url})
    return await asyncio.to_thread(stage.works.stream, flow=flow, concurrency=200)


def _slowest_of_100(stage: Stage) -> float:
    """Seconds of the slowest but one of a hundred calls of Get Device, within what Kandji takes in a second."""
    call = {"connection": "sandbox", "options": {"result_set": "first_200"}}
    found = stage.works.ask("POST", "/v1/cards/kandji/list_devices", call)
    device = found["outputs"]["devices"][0]["device_id"]
    times = sorted(_seconds(stage, device) for _ in range(100))
    return times[-2]


def _seconds(stage: Stage, device: str) -> float:
    began = time.monotonic()
    call = {"connection": "sandbox", "options": {"details": "basic"}, "inputs": {"device_id": device}}
    assert "outputs" in stage.works.ask("POST", "/v1/cards/kandji/get_device", call)
    took = time.monotonic() - began
    time.sleep(0.03)
    return took
