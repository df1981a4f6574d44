"""SIGTERM: the host stops taking calls, keeps what is in flight, leaves within twenty seconds, and goes on after it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.durable.conftest import Figure, counts
from tests.processes import HostProcess, admin, tenant, until
from tests.receiver import Receiver, receiving

DEVICES, CONCURRENCY = 1500, 16
DRAINED = 20.0  # seconds (UP-7)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, str]]:
    with tenant(DEVICES) as found:
        yield found


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


@pytest_asyncio.fixture
async def host(tmp_path: Path, service: tuple[str, str], receiver: Receiver) -> AsyncIterator[HostProcess]:
    made = HostProcess(tmp_path, service[0])
    await asyncio.to_thread(made.start)
    await asyncio.to_thread(made.connect, service[1], receiver.url)
    yield made
    made.kill()


async def test_an_idle_host_leaves_at_once(host: HostProcess, record_property: Figure) -> None:
    """With status 0."""
    status, took = await _stopped(host)

    record_property("seconds to leave", took)
    assert status == 0
    assert took < DRAINED / 2


@pytest.mark.parametrize("delay", [0.02, 8.0])
async def test_streams_go_on_after_a_stop(
    host: HostProcess, receiver: Receiver, delay: float, record_property: Figure
) -> None:
    """Nothing is lost or noted as failed; only what was cut off comes twice, with the same id and bytes."""
    receiver.delay = delay
    runs = await host.streams(2, concurrency=CONCURRENCY)
    await until(lambda: _came(receiver, 20))

    status, took = await _stopped(host)
    receiver.delay = 0.0
    await asyncio.to_thread(host.start)
    ended = [await host.reaches(run, "succeeded", "failed") for run in runs]

    record_property("seconds to leave", took)
    record_property("requests", len(receiver.sent))
    assert status == 0
    assert took < DRAINED
    assert [counts(run) for run in ended] == [(DEVICES, DEVICES, 0, 0)] * 2
    assert max(_cut_off(receiver.of(run)) for run in runs) <= CONCURRENCY


async def test_who_waits_for_a_stream_is_told_to_look_later(
    host: HostProcess, receiver: Receiver, record_property: Figure
) -> None:
    """202 with the run, long before the wait is over: the caller does not hold the host, nor lose the run."""
    receiver.delay = 0.5
    call = {"options": {"result_set": "stream"}, "stream": {"flow": "flow", "concurrency": 4}}
    waiting = asyncio.create_task(
        asyncio.to_thread(host.ask, "POST", "/v1/cards/kandji/list_devices", call, Prefer="wait=60")
    )
    await until(lambda: _came(receiver, 4))

    status, took = await _stopped(host)
    answer = await waiting

    record_property("seconds to leave", took)
    assert (status, answer["state"]) == (0, "running")
    assert took < DRAINED


async def test_a_call_in_flight_is_answered_and_new_ones_are_sent_away(
    host: HostProcess, service: tuple[str, str], record_property: Figure
) -> None:
    """While the host drains it is there to say so: not ready, and 503 for calls, on connections that end with it."""
    await admin(service[0], "POST", "/faults", kind="latency", milliseconds=3000, times=1, path="/devices")
    call = "/v1/cards/kandji/list_devices", {"options": {"result_set": "first"}}
    in_flight = asyncio.create_task(asyncio.to_thread(host.ask, "POST", *call))
    await asyncio.sleep(0.5)

    stopped = asyncio.create_task(_stopped(host))
    await asyncio.sleep(0.3)
    async with aiohttp.ClientSession() as http, http.get(f"{host.url}/readyz") as ready:
        closes = ready.headers["connection"]
    alive = await asyncio.to_thread(host.ask, "GET", "/healthz")
    new = await asyncio.to_thread(host.ask, "POST", *call)
    answer, (status, took) = await in_flight, await stopped

    record_property("seconds to leave", took)
    assert (ready.status, closes, alive["status"]) == (503, "close", "ok")
    assert (new["type"], new["status"], new["retry_after"]) == ("unavailable", 503, 2)
    assert answer["outputs"]
    assert (status, took < 6) == (0, True)


async def test_who_reads_along_does_not_hold_the_host(
    host: HostProcess, receiver: Receiver, service: tuple[str, str], record_property: Figure
) -> None:
    """Events of a run end where they are; records that a caller takes itself are cut off, so that it shows."""
    receiver.delay = 2.0
    run = await asyncio.to_thread(host.stream, concurrency=1)
    await admin(service[0], "POST", "/faults", kind="latency", milliseconds=15000, times=5, after=2, path="/devices")
    async with aiohttp.ClientSession(headers=host.key) as http:
        events = await http.get(f"{host.url}/v1/runs/{run}/events")
        body, wanted = {"options": {"result_set": "stream"}}, {"Accept": "application/x-ndjson"}
        records = await http.post(f"{host.url}/v1/cards/kandji/list_devices", json=body, headers=wanted)

        status, took = await _stopped(host)
        seen = await events.text()
        with pytest.raises(aiohttp.ClientPayloadError):
            await records.text()
    await admin(service[0], "POST", "/reset")

    record_property("seconds to leave", took)
    assert (status, took < DRAINED / 2) == (0, True)
    assert "event: progress" in seen


async def _stopped(host: HostProcess) -> tuple[int, float]:
    began = time.monotonic()
    return await asyncio.to_thread(host.stop), time.monotonic() - began


async def _came(receiver: Receiver, count: int) -> bool:
    return len(receiver.sent) >= count


def _cut_off(receiver: Receiver) -> int:
    """How many records came twice. The same id has the same bytes, and no record is missing."""
    times = Counter(zip(receiver.ids, receiver.raw, strict=True))
    assert len(times) == len({record["device_id"] for record in receiver.records}) == DEVICES
    assert max(times.values()) <= 2
    return len(receiver.sent) - DEVICES
