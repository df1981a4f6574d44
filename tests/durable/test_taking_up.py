"""A stream taken up by another host while the first one still has it, and a store or a flow that fails meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import respx
import sqlalchemy as sa
from aiohttp import web

from connector.engine import course, delivery, seals
from connector.engine.addresses import Allowed
from connector.engine.destinations import Destinations
from connector.engine.hosts import Presence
from connector.engine.jobs import Jobs
from connector.engine.ledger import Ledger
from connector.engine.network import open_session
from connector.engine.store import Store
from connector.engine.telemetry import Telemetry
from connector.engine.worker import Worker
from tests.conftest import Upcard, opened
from tests.durable.test_changing_lists import Fleet
from tests.processes import until
from tests.receiver import Receiver, receiving

COUNT, PAGE = 450, 300


@dataclass
class Two:
    """Two workers on one store, as two hosts have them; and a host that takes calls, but works on nothing."""

    upcard: Upcard
    first: Worker
    second: Worker
    receiver: Receiver

    async def accepted(self, **stream: Any) -> str:
        """A stream that waits for a worker."""
        body = {"options": {"result_set": "stream"}, "stream": {"url": self.receiver.url, "concurrency": 4, **stream}}
        answer = await self.upcard.http.post(
            "/v1/cards/kandji/list_devices", json=body, headers={"Prefer": "respond-async"}
        )
        found: str = answer.json()["run"]
        return found

    async def to_the_end(self, run: str, by: Worker, holder: str) -> dict[str, Any]:
        while await by.go_on(run, 0, holder):
            pass
        return await self.look(run)

    async def look(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.upcard.http.get(f"/v1/runs/{run}")).json()
        return found

    async def came(self, count: int) -> bool:
        return len(self.receiver.sent) >= count


@pytest_asyncio.fixture
async def two(tmp_path: Path, kandji: respx.MockRouter) -> AsyncIterator[Two]:
    async with (
        opened(tmp_path, allow_receivers="127.0.0.1:*", unregistered_flows=True) as upcard,
        receiving() as receiver,
        open_session(Allowed.parse("127.0.0.1:*"), limit=50) as session,
    ):
        Fleet(COUNT, {}).serve(kandji)
        host = upcard.host
        sealed = seals.load(host.settings.secret_keys, tmp_path)
        stores = [Store(host.settings.store_url) for _ in range(2)]
        destinations = Destinations(host.store, Presence(host.store, "h1"))
        jobs = Jobs(host.catalog, host.connections, host.flows, sealed, session, destinations, schedule=(0.0,))
        made = [Worker(Ledger(store, sealed), jobs, Telemetry(), host.streams.ended) for store in stores]
        yield Two(upcard, made[0], made[1], receiver)
        for store in stores:
            store.close()


async def test_a_host_that_lost_a_stream_writes_nothing_any_more(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes back in the middle of a page that another host has done meanwhile, with failures and all."""
    monkeypatch.setattr(course, "TURN", 0.0)
    two.receiver.delay = 0.5
    two.receiver.script = lambda _: web.Response(status=204 if int(two.receiver.ids[-1][-1]) % 2 else 404)
    run = await two.accepted()
    lost = asyncio.create_task(two.to_the_end(run, two.first, "first"))
    await until(lambda: two.came(4))
    two.receiver.delay = 0.0

    more = await two.second.go_on(run, 0, "second")
    between = await two.look(run)
    after = await lost
    ended = await two.to_the_end(run, two.second, "second")

    assert more
    assert after["progress"] == between["progress"]
    assert (ended["state"], ended["progress"]["sent"], ended["progress"]["fetched"]) == ("succeeded", COUNT, COUNT)


async def test_a_stream_can_come_back_to_a_host_that_lost_it(two: Two) -> None:
    """What the host remembers of its first go is of no use: it goes on where the other one stopped."""
    run = await two.accepted()
    await two.first.go_on(run, 0, "first")

    await two.second.go_on(run, 0, "second")
    ended = await two.to_the_end(run, two.first, "third")

    assert (ended["state"], ended["progress"]["sent"]) == ("succeeded", COUNT)
    assert len(two.receiver.sent) == COUNT


