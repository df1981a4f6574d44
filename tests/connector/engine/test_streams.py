"""Streams as a caller sees them: accepted, waited for, paused, resumed, canceled, and their failures sent again."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import respx
import sqlalchemy as sa
from aiohttp import web

from connector.engine import streams as module
from connector.engine import tables
from connector.engine.runs import Run
from connector.sdk.errors import Conflict, NoSuchRun
from tests.connector.engine.station import Fleet, Station, devices
from tests.receiver import receiving

URL = "http://127.0.0.1:1/flow"


async def in_state(station: Station, state: str) -> Run:
    """A stream that got into this state, however that was."""
    run = await station.accept(URL)
    station.store.run_here(lambda db: db.execute(sa.update(tables.runs).values(state=state)))
    return station.seen(run)


async def test_an_accepted_stream_is_on_record_and_queued(station: Station) -> None:
    """CB-1: before the caller is told."""
    run = await station.accept(URL)

    assert station.seen(run).shown()["state"] == "queued"
    assert station.line.queued == [(run.id, 0)]
    assert station.seen(run).shown()["progress"] == {
        **dict.fromkeys(["fetched", "sent", "delivered", "failed", "skipped", "pending", "pages"], 0),
        **{"cursor": None, "truncated": False, "waiting_for": None, "rate": 0.0},
    }


async def test_a_stream_that_cannot_be_queued_is_not_accepted(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CB-1: both or neither."""

    def full(*_: Any) -> None:
        raise OSError("full")

    monkeypatch.setattr(station.line, "put", full)

    with pytest.raises(OSError, match="full"):
        await station.accept(URL)

    assert station.rows(tables.runs) == []


async def test_a_stream_is_waited_for(station: Station, kandji: respx.MockRouter) -> None:
    """The one who waits wakes when it ends on this host, not half a second later."""
    Fleet(kandji, devices(1))
    assert module.LOOK == 0.5

    async with receiving() as flow:
        run = await station.accept(flow.url)
        waiting = asyncio.create_task(station.streams.wait(run, 60))
        await asyncio.sleep(0)
        await station.work(run)
        station.streams.ended(run.id)
        async with asyncio.timeout(0.4):
            found = await waiting

    assert found is not None
    assert (found.state, station.streams._nudges) == ("succeeded", {})


async def test_a_stream_on_another_host_is_waited_for(
    station: Station, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By looking at the store."""
    monkeypatch.setattr(module, "LOOK", 0.001)
    Fleet(kandji, devices(1))

    async with receiving() as flow:
        run = await station.accept(flow.url)
        waiting = asyncio.create_task(station.streams.wait(run, 60))
        await station.another().work(run)
        found = await waiting

    assert found is not None
    assert found.state == "succeeded"


async def test_nobody_waits_for_ever(station: Station) -> None:
    """The stream goes on, and the caller looks later."""
    run = await station.accept(URL)

    assert await station.streams.wait(run, 0) is None
    assert await station.streams.wait(run, 0.001) is None


async def test_a_wait_that_ran_out_leaves_nothing_behind(station: Station) -> None:
    """TE-8: memory stays flat over many streams that nobody waits for to the end."""
    run = await station.accept(URL)

    await station.streams.wait(run, 0)

    assert station.streams._nudges == {}


async def test_a_run_that_is_gone_is_told(station: Station) -> None:
    """Whoever waits does not wait for nothing."""
    with pytest.raises(NoSuchRun):
        await station.streams.wait(Run("kandji.list_devices", "acme", "k1"), 0.01)


@pytest.mark.parametrize(
    ("state", "asked", "then"),
    [
        ("queued", "cancel", "canceled"),
        ("paused", "cancel", "canceled"),
        ("running", "cancel", "canceling"),
        ("queued", "pause", "paused"),
        ("running", "pause", "running"),
    ],
)
async def test_a_stream_is_asked_to_stop(station: Station, state: str, asked: Any, then: str) -> None:
    """At once where nobody works on it; else the host that does sees it."""
    run = await in_state(station, state)

    await station.streams.ask(run, asked)

    row = station.rows(tables.runs)[0]
    assert (row["state"], row["wanted"] == asked) == (then, state == "running")


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        *((state, "cancel") for state in ("succeeded", "failed", "canceled", "canceling")),
        *((state, "pause") for state in ("succeeded", "failed", "canceled", "canceling", "paused")),
    ],
)
async def test_a_stream_that_is_over_cannot_be_stopped(station: Station, state: str, asked: Any) -> None:
    """The answer says what it is."""
    run = await in_state(station, state)

    with pytest.raises(Conflict, match=f"^The run is {state}: there is nothing to {asked}.$"):
        await station.streams.ask(run, asked)


@pytest.mark.parametrize("state", ["paused", "failed"])
async def test_a_stream_that_stopped_is_resumed(station: Station, state: str) -> None:
    """As another segment: a workflow of its own, since a workflow's ID is used once."""
    run = await in_state(station, state)

    await station.streams.resume(run)

    row = station.rows(tables.runs)[0]
    assert (row["state"], row["segment"], row["wanted"], row["finished"], row["error"]) == ("queued", 1, "", None, None)
    assert station.line.queued == [(run.id, 0), (run.id, 1)]


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "canceled", "canceling"])
async def test_a_stream_that_goes_on_or_is_over_is_not_resumed(station: Station, state: str) -> None:
    """It is not queued twice."""
    run = await in_state(station, state)

    with pytest.raises(Conflict, match=f"^The run is {state}: there is nothing to resume.$"):
        await station.streams.resume(run)

    assert len(station.line.queued) == 1


