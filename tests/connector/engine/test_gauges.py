"""What operators see of a host at work: counted as it happens, or looked at now and then (OB-3)."""

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest
import respx
from aiohttp import web

from connector.engine.gauges import Gauges
from connector.engine.ledger import Ledger
from tests.connector.engine.station import Fleet, Station, devices
from tests.receiver import receiving

Shown = Callable[[], dict[str, float]]


@pytest.fixture
def shown(station: Station) -> Shown:
    """Every line of Prometheus' text, by its name and labels."""

    def read() -> dict[str, float]:
        lines = [line for line in station.telemetry.shown().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    return read


def gauges(station: Station) -> Gauges:
    ledger = Ledger(station.store, station.seals)
    return Gauges(station.telemetry, ledger, station.destinations, station.connections)


async def test_records_that_wait_are_counted(station: Station, kandji: respx.MockRouter, shown: Shown) -> None:
    """How many will be sent again and how old the oldest is, and how many have failed for good."""
    Fleet(kandji, devices(5))
    async with receiving(lambda _: web.Response(status=500)) as flow:
        run = await station.stream(flow.url, concurrency=4)
        await gauges(station).look()
        failed = shown()
        await station.streams.redeliver(run, [3])
        await gauges(station).look()

    assert (failed["upcard_records_failed"], failed["upcard_records_due"]) == (5, 0)
    assert (shown()["upcard_records_failed"], shown()["upcard_records_due"]) == (4, 1)
    assert 0 < shown()["upcard_records_due_seconds"] < 60


async def test_answers_of_services_are_counted(kandji: respx.MockRouter, station: Station, shown: Shown) -> None:
    """By connector and kind of answer, with how often a request was sent again; no name or address."""
    count = station.telemetry.heard("kandji")
    for status in (200, 204, 404, 429, 503, None):
        count(status, 0)
    count(200, 1)

    found = {name: value for name, value in shown().items() if "service" in name and "created" not in name}

    assert found == {
        'upcard_service_requests_total{answer="2xx",connector="kandji"}': 3,
        'upcard_service_requests_total{answer="4xx",connector="kandji"}': 1,
        'upcard_service_requests_total{answer="429",connector="kandji"}': 1,
        'upcard_service_requests_total{answer="5xx",connector="kandji"}': 1,
        'upcard_service_requests_total{answer="none",connector="kandji"}': 1,
        'upcard_service_retries_total{connector="kandji"}': 1,
    }


async def test_every_attempt_is_told(station: Station, kandji: respx.MockRouter) -> None:
    """Also those that are repeated, and those without an answer."""
    heard: list[tuple[int | None, int]] = []
    service = station.connections.get("acme").service
    service._heard = lambda status, attempts: heard.append((status, attempts))

    async def no_wait(_: float) -> None:
        pass

    service.sleep = no_wait
    kandji.get("/devices").mock(
        side_effect=[httpx.Response(503), httpx.ConnectError("no"), httpx.Response(200, json=[])]
    )

    await service.ask("GET", "/api/v1/devices")

    assert heard == [(503, 0), (None, 1), (200, 2)]


async def test_the_budget_that_is_left_is_shown(station: Station, kandji: respx.MockRouter, shown: Shown) -> None:
    """Of the connection with the least."""
    await gauges(station).look()

    assert 9_000 < shown()['upcard_budget_left{connector="kandji"}'] < 10_000


async def test_a_loop_that_is_late_is_seen(station: Station, shown: Shown) -> None:
    """Something blocked it."""
    listening = asyncio.create_task(gauges(station).listen())
    await asyncio.sleep(0)
    time.sleep(1.1)  # noqa: ASYNC251  # the fault itself
    await listening

    assert 0.05 < shown()["upcard_loop_lag_seconds"] < 5
