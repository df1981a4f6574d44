"""Pause, resume and cancel: within two seconds, on whichever host they are asked, whatever the stream waits for."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from tests.durable.conftest import CONCURRENCY, DEVICES, Figure, Stage, adds_up, counts
from tests.processes import HostProcess, admin, until

SOON = 2.0  # seconds until what a caller asks has taken effect

pytestmark = pytest.mark.slow


@pytest.fixture(params=["works", "other"])
def asked(request: pytest.FixtureRequest, stage: Stage) -> HostProcess:
    """The host that a caller asks: the one at work, or another one."""
    host: HostProcess = getattr(stage, request.param)
    return host


async def test_a_pause_takes_effect_in_the_middle_of_slow_deliveries(
    stage: Stage, asked: HostProcess, record_property: Figure
) -> None:
    """Five seconds an answer; what was cut off goes again after the resume, everything else went once."""
    stage.receiver.delay = 5.0
    run = await stage.begun()

    took, paused = await _asked(asked, run, "pause", "paused")
    cut_off = set(stage.receiver.of(run).ids)
    stage.receiver.delay = 0.0
    await asked.run(run, "resume")
    ended = await asked.reaches(run, "succeeded", "failed")

    came = stage.receiver.of(run)
    record_property("seconds to pause", took)
    assert took < SOON
    assert adds_up(paused)
    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES, DEVICES, 0, 0))
    assert len(set(came.ids)) == DEVICES
    assert {id_ for id_ in came.ids if came.ids.count(id_) > 1} <= cut_off


async def test_a_cancel_takes_effect_in_the_middle_of_slow_deliveries(
    stage: Stage, asked: HostProcess, record_property: Figure
) -> None:
    """It reports the count reached, and nothing is sent any more."""
    stage.receiver.delay = 5.0
    run = await stage.begun()

    took, canceled = await _asked(asked, run, "cancel", "canceled")
    sent = len(stage.receiver.of(run).sent)

    record_property("seconds to cancel", took)
    assert took < SOON
    assert adds_up(canceled)
    assert sent == CONCURRENCY
    assert (await asked.run(run, "resume"))["status"] == 409


async def test_a_pause_takes_effect_while_the_service_is_slow(
    stage: Stage, asked: HostProcess, record_property: Figure
) -> None:
    """No page is on its way to the flow; the one that is being read is given up."""
    await admin(stage.service, "POST", "/faults", kind="latency", milliseconds=8000, times=1, path="/devices")
    run = await asyncio.to_thread(asked.stream)
    await asked.reaches(run, "running")

    took, _ = await _asked(asked, run, "pause", "paused")
    await asked.run(run, "resume")
    ended = await asked.reaches(run, "succeeded", "failed")

    record_property("seconds to pause", took)
    assert took < SOON
    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES, DEVICES, 0, 0))


async def test_a_cancel_takes_effect_while_the_flow_asks_to_wait(
    stage: Stage, asked: HostProcess, record_property: Figure
) -> None:
    """429 with Retry-After: 60 is shown as what the stream waits for, until it ends."""
    stage.receiver.script = lambda _: web.Response(status=429, headers={"Retry-After": "60"})
    run = await stage.begun()
    await until(lambda: _waiting(asked, run))

    took, canceled = await _asked(asked, run, "cancel", "canceled")

    record_property("seconds to cancel", took)
    assert took < SOON
    assert canceled["progress"]["waiting_for"] is None
    assert adds_up(canceled)


async def test_a_paused_stream_can_be_canceled(stage: Stage, asked: HostProcess) -> None:
    """At once, since nobody works on it; it cannot be resumed after that."""
    stage.receiver.delay = 1.0
    run = await stage.begun()
    await _asked(asked, run, "pause", "paused")

    canceled = await asked.run(run, "cancel")

    assert canceled["state"] == "canceled"
    assert (await asked.run(run, "resume"))["status"] == 409


async def test_what_a_page_in_flight_had_done_before_a_pause_is_not_done_again(stage: Stage) -> None:
    """Paused over and over while records are taken: each of them comes once, apart from those cut off."""
    stage.receiver.delay = 0.02
    run = await stage.begun(concurrency=4)
    cut_off = 0

    for taken in (100, 200, 400):
        await until(lambda taken=taken: stage.taken(run, taken))  # type: ignore[misc]
        _, paused = await _asked(stage.works, run, "pause", "paused")
        assert adds_up(paused)
        cut_off += len(stage.receiver.of(run).sent) - cut_off - paused["progress"]["sent"]
        await stage.works.run(run, "resume")
    ended = await stage.works.reaches(run, "succeeded", "failed")

    assert (ended["state"], counts(ended)) == ("succeeded", (DEVICES, DEVICES, 0, 0))
    assert len(stage.receiver.of(run).sent) == DEVICES + cut_off


async def test_a_resumed_stream_goes_on_after_the_page_before_the_one_that_failed(stage: Stage) -> None:
    """A service that fails fails the run; the records so far and the cursor are kept."""
    fault = {"kind": "status", "status": 500, "after": 1, "times": 1, "path": "/devices"}
    await admin(stage.service, "POST", "/faults", **fault)
    run = await stage.begun()

    failed = await stage.works.reaches(run, "failed", "succeeded")
    await stage.works.run(run, "resume")
    ended = await stage.works.reaches(run, "succeeded", "failed")

    assert (failed["state"], failed["error"]["type"], counts(failed)) == ("failed", "unavailable", (300, 300, 0, 0))
    assert (ended["state"], counts(ended), ended.get("error")) == ("succeeded", (DEVICES, DEVICES, 0, 0), None)
    assert len(stage.receiver.of(run).sent) == DEVICES


async def test_a_stream_whose_connection_is_gone_fails(stage: Stage) -> None:
    """It is not left running for ever."""
    stage.receiver.delay = 1.0
    await asyncio.to_thread(stage.works.connect, stage.token, stage.receiver.url, "spare")
    run = await asyncio.to_thread(stage.works.stream, "spare")
    await until(lambda: stage.taken(run, 1))
    await _asked(stage.works, run, "pause", "paused")
    await asyncio.to_thread(stage.works.ask, "DELETE", "/v1/connections/spare")

    await stage.works.run(run, "resume")
    ended = await stage.works.reaches(run, "succeeded", "failed", within=5)

    assert (ended["state"], ended["error"]["type"]) == ("failed", "no_such_connection")


async def _asked(host: HostProcess, run: str, verb: str, state: str) -> tuple[float, dict[str, Any]]:
    """Ask, and wait until it has happened; gives the seconds it took, and the run."""
    began = time.monotonic()
    await host.run(run, verb)
    found = await host.reaches(run, state)
    return time.monotonic() - began, found


async def _waiting(host: HostProcess, run: str) -> bool:
    return (await host.run(run))["progress"]["waiting_for"] is not None