async def test_two_callers_resume_a_stream_once(station: Station) -> None:
    """At the same time as well."""
    run = await in_state(station, "paused")

    ends = await asyncio.gather(*[station.streams.resume(run) for _ in range(2)], return_exceptions=True)

    assert {type(end) for end in ends} == {type(None), Conflict}
    assert station.line.queued == [(run.id, 0), (run.id, 1)]


@pytest.mark.parametrize("state", ["queued", "running", "canceling"])
async def test_failures_are_not_sent_again_while_a_stream_goes_on(station: Station, state: str) -> None:
    """The order of a stream is its own."""
    run = await in_state(station, state)

    with pytest.raises(Conflict, match="there is nothing to redeliver"):
        await station.streams.redeliver(run, None)


@pytest.mark.parametrize("verb", ["resume", "redeliver"])
async def test_only_streams_go_on(station: Station, verb: str) -> None:
    """A card that failed is called again, not resumed."""
    values = {"id": "run_1", "card": "kandji.get_device", "connection": "acme", "caller": "k1", "started": "2026"}
    station.store.run_here(lambda db: db.execute(sa.insert(tables.runs).values(**values, state="failed")))
    run = Run("kandji.get_device", "acme", "k1", id="run_1", state="failed")
    ask = {"resume": lambda: station.streams.resume(run), "redeliver": lambda: station.streams.redeliver(run, None)}

    with pytest.raises(Conflict):
        await ask[verb]()


async def test_only_streams_are_stopped(station: Station) -> None:
    """A command that was sent cannot be called back, and nobody must think so."""
    values = {"id": "run_1", "card": "kandji.erase_device", "connection": "acme", "caller": "k1", "started": "2026"}
    station.store.run_here(lambda db: db.execute(sa.insert(tables.runs).values(**values, state="running")))

    with pytest.raises(Conflict):
        await station.streams.ask(Run("kandji.erase_device", "acme", "k1", id="run_1"), "cancel")


async def test_failures_are_listed_by_position(station: Station) -> None:
    """CB-10: in pages, and without the record."""
    run = await station.accept(URL)
    row = {
        "run": run.id,
        "records": 1,
        "status": None,
        "reason": "the flow did not answer",
        "at": "2026",
        "body": b"s3cret",
    }
    some: Sequence[dict[str, Any]] = [{**row, "position": position} for position in (9, 1, 4)]
    station.store.run_here(lambda db: db.execute(sa.insert(tables.failures), some))

    one, cursor = await station.streams.failures(run, -1, 2)
    two, last = await station.streams.failures(run, int(cursor or 0), 2)

    assert ([failure["position"] for failure in [*one, *two]], cursor, last) == ([1, 4, 9], "4", None)
    assert set(one[0]) == {"position", "status", "reason", "at", "records"}


async def test_another_run_s_failures_are_not_listed(station: Station, kandji: respx.MockRouter) -> None:
    """AU-4: nor sent again with it."""
    Fleet(kandji, devices(1))
    async with receiving(lambda _: web.Response(status=410)) as flow:
        one, other = await station.stream(flow.url), await station.stream(flow.url)

    found, _ = await station.streams.failures(other, -1, 10)

    assert len(station.rows(tables.failures)) == 2
    assert ([failure["position"] for failure in found], one.id != other.id) == ([0], True)
