"""Work on streams, page by page: what is sent, what is kept, and what a host does that takes over from another."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
import respx
import sqlalchemy as sa
from aiohttp import web
from standardwebhooks import Webhook

from connector.engine import source, tables
from connector.engine.duties import again
from connector.engine.settings import Settings
from connector.sdk import trace
from connector.sdk.errors import Conflict, InvalidCall
from tests.connector.engine.parts import OpenFlow
from tests.connector.engine.station import Fleet, Station, counts, devices
from tests.receiver import Receiver, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALL = {"skipped": 0, "failed": 0}


def ids(flow: Receiver) -> list[str]:
    return [record["device_id"] for record in flow.records]


class Refusing:
    """A flow's script: refuses these once."""

    def __init__(self, *names: str) -> None:
        self._left = set(names)
        self.seen: set[str] = set()

    def __call__(self, body: dict[str, Any]) -> web.Response:
        name = body["Record"]["device_id"]
        self.seen.add(name)
        if name in self._left:
            self._left.remove(name)
            return web.Response(status=500)
        return web.Response(status=204)


def refusing(*names: str, status: int = 500) -> Callable[[dict[str, Any]], web.Response]:
    return lambda body: web.Response(status=status if body["Record"]["device_id"] in names else 204)


# All of it


@pytest.mark.parametrize(("there", "pages"), [(0, 0), (1, 1), (3, 1), (4, 2), (8, 3)])
async def test_every_record_is_handed_over_in_order(
    station: Station, kandji: respx.MockRouter, there: int, pages: int
) -> None:
    """CB-9, CB-11: page by page; the counts are those of the whole list, and add up."""
    Fleet(kandji, devices(there))

    async with receiving() as flow:
        run = await station.stream(flow.url)

    assert flow.records == devices(there)
    assert counts(run) == {"fetched": there, "sent": there, "delivered": there, **ALL, "pages": pages}
    assert (run.state, station.ended) == ("succeeded", [run.id])


async def test_a_record_is_sent_with_its_state(station: Station, kandji: respx.MockRouter) -> None:
    """CB-2: exactly Record, with the service's keys and values, and State; the ID is the run and the position."""
    Fleet(kandji, devices(4))

    async with receiving() as flow:
        run = await station.stream(flow.url, state={"manager": "kim@example.com"})

    assert flow.raw[3] == (b'{"Record":' + orjson.dumps(devices(4)[3]) + b',"State":{"manager":"kim@example.com"}}')
    assert [head["webhook-id"] for head in flow.headers] == [f"{run.id}_{position}" for position in range(4)]


