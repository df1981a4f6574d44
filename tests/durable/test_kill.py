"""kill -9 at random moments: every stream that was accepted ends by itself, and no record is lost."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from tests.processes import HostProcess, tenant
from tests.receiver import Receiver, receiving

DEVICES, PAGE, ROUNDS, MOST_STREAMS = 1500, 300, 20, 4

pytestmark = pytest.mark.slow


async def test_no_record_is_lost(database: str, tmp_path: Path) -> None:
    """CB-1, CB-2: twenty rounds; a record comes twice only if its page was in flight, with the same id and bytes."""
    with tenant(DEVICES) as (service, token):
        host = HostProcess(tmp_path, service, database)
        async with receiving() as receiver:
            await asyncio.to_thread(host.start)
            await asyncio.to_thread(host.connect, token, receiver.url)
            for _ in range(ROUNDS):
                await _round(host, receiver)
            host.kill()


async def _round(host: HostProcess, receiver: Receiver) -> None:
    receiver.forget()
    runs = await host.streams(random.randint(1, MOST_STREAMS), concurrency=16)
    await asyncio.sleep(random.uniform(0, 1))

    host.kill()
    await asyncio.to_thread(host.start)
    ended = [await _ended(host, run) for run in runs]

    assert [(run["state"], run["progress"]["delivered"]) for run in ended] == [("succeeded", DEVICES)] * len(runs)
    assert all(_is_whole(receiver.of(run)) for run in runs)


def _is_whole(receiver: Receiver) -> bool:
    """Whether a stream has every record, at most a page of them twice, and each of these with the same id and bytes."""
    assert len({record["device_id"] for record in receiver.records}) == DEVICES
    assert len(receiver.sent) <= DEVICES + PAGE
    return len(set(zip(receiver.ids, receiver.raw, strict=True))) == DEVICES


async def _ended(host: HostProcess, run: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await asyncio.to_thread(host.ask, "GET", f"/v1/runs/{run}")
            if found["state"] not in ("queued", "running"):
                return found
            await asyncio.sleep(0.1)
