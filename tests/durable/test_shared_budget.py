"""Hosts as processes: together they never ask more of a service than it takes in a second or an hour."""

import asyncio
import json
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connector.engine.hosts import BEAT
from tests.processes import HostProcess, tenant

PER_SECOND, PER_HOUR, CALLS = 10, 60, 40

pytestmark = pytest.mark.slow


async def test_two_hosts_stay_within_the_limits(postgresql_database: str, tmp_path: Path) -> None:
    """80 calls at once, to hosts that the service told its limits: 60 in the hour are sent, and none gets 429."""
    await _not_at_the_end_of_an_hour()
    with tenant(30) as (service, token):
        one, other = (HostProcess(tmp_path, service, postgresql_database) for _ in range(2))
        try:
            await asyncio.to_thread(one.start)
            _admin(service, "/limits", {"on": True, "per_second": PER_SECOND, "per_hour": PER_HOUR})
            await asyncio.to_thread(one.connect, token, "https://example.com/flow")
            await asyncio.to_thread(other.start)
            for host in (one, other):
                await asyncio.to_thread(_call, host)
            await asyncio.sleep(BEAT + 1)  # until each has counted the other

            with ThreadPoolExecutor(2 * CALLS) as threads:
                answers = list(threads.map(_call, [one, other] * CALLS))
            left = [host.ask("GET", "/v1/connections/sandbox")["budget"] for host in (one, other)]
        finally:
            one.kill()
            other.kill()
        log = _admin(service, "/requests")["requests"]

    seconds = Counter(int(request["at"]) for request in log)
    assert Counter(request["status"] for request in log) == {200: PER_HOUR}
    assert max(seconds.values()) <= PER_SECOND
    assert Counter(answer.get("type", "sent") for answer in answers) == {"sent": PER_HOUR - 3, "throttled": 23}
    assert [(budget["per_hour"], budget["left"]) for budget in left] == [(PER_HOUR, 0)] * 2


async def test_a_host_that_stops_gives_back(sqlite_database: str, tmp_path: Path) -> None:
    """Of the 50 requests that it took for the one that made the connection, the next host has 49."""
    await _not_at_the_end_of_an_hour()
    with tenant(1) as (service, token):
        host = HostProcess(tmp_path, service, sqlite_database)
        await asyncio.to_thread(host.start)
        await asyncio.to_thread(host.connect, token, "https://example.com/flow")

        status = await asyncio.to_thread(host.stop)
        await asyncio.to_thread(host.start)
        budget = host.ask("GET", "/v1/connections/sandbox")["budget"]
        host.kill()

    assert (status, budget["left"]) == (0, 10_000 - 1)


def _call(host: HostProcess) -> dict[str, Any]:
    return host.ask("POST", "/v1/cards/kandji/list_devices", {"options": {"result_set": "first"}})


async def _not_at_the_end_of_an_hour() -> None:
    left = 3600 - time.time() % 3600
    if left < 60:
        await asyncio.sleep(left)


def _admin(service: str, path: str, body: Any = None) -> Any:
    """One of the sandbox's admin calls."""
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{service}/_sandbox{path}", content) as answer:  # noqa: S310
        return json.load(answer)