async def test_a_record_tells_which_request_it_goes_back_to(station: Station, kandji: respx.MockRouter) -> None:
    """OB-2: also where another host sends it, long after the request."""
    Fleet(kandji, devices(1))
    trace.REQUEST.set("req_7")
    trace.TRACE.set(("0af7651916cd43dd8448eb211c80319c", "01"))

    async with receiving() as flow:
        run = await station.accept(flow.url)
        trace.REQUEST.set("")
        trace.TRACE.set(None)
        await station.another().work(run)

    assert flow.headers[0]["x-request-id"] == "req_7"
    assert flow.headers[0]["traceparent"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_registered_flow_is_sent_what_it_signed_up_for(station: Station, kandji: respx.MockRouter) -> None:
    """CB-3, CB-13: with its own secret and headers."""
    Fleet(kandji, devices(1))

    async with receiving() as flow:
        await station.flows.create("onboard", flow.url, SECRET, {"x-api-client-token": "t0ken"})
        await station.stream("", flow="onboard")

    assert Webhook(SECRET).verify(flow.raw[0], flow.headers[0])["Record"] == devices(1)[0]
    assert flow.headers[0]["x-api-client-token"] == "t0ken"


@pytest.mark.parametrize(("limit", "asked"), [(0, []), (1, [0]), (3, [0]), (4, [0, 3]), (99, [0, 3, 6])])
async def test_no_more_is_handed_over_than_is_wanted(
    station: Station, kandji: respx.MockRouter, limit: int, asked: list[int]
) -> None:
    """Neither a record nor a page beyond the limit."""
    fleet = Fleet(kandji, devices(8))

    async with receiving() as flow:
        run = await station.stream(flow.url, record_limit=limit)

    assert (flow.records, fleet.asked) == (devices(8)[:limit], asked)
    assert run.state == "succeeded"


async def test_a_page_is_fetched_while_the_one_before_is_handed_over(
    station: Station, kandji: respx.MockRouter, open_flow: OpenFlow
) -> None:
    """The service and the flow work at the same time; one page ahead and not more."""
    fleet, asked = Fleet(kandji, devices(9)), list[list[int]]()

    async def take(request: web.Request) -> web.Response:
        position = (await request.json())["Record"]["device_id"]
        await _until(lambda: len(fleet.asked) > 1)
        asked.append([int(position[1:]), fleet.asked[-1]])
        return web.Response()

    await station.stream(await open_flow(take))

    assert all(ahead <= position // 3 * 3 + 3 for position, ahead in asked)
    assert asked[0] == [0, 3]


async def test_what_a_page_repeats_is_skipped(station: Station, kandji: respx.MockRouter) -> None:
    """UP-6: a device that was enrolled meanwhile moves the others on; none is handed over twice, and it is counted."""
    fleet = Fleet(kandji, devices(6))

    async with receiving() as flow:
        run = await station.accept(flow.url)
        kandji.get("/devices").mock(side_effect=_moving(fleet))
        run = await station.work(run)

    assert sorted(ids(flow)) == ["d0", "d1", "d2", "d3", "d4", "d5"]
    assert counts(run) == {"fetched": 7, "sent": 6, "delivered": 6, "failed": 0, "skipped": 1, "pages": 3}


async def test_a_service_that_sends_the_same_page_for_ever_is_stopped(
    station: Station, kandji: respx.MockRouter
) -> None:
    """UP-6: an endless list is no list; what was handed over is counted."""
    kandji.get("/devices").respond(json=devices(3))

    async with receiving() as flow:
        run = await station.stream(flow.url)

    assert run.error is not None
    assert (run.state, run.error["type"], len(flow.sent)) == ("failed", "unexpected", 3)


@pytest.mark.parametrize(("batch", "sizes"), [(1, [1] * 7), (2, [2, 1, 2, 1, 1]), (3, [3, 3, 1]), (99, [3, 3, 1])])
async def test_records_are_handed_over_in_batches(
    station: Station, kandji: respx.MockRouter, batch: int, sizes: list[int]
) -> None:
    """So many in a request at most, and never of two pages; the ID is the position of the first one."""
    Fleet(kandji, devices(7))

    async with receiving() as flow:
        run = await station.stream(flow.url, batch=batch, state={"a": 1})

    assert [len(body["Records"]) for body in flow.sent] == sizes
    assert [record for body in flow.sent for record in body["Records"]] == devices(7)
    assert {(tuple(body), body["State"]["a"]) for body in flow.sent} == {(("Records", "State"), 1)}
    assert [int(head["webhook-id"].rpartition("_")[2]) for head in flow.headers] == [
        sum(sizes[:number]) for number in range(len(sizes))
    ]
    assert counts(run) == {"fetched": 7, "sent": 7, "delivered": 7, **ALL, "pages": 3}


async def test_a_failed_batch_is_as_many_failures(station: Station, kandji: respx.MockRouter) -> None:
    """CB-11: counts are of records; a batch is sent again as a whole."""
    Fleet(kandji, devices(3))

    async with receiving(lambda _: web.Response(status=500)) as flow:
        run = failed = await station.stream(flow.url, batch=2)
        flow.script = lambda _: web.Response()
        flow.forget()
        await station.streams.redeliver(run, [0])
        run = await station.work(run)

    assert (counts(failed)["failed"], counts(failed)["sent"]) == (3, 3)
    assert (counts(run)["failed"], counts(run)["delivered"], len(flow.sent)) == (1, 2, 1)


async def test_a_list_that_was_cut_is_no_success(
    station: Station, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-6, CB-11: a run succeeded only when every page was read; there is a most of pages, and not one more."""
    monkeypatch.setattr(source, "MOST_PAGES", 2)
    Fleet(kandji, devices(30))

    async with receiving() as flow:
        run = await station.stream(flow.url)

    assert (run.state, counts(run)["pages"], len(flow.sent)) == ("failed", 2, 6)


async def test_records_without_an_identity_are_all_handed_over(station: Station, kandji: respx.MockRouter) -> None:
    """CB-1: what cannot be told from another is no double of it: twice is better than not at all."""
    some = [{"device_name": f"n{number}"} for number in range(7)]
    Fleet(kandji, some)

    async with receiving() as flow:
        run = await station.stream(flow.url)

    assert (run.state, flow.records) == ("succeeded", some)


# What goes wrong


async def test_a_failed_record_is_kept_and_passed(station: Station, kandji: respx.MockRouter) -> None:
    """CB-10, CB-11: sent = delivered + failed; the failure names its position and answer, and never the record."""
    Fleet(kandji, devices(5))

    async with receiving(refusing("d1")) as flow:
        run = await station.stream(flow.url)
    failures, cursor = await station.streams.failures(run, -1, 10)

    assert counts(run) == {"fetched": 5, "sent": 5, "delivered": 4, "failed": 1, "skipped": 0, "pages": 2}
    assert (run.state, cursor, len(failures)) == ("succeeded", None, 1)
    assert {**failures[0], "at": ""} == {
        **{"position": 1, "status": 500, "records": 1, "at": ""},
        "reason": "the flow answered 500",
    }
    assert b"device_id" not in b"".join(row["body"] for row in station.rows(tables.failures))


async def test_a_stream_stops_where_it_was_told_to(station: Station, kandji: respx.MockRouter) -> None:
    """CB-9: at the failed record; in strict order nothing after it is handed over."""
    Fleet(kandji, devices(5))

    async with receiving(refusing("d1")) as flow:
        run = await station.stream(flow.url, on_failure="stop")

    assert run.error is not None
    assert (run.state, run.error["type"], set(ids(flow))) == ("failed", "delivery_failed", {"d0", "d1"})


async def test_the_counts_of_a_stream_that_stopped_add_up(station: Station, kandji: respx.MockRouter) -> None:
    """CB-11: never is more sent than was fetched."""
    Fleet(kandji, devices(5))

    async with receiving(refusing("d1")) as flow:
        run = await station.stream(flow.url, on_failure="stop")

    assert counts(run)["fetched"] >= counts(run)["sent"] == 2


async def test_a_stream_that_stopped_goes_on_after_the_failure(station: Station, kandji: respx.MockRouter) -> None:
    """Resumed, it sends the rest of its page, and what was done is not sent again."""
    Fleet(kandji, devices(5))

    async with receiving(refusing("d1")) as flow:
        run = await station.stream(flow.url, on_failure="stop")
        flow.forget()
        await station.streams.resume(run)
        run = await station.work(run)

    assert ids(flow) == ["d2", "d3", "d4"]
    assert counts(run) == {"fetched": 5, "sent": 5, "delivered": 4, "failed": 1, "skipped": 0, "pages": 2}


async def test_a_stream_ends_where_its_flow_is_gone(station: Station, kandji: respx.MockRouter) -> None:
    """CB-4: 410 ends it, though it was to go on after failures."""
    Fleet(kandji, devices(9))

    async with receiving(refusing("d1", status=410)) as flow:
        run = await station.stream(flow.url)

    assert run.error is not None
    assert (run.state, run.error["detail"][:29], ids(flow)) == ("failed", "The helper flow answered 410:", ["d0", "d1"])


@pytest.mark.parametrize(("failing", "done"), [(0, []), (3, ["d0", "d1", "d2"])])
async def test_a_page_that_fails_fails_the_stream(
    station: Station, kandji: respx.MockRouter, failing: int, done: list[str]
) -> None:
    """UP-6: partial data never looks complete; resumed, it goes on with that page."""
    fleet = Fleet(kandji, devices(5))
    fleet.failing[failing] = httpx.Response(500)

    async with receiving() as flow:
        run = await station.stream(flow.url)
        failed, seen = run, ids(flow)
        fleet.failing.clear()
        await station.streams.resume(run)
        run = await station.work(run)

    assert failed.error is not None
    assert (failed.state, failed.error["type"], seen) == ("failed", "unavailable", done)
    assert (run.state, run.error, ids(flow)) == ("succeeded", None, ["d0", "d1", "d2", "d3", "d4"])


async def test_a_refused_token_is_told(station: Station, kandji: respx.MockRouter) -> None:
    """UP-4: as for any card."""
    kandji.get("/devices").respond(401)

    async with receiving() as flow:
        run = await station.stream(flow.url)

    assert run.error is not None
    assert (run.state, run.error["type"]) == ("failed", "not_connected")


# What is tried again


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 422, 425, 500, 502, 504, 599])
async def test_a_record_is_given_up_after_three_attempts(
    station: Station, kandji: respx.MockRouter, status: int, at_once: int
) -> None:
    """CB-4: the failure has the last answer; the ID and the bytes are the same each time (CB-2)."""
    Fleet(kandji, devices(2))

    async with receiving(refusing("d1", status=status)) as flow:
        run = await station.stream(flow.url, concurrency=at_once)
    (failure,), _ = await station.streams.failures(run, -1, 10)

    assert sorted(ids(flow)) == ["d0", "d1", "d1", "d1"]
    assert len({(head["webhook-id"], raw) for head, raw in zip(flow.headers, flow.raw, strict=True)}) == 2
    assert (failure["position"], failure["status"], run.state) == (1, status, "succeeded")


@pytest.mark.parametrize(("status", "attempts"), [(500, 5), (408, 5), (404, 3)])
async def test_what_will_not_heal_is_not_tried_for_long(
    station: Station, kandji: respx.MockRouter, status: int, attempts: int
) -> None:
    """CB-4: a schedule may have many attempts; a refusal is final after three."""
    Fleet(kandji, devices(1))
    station.jobs = replace(station.jobs, schedule=(0.0,) * 4)

    async with receiving(refusing("d0", status=status)) as flow:
        await station.stream(flow.url, concurrency=2)

    assert len(flow.sent) == attempts


async def test_in_order_nothing_overtakes_a_record_that_is_tried_again(
    station: Station, kandji: respx.MockRouter
) -> None:
    """CB-9: with concurrency 1."""
    Fleet(kandji, devices(4))

    async with receiving(refusing("d1")) as flow:
        await station.stream(flow.url)

    assert ids(flow) == ["d0", "d1", "d1", "d1", "d2", "d3"]


async def test_others_overtake_a_record_that_is_tried_again(station: Station, kandji: respx.MockRouter) -> None:
    """CB-9: it waits among the failures, and holds up nobody; a run is over when nothing waits any more (CB-11)."""
    Fleet(kandji, devices(9))
    station.jobs = replace(station.jobs, schedule=(1.5,))

    async with receiving(Refusing("d0")) as flow:
        run = await station.accept(flow.url, concurrency=2)
        seen = [counts(station.seen(run)) async for _ in station.steps(run)]
        run = station.seen(run)

    assert {"fetched": 9, "sent": 8, "delivered": 8, "failed": 0, "skipped": 0, "pages": 3} in seen
    assert (run.state, counts(run)["delivered"], ids(flow).count("d0")) == ("succeeded", 9, 2)
    assert station.rows(tables.failures) == []


async def test_pauses_have_jitter_and_a_lower_bound(station: Station, kandji: respx.MockRouter) -> None:
    """CB-5: 0 to 2 s before the second attempt and 0 to 10 s before the third; Retry-After is the least."""
    schedule = Settings().schedule
    assert schedule == [2, 10]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    station.jobs = replace(station.jobs, schedule=schedule, sleep=sleep)
    Fleet(kandji, devices(9))

    def script(body: dict[str, Any]) -> web.Response:
        is_last = body["Record"]["device_id"] == "d8"
        return web.Response(status=409, headers={"Retry-After": "120"}) if is_last else web.Response(status=500)

    async with receiving(script) as flow:
        await station.stream(flow.url)

    assert all(0 <= pause <= 2 for pause in slept[0:16:2])
    assert all(0 <= pause <= 10 for pause in slept[1:16:2])
    assert len(set(slept)) > 8
    assert slept[16:] == [120, 120]


async def test_a_pause_keeps_what_is_to_be_tried_again(station: Station, kandji: respx.MockRouter) -> None:
    """CB-1: it is neither lost nor failed, and goes on with the rest."""
    Fleet(kandji, devices(3))
    station.jobs = replace(station.jobs, schedule=(1.0,))

    async with receiving(once_refused := Refusing("d0")) as flow:
        run = await station.accept(flow.url, concurrency=4)
        async for _ in station.steps(run):
            if len(once_refused.seen) == 3:
                await station.streams.ask(run, "pause")
                station.worker.tell(run.id, "pause")
        paused = station.seen(run)
        await station.streams.resume(paused)
        ended = await station.another().work(run)

    assert (paused.state, paused.shown()["progress"]["pending"], counts(paused)["failed"]) == ("paused", 1, 0)
    assert (ended.state, counts(ended)["delivered"], ids(flow).count("d0")) == ("succeeded", 3, 2)


async def test_a_cancel_ends_what_was_to_be_tried_again(station: Station, kandji: respx.MockRouter) -> None:
    """CB-11: it has failed, and can be sent again by who wants that."""
    Fleet(kandji, devices(3))
    station.jobs = replace(station.jobs, schedule=(60.0,))

    async with receiving(refusing("d0")) as flow:
        run = await station.accept(flow.url, concurrency=4)
        async for _ in station.steps(run):
            if len(flow.sent) == 3:
                await station.streams.ask(run, "cancel")
                station.worker.tell(run.id, "cancel")
        run = station.seen(run)
        failures, _ = await station.streams.failures(run, -1, 10)

    assert (run.state, counts(run)["failed"], run.shown()["progress"]["pending"]) == ("canceled", 1, 0)
    assert [failure["position"] for failure in failures] == [0]


# What is kept


async def test_a_page_is_kept_before_its_first_record_is_sent(
    station: Station, kandji: respx.MockRouter, open_flow: OpenFlow
) -> None:
    """CB-1: sealed, since records are people's data; and nothing is kept when the stream is over."""
    Fleet(kandji, devices(4))
    kept: list[dict[str, Any]] = []

    async def take(_: web.Request) -> web.Response:
        kept.extend(station.rows(tables.pages))
        return web.Response()

    run = await station.stream(await open_flow(take))

    assert [(row["run"], row["first"], row["next"]) for row in kept] == [(run.id, 0, "3")] * 3 + [(run.id, 3, None)]
    assert not any(b"device_id" in row["records"] for row in kept)
    assert station.rows(tables.pages) == []


async def test_a_job_is_sealed(station: Station, kandji: respx.MockRouter) -> None:
    """CB-12: the address, the secret and the state of a stream are in no row."""
    run = await station.accept("http://127.0.0.1:1/flow?clientToken=t0ken", state={"s": "s3cret"})

    row = str(station.rows(tables.runs))

    assert run.id in row
    assert not any(word in row for word in ("t0ken", "s3cret", "whsec_", "127.0.0.1"))


async def test_a_host_takes_over_the_page_that_was_in_flight(
    station: Station, kandji: respx.MockRouter, open_flow: OpenFlow
) -> None:
    """CB-1, CB-2: the same ids and the same bytes again, although the service's list has changed; then it goes on."""
    fleet, hang, sent = Fleet(kandji, devices(7)), asyncio.Event(), list[tuple[str, bytes]]()

    async def take(request: web.Request) -> web.Response:
        sent.append((request.headers["webhook-id"], await request.read()))
        if len(sent) == 5:
            hang.set()
            await asyncio.Event().wait()
        return web.Response()

    run = await station.accept(await open_flow(take))
    dying = asyncio.create_task(station.work(run))
    await hang.wait()
    dying.cancel()
    await asyncio.wait({dying})
    fleet.devices[3:6] = devices(99)[50:53]
    run = await station.another().work(run)

    positions = [int(id_.rpartition("_")[2]) for id_, _ in sent]
    assert positions == [0, 1, 2, 3, 4, 3, 4, 5, 6]
    assert len(set(sent)) == 7
    assert counts(run) == {"fetched": 7, "sent": 7, "delivered": 7, **ALL, "pages": 3}


async def test_a_host_that_lost_a_stream_lets_it_go(station: Station, kandji: respx.MockRouter) -> None:
    """Another one works on it: nothing is written, and nothing more is sent."""
    Fleet(kandji, devices(6))

    async with receiving() as flow:
        run = await station.accept(flow.url)
        await station.step(run)
        before = counts(station.seen(run))
        station.store.run_here(lambda db: db.execute(sa.update(tables.runs).values(segment=1)))
        while more := await station.step(run):
            pass

    assert (more, counts(station.seen(run))) == (False, before)


async def test_a_segment_that_is_over_is_not_worked_on(station: Station, kandji: respx.MockRouter) -> None:
    """A queue may give the same work twice."""
    fleet = Fleet(kandji, devices(2))

    async with receiving() as flow:
        run = await station.stream(flow.url)

        assert await station.step(run) is False
        assert await station.another().step(run) is False

    assert (len(flow.sent), fleet.asked) == (2, [0])


# What callers ask


async def test_a_paused_stream_goes_on_where_it_was(
    station: Station, kandji: respx.MockRouter, open_flow: OpenFlow
) -> None:
    """In the middle of a page: what was done is kept, and not sent again by whichever host goes on."""
    Fleet(kandji, devices(5))
    sent: list[str] = []

    async def take(request: web.Request) -> web.Response:
        sent.append((await request.json())["Record"]["device_id"])
        if len(sent) == 2:
            await station.streams.ask(run, "pause")
            station.worker.tell(run.id, "pause")
        return web.Response()

    run = await station.accept(await open_flow(take))
    paused = await station.work(run)
    before = list(sent)
    await station.streams.resume(paused)
    run = await station.another().work(run)

    assert (paused.state, before) == ("paused", ["d0", "d1"])
    assert (run.state, sent) == ("succeeded", ["d0", "d1", "d2", "d3", "d4"])
    assert counts(run) == {"fetched": 5, "sent": 5, "delivered": 5, **ALL, "pages": 2}


async def test_a_canceled_stream_is_over(station: Station, kandji: respx.MockRouter, open_flow: OpenFlow) -> None:
    """UP-7: nothing more is sent, and its page is not kept."""
    Fleet(kandji, devices(5))

    async def take(_: web.Request) -> web.Response:
        await station.streams.ask(run, "cancel")
        station.worker.tell(run.id, "cancel")
        return web.Response()

    run = await station.accept(await open_flow(take))
    run = await station.work(run)

    assert (run.state, counts(run)["delivered"], station.rows(tables.pages)) == ("canceled", 1, [])
    assert station.seen(run).finished is not None


async def test_what_was_asked_of_another_host_is_seen(
    station: Station, kandji: respx.MockRouter, open_flow: OpenFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By looking at the store, again and again."""
    Fleet(kandji, devices(5))
    watching = asyncio.create_task(again(station.worker.watch, 0.001))

    async def take(_: web.Request) -> web.Response:
        await station.another().streams.ask(run, "cancel")
        await _until(lambda: any(one.is_halted for one in station.worker._courses.values()))
        return web.Response()

    run = await station.accept(await open_flow(take))
    async with asyncio.timeout(5):
        run = await station.work(run)
    watching.cancel()

    assert (run.state, counts(run)["delivered"]) == ("canceled", 1)


async def test_a_stream_shows_what_it_waits_for(
    station: Station, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller sees that a slow flow holds it up, and no address."""
    Fleet(kandji, devices(1))
    watching = asyncio.create_task(again(station.worker.watch, 0.001))

    async with receiving(lambda _: web.Response(status=429, headers={"Retry-After": "3600"})) as flow:
        run = await station.accept(flow.url)
        working = asyncio.create_task(station.work(run))
        async with asyncio.timeout(5):
            await _until(lambda: station.seen(run).shown()["progress"]["waiting_for"] is not None)
        working.cancel()
        await asyncio.wait({working})
    watching.cancel()

    assert station.seen(run).shown()["progress"]["waiting_for"] == "the helper flow asks to slow down"


# Again


@pytest.mark.parametrize(
    ("positions", "again"), [(None, ["d1", "d3"]), ([3], ["d3"]), ([3, 1], ["d1", "d3"]), ([], ["d1", "d3"])]
)
async def test_failed_records_are_sent_again(
    station: Station, kandji: respx.MockRouter, positions: list[int] | None, again: list[str]
) -> None:
    """CB-10: all or some, with the ids and bytes they had; what is taken is no failure any more."""
    Fleet(kandji, devices(5))

    async with receiving(refusing("d1", "d3")) as flow:
        run = await station.stream(flow.url)
        seen = set(zip((head["webhook-id"] for head in flow.headers), flow.raw, strict=True))
        flow.script = refusing()
        flow.forget()
        await station.streams.redeliver(run, positions)
        run = await station.work(run)

    assert ids(flow) == again
    assert set(zip((head["webhook-id"] for head in flow.headers), flow.raw, strict=True)) <= seen
    assert (run.state, counts(run)["failed"], counts(run)["delivered"]) == ("succeeded", 2 - len(again), 3 + len(again))
    assert len(station.rows(tables.failures)) == 2 - len(again)


async def test_a_record_that_fails_again_stays_a_failure(station: Station, kandji: respx.MockRouter) -> None:
    """CB-10: it can be sent once more; a stream that failed is still one that failed."""
    Fleet(kandji, devices(3))

    async with receiving(refusing("d1")) as flow:
        run = await station.stream(flow.url, on_failure="stop")
        await station.streams.redeliver(run, None)
        run = await station.work(run)

    assert (run.state, counts(run)["failed"], len(station.rows(tables.failures))) == ("failed", 1, 1)


# What is no fault of the stream


async def test_records_that_nobody_promised_fail_the_stream(station: Station, kandji: respx.MockRouter) -> None:
    """UP-2: records that are nested too deeply to be handed on; the stream does not stay running."""
    deep = json.loads("[" * 300 + "]" * 300)
    kandji.get("/devices").respond(content=json.dumps([{"device_id": "d1", "tags": deep}]).encode())

    async with receiving() as flow:
        run = await station.accept(flow.url)
        await asyncio.gather(station.work(run), return_exceptions=True)

    assert station.seen(run).state == "failed"


async def test_any_identity_tells_records_apart(station: Station, kandji: respx.MockRouter) -> None:
    """UP-6: also one that is a list, as no service has it."""
    Fleet(kandji, [{"device_id": [f"d{number}"]} for number in range(4)])

    async with receiving() as flow:
        run = await station.stream(flow.url)

    assert (run.state, len(flow.sent)) == ("succeeded", 4)


async def test_a_stream_whose_connection_is_gone_fails(station: Station, kandji: respx.MockRouter) -> None:
    """A caller may delete a connection while a stream is queued or paused; the stream says so, and ends."""
    async with receiving() as flow:
        run = await station.accept(flow.url)
        await station.connections.delete("acme")
        run = await station.work(run)

    assert run.state == "failed"


async def test_positions_that_are_no_failures_are_told(station: Station, kandji: respx.MockRouter) -> None:
    """CB-10: the first twenty of them by where they stand, and nothing changes."""
    Fleet(kandji, devices(3))

    async with receiving(refusing("d1")) as flow:
        run = await station.stream(flow.url)
        with pytest.raises(InvalidCall) as raised:
            await station.streams.redeliver(run, [0, 1, -1, 2**63 - 1, 2**70, *range(100, 200)])

    assert [fault.at for fault in raised.value.faults] == ["positions/0", *(f"positions/{at}" for at in range(2, 21))]
    assert (station.seen(run), len(station.line.queued)) == (run, 1)


async def test_nothing_to_send_again_is_told(station: Station, kandji: respx.MockRouter) -> None:
    """A run without failures stays as it is."""
    Fleet(kandji, devices(3))

    async with receiving() as flow:
        run = await station.stream(flow.url)
        with pytest.raises(Conflict, match="The run is succeeded: there is nothing to redeliver"):
            await station.streams.redeliver(run, None)

    assert (station.seen(run), len(station.line.queued)) == (run, 1)


async def _until(true: Callable[[], bool]) -> None:
    """Let others work until something is so."""
    while not true():  # noqa: ASYNC110  # it is a row in a store, or another's list
        await asyncio.sleep(0.001)


def _moving(fleet: Fleet) -> Callable[[httpx.Request], httpx.Response]:
    """One device is enrolled after the first page was read."""

    def answer(request: httpx.Request) -> httpx.Response:
        if len(fleet.asked) == 1:
            fleet.devices.insert(0, {"device_id": "new"})
        return fleet._answer(request)

    return answer