async def test_a_store_that_is_away_for_a_moment_loses_nothing(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page in flight is sent again by who takes the stream up next, which may be the same host."""
    run = await two.accepted()
    with monkeypatch.context() as away:
        away.setattr(Store, "run_here", _unreachable_after(Store.run_here, 2))
        with pytest.raises(sa.exc.OperationalError):
            await two.to_the_end(run, two.first, "first")

    ended = await two.to_the_end(run, two.first, "first")

    assert (ended["state"], ended["progress"]["sent"], ended["progress"]["fetched"]) == ("succeeded", COUNT, COUNT)
    assert len(set(two.receiver.ids)) == COUNT


async def test_a_store_that_is_lost_after_it_has_written_loses_nothing(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is written again, with failures and all: nothing counts twice."""
    two.receiver.script = lambda _: web.Response(status=204 if int(two.receiver.ids[-1][-1]) % 2 else 404)
    monkeypatch.setattr(course, "TURN", 0.0)
    run = await two.accepted()
    with monkeypatch.context() as away:
        away.setattr(Store, "run_here", _lost_after_writing(Store.run_here))
        lost = 0
        for _ in range(8):
            try:
                await two.first.go_on(run, 0, "first")
            except sa.exc.OperationalError:
                lost += 1

    ended = await two.to_the_end(run, two.first, "first")

    counts = ended["progress"]
    assert lost > 2
    assert (ended["state"], counts["fetched"], counts["delivered"], counts["failed"]) == (
        *("succeeded", COUNT, COUNT // 2, COUNT // 2),
    )


async def test_a_fault_of_ours_fails_the_run(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not left running for ever; what went wrong stays in the log."""
    run = await two.accepted()
    monkeypatch.setattr(delivery.Handover, "send", _broken)

    found = await two.to_the_end(run, two.first, "first")

    assert (found["state"], found["error"]["type"]) == ("failed", "internal")


async def test_a_flow_that_hangs_is_given_up_at_the_deadline(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails like any other, without a status."""
    monkeypatch.setattr(delivery, "DEADLINE", aiohttp.ClientTimeout(total=0.05))
    two.receiver.delay = 0.3
    run = await two.accepted(record_limit=8)

    ended = await two.to_the_end(run, two.first, "first")
    listed = (await two.upcard.http.get(f"/v1/runs/{run}/failures")).json()["items"]

    assert (ended["progress"]["failed"], ended["state"]) == (8, "succeeded")
    assert {failure["status"] for failure in listed} == {None}
    assert two.receiver.ids.count(f"{run}_0") == 2


async def test_a_failure_that_stays_one_shows_the_last_answer(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again and refused again, with another status."""
    two.receiver.script = lambda _: web.Response(status=500)
    run = await two.accepted(record_limit=2)
    await two.to_the_end(run, two.first, "first")

    two.receiver.script = lambda _: web.Response(status=404)
    await two.upcard.http.post(f"/v1/runs/{run}/redeliver", json={})
    await two.first.go_on(run, 1, "again")

    listed = (await two.upcard.http.get(f"/v1/runs/{run}/failures")).json()["items"]
    assert [failure["status"] for failure in listed] == [404, 404]


async def test_a_failed_run_keeps_its_error_over_a_redelivery(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is back after it, and so is why."""
    two.receiver.script = lambda _: web.Response(status=500)
    run = await two.accepted(on_failure="stop", concurrency=1)
    failed = await two.to_the_end(run, two.first, "first")

    two.receiver.script = lambda _: web.Response(status=204)
    await two.upcard.http.post(f"/v1/runs/{run}/redeliver", json={})
    await two.first.go_on(run, 1, "again")

    after = await two.look(run)
    assert (after["state"], after["progress"]["failed"], after["error"]) == ("failed", 0, failed["error"])


async def test_a_host_that_works_on_nothing_takes_streams_of_an_empty_store(tmp_path: Path) -> None:
    """It may be the first host there is."""
    async with opened(tmp_path, allow_receivers="127.0.0.1:*", unregistered_flows=True) as upcard:
        body = {"options": {"result_set": "stream"}, "stream": {"url": "http://127.0.0.1:1/flow"}}
        path, prefer = "/v1/cards/kandji/list_devices", {"Prefer": "respond-async"}
        answer = await upcard.http.post(path, json=body, headers=prefer)

    assert answer.status_code == 202


async def test_lists_asked_for_at_once_write_what_was_kept_back_once(two: Two, kandji: respx.MockRouter) -> None:
    """Finished reads wait to be written; several that want them on record do not write them twice."""
    kandji.get("/devices/d1").respond(json={"device_id": "d1"})
    call = {"options": {"details": "basic"}, "inputs": {"device_id": "d1"}}
    for _ in range(20):
        await two.upcard.call("kandji.get_device", **call)

    answers = await asyncio.gather(*(two.upcard.http.get("/v1/runs?limit=200") for _ in range(8)))

    assert [answer.status_code for answer in answers] == [200] * 8
    assert {len(answer.json()["items"]) for answer in answers} == {20}


def _unreachable_after(work: Any, times: int) -> Any:
    left = iter(range(times))

    def run_here(store: Store, job: Any) -> Any:
        if next(left, None) is None:
            raise sa.exc.OperationalError("", None, Exception("the store is away"))
        return work(store, job)

    return run_here


def _lost_after_writing(work: Any) -> Any:
    """Every other time that progress was noted, the answer is lost; the first time as well."""
    turns = iter(range(10_000))

    def run_here(store: Store, job: Any) -> Any:
        found = work(store, job)
        if "Ledger.note" in job.__qualname__ and next(turns) % 2 == 0:
            raise sa.exc.OperationalError("", None, Exception("the store is lost"))
        return found

    return run_here


async def _broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a fault of ours")
