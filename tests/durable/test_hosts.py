"""Several hosts on one PostgreSQL: any of them works on a stream, one at a time; others take over for a dead one."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.engine.hosts import DEAD
from tests.conftest import empty_database
from tests.durable.conftest import Figure
from tests.processes import HostProcess, hosts, tenant, until
from tests.receiver import Receiver, receiving

DEVICES, PAGE, CONCURRENCY = 900, 300, 4
TAKEN_OVER = 30.0  # seconds from a kill to the end of a stream that has no work left to wait for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, str]]:
    with tenant(DEVICES) as found:
        yield found


async def test_streams_of_one_host_are_worked_on_by_the_others(
    postgresql_database: str, tmp_path: Path, service: tuple[str, str]
) -> None:
    """A host that only takes calls accepts them, two others do them; each record comes once, on one host at a time."""
    async with (
        receiving(delay=0.005) as receiver,
        hosts(2, tmp_path, postgresql_database, service, receiver.url) as pair,
    ):
        door = HostProcess(tmp_path, service[0], postgresql_database, works=False)
        await asyncio.to_thread(door.start)

        runs = await door.streams(6, concurrency=CONCURRENCY)
        ended = [await door.reaches(run, "succeeded", "failed") for run in runs]
        door.kill()

    assert [_counts(run) for run in ended] == [("succeeded", DEVICES, DEVICES, 0)] * 6
    assert len(receiver.sent) == 6 * DEVICES
    assert max(receiver.most.values()) <= CONCURRENCY
    assert len(pair) == 2


async def test_hosts_together_keep_to_what_one_flow_takes(
    postgresql_database: str, tmp_path: Path, service: tuple[str, str], record_property: Figure
) -> None:
    """CB-8: streams on two hosts that would have 600 requests in flight never have more than 200 in all."""
    async with (
        receiving(delay=0.1) as receiver,
        hosts(2, tmp_path, postgresql_database, service, receiver.url) as pair,
    ):
        runs = await pair[0].streams(6, concurrency=100)
        ended = [await pair[1].reaches(run, "succeeded", "failed") for run in runs]
        at_work = await asyncio.to_thread(_executors, postgresql_database)

    record_property("hosts at work", len(at_work))
    record_property("most in flight", receiver.most_of_all)
    assert [_counts(run) for run in ended] == [("succeeded", DEVICES, DEVICES, 0)] * 6
    assert receiver.most_of_all <= 200


@dataclass(frozen=True)
class Story:
    """What became of streams after something happened to the host that had most of them."""

    ended: list[dict[str, Any]]
    came: list[Receiver]  # for each stream
    lost: list[str]  # the streams of that host
    happened: float
    over: float

    @property
    def taken_over(self) -> float:
        """Seconds until the last of them went on: the end of its longest silence."""
        came = [receiver for receiver, run in zip(self.came, self.ended, strict=True) if run["run"] in self.lost]
        return max(_after_the_gap(receiver.times) for receiver in came) - self.happened

    def again(self) -> list[dict[str, int]]:
        """The requests of each stream that came more than once; an id has the same bytes, and no record is missing."""
        return [_again(receiver) for receiver in self.came]


Happens = Callable[[list[HostProcess], int, Receiver, list[str]], Awaitable[None]]


async def _story(database: str, folder: Path, service: tuple[str, str], count: int, happens: Happens) -> Story:
    async with receiving(delay=0.1) as receiver, hosts(count, folder, database, service, receiver.url) as all_:
        runs = await all_[0].streams(4, concurrency=CONCURRENCY)
        await until(lambda: _all_begun(receiver, runs))
        slot, lost = await _busiest(database)
        happened = time.monotonic()
        await happens(all_, slot, receiver, lost)
        ended = [await all_[slot - 1].reaches(run, "succeeded", "failed", within=60) for run in runs]
        over = time.monotonic()
    return Story(ended, [receiver.of(run) for run in runs], lost, happened, over)


async def _killed(all_: list[HostProcess], slot: int, receiver: Receiver, lost: list[str]) -> None:
    all_[slot].kill()
    receiver.delay = 0.0


async def _frozen(all_: list[HostProcess], slot: int, receiver: Receiver, lost: list[str]) -> None:
    """Until its streams are at work elsewhere, in the middle of a page that it still has."""
    before = {run: len(receiver.of(run).sent) for run in lost}
    all_[slot].freeze()
    await until(lambda: _grown(receiver, before, 2 * CONCURRENCY))
    all_[slot].thaw()
    receiver.delay = 0.01


async def _restarted(all_: list[HostProcess], slot: int, receiver: Receiver, lost: list[str]) -> None:
    all_[slot].kill()
    await asyncio.to_thread(all_[slot].start)
    receiver.delay = 0.0


async def _left(all_: list[HostProcess], slot: int, receiver: Receiver, lost: list[str]) -> None:
    receiver.delay = 0.01
    await asyncio.to_thread(all_[slot].stop)


@pytest_asyncio.fixture(scope="module")
async def stories(
    postgres: str, tmp_path_factory: pytest.TempPathFactory, service: tuple[str, str]
) -> AsyncIterator[dict[str, "asyncio.Task[Story]"]]:
    """Four stories that are mostly waiting, and therefore happen at the same time."""
    happen = {"killed": (3, _killed), "frozen": (2, _frozen), "restarted": (2, _restarted), "left": (2, _left)}
    yield {
        name: asyncio.create_task(
            _story(empty_database(postgres), tmp_path_factory.mktemp(name), service, count, happens)
        )
        for name, (count, happens) in happen.items()
    }


async def test_the_streams_of_a_killed_host_end_on_the_others(
    stories: dict[str, "asyncio.Task[Story]"], record_property: Figure
) -> None:
    """Three hosts, kill -9 of the one at work: nothing is lost, and only a page that was in flight comes twice."""
    story = await stories["killed"]

    record_property("seconds until taken over", story.taken_over)
    record_property("seconds until all ended", story.over - story.happened)
    assert [_counts(run) for run in story.ended] == [("succeeded", DEVICES, DEVICES, 0)] * 4
    assert all(_of_one_page(again) for again in story.again())
    assert story.over - story.happened < TAKEN_OVER


async def test_a_frozen_host_is_shut_out_when_it_comes_back(
    stories: dict[str, "asyncio.Task[Story]"], record_property: Figure
) -> None:
    """SIGSTOP until its streams are at work elsewhere, then SIGCONT: nothing is lost, and the counts are right."""
    story = await stories["frozen"]

    record_property("seconds until taken over", story.taken_over)
    assert [_counts(run) for run in story.ended] == [("succeeded", DEVICES, DEVICES, 0)] * 4
    assert all(_of_one_page(again) for again in story.again())


async def test_a_host_that_comes_back_takes_its_streams_again(
    stories: dict[str, "asyncio.Task[Story]"], record_property: Figure
) -> None:
    """Killed and started at once: it is the same host, and need not be given up first."""
    story = await stories["restarted"]

    record_property("seconds until taken up again", story.taken_over)
    assert [_counts(run) for run in story.ended] == [("succeeded", DEVICES, DEVICES, 0)] * 4
    assert all(_of_one_page(again) for again in story.again())


async def test_a_host_that_leaves_hands_its_streams_over(
    stories: dict[str, "asyncio.Task[Story]"], record_property: Figure
) -> None:
    """SIGTERM: nobody has to find out that it is gone."""
    story = await stories["left"]

    record_property("seconds until handed over", story.taken_over)
    assert [_counts(run) for run in story.ended] == [("succeeded", DEVICES, DEVICES, 0)] * 4
    assert all(_of_one_page(again) for again in story.again())
    assert story.taken_over < DEAD / 2


async def test_hosts_that_share_a_folder_have_slots_of_their_own(
    postgresql_database: str, tmp_path: Path, service: tuple[str, str]
) -> None:
    """The first that is free, also after a restart."""
    async with hosts(2, tmp_path, postgresql_database, service, "http://127.0.0.1:1/flow") as pair:
        before = await asyncio.to_thread(_slots, postgresql_database)
        pair[0].kill()
        await asyncio.to_thread(pair[0].start)
        after = await asyncio.to_thread(_slots, postgresql_database)

    assert [name[-2:] for name in before] == ["-0", "-1"]
    assert after == before


async def test_hosts_that_start_at_once_share_an_empty_database(
    database: str, tmp_path: Path, service: tuple[str, str]
) -> None:
    """One of them makes the tables, the others wait for it."""
    three = [HostProcess(tmp_path, service[0], database) for _ in range(3)]

    try:
        await asyncio.gather(*(asyncio.to_thread(host.start) for host in three))
    finally:
        for host in three:
            host.kill()

    assert len(await asyncio.to_thread(_slots, database)) == 3


async def test_a_connection_made_on_one_host_is_known_to_all(
    postgresql_database: str, tmp_path: Path, service: tuple[str, str]
) -> None:
    """Made after the other host was started, and used there at once: by a call, and by a stream it works on."""
    async with receiving() as receiver:
        door = HostProcess(tmp_path, service[0], postgresql_database, works=False)
        other = HostProcess(tmp_path, service[0], postgresql_database)
        try:
            for host in (door, other):
                await asyncio.to_thread(host.start)
            await asyncio.to_thread(door.connect, service[1], receiver.url)
            run = await asyncio.to_thread(door.stream)
            ended = await door.reaches(run, "succeeded", "failed", within=10)
            there = await asyncio.to_thread(other.ask, "GET", "/v1/connections")
        finally:
            for host in (door, other):
                host.kill()

    assert (ended["state"], len(receiver.sent)) == ("succeeded", DEVICES)
    assert [connection["name"] for connection in there["items"]] == ["sandbox"]


async def test_what_is_taken_back_on_one_host_is_of_no_use_on_the_others(
    postgresql_database: str, tmp_path: Path, service: tuple[str, str], record_property: Figure
) -> None:
    """Within a second: the token of a connection that was deleted, and a key that was revoked."""
    call = "/v1/cards/kandji/list_devices", {"options": {"result_set": "first"}}
    async with hosts(2, tmp_path, postgresql_database, service, "http://127.0.0.1:1/flow") as (one, other):
        before = await asyncio.to_thread(other.ask, "POST", *call)
        await asyncio.to_thread(one.ask, "DELETE", "/v1/connections/sandbox")
        deleted = await _seconds_until(other, "not_connected", *call)
        await asyncio.to_thread(_write, postgresql_database, "DELETE FROM keys")
        revoked = await _seconds_until(other, "unauthenticated", *call)

    record_property("seconds until a deletion is seen", deleted)
    record_property("seconds until a key is refused", revoked)
    assert before["outputs"]
    assert max(deleted, revoked) < 3  # it is looked for twice a second; this machine may be busy


async def _seconds_until(host: HostProcess, problem: str, path: str, body: Any) -> float:
    began = time.monotonic()

    async def look() -> bool:
        return bool((await asyncio.to_thread(host.ask, "POST", path, body)).get("type") == problem)

    await until(look)
    return time.monotonic() - began


def _write(database: str, statement: str) -> None:
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _counts(run: dict[str, Any]) -> tuple[str, int, int, int]:
    counts = run["progress"]
    return run["state"], counts["fetched"], counts["delivered"], counts["failed"]


async def _all_begun(receiver: Receiver, runs: list[str]) -> bool:
    return {id_.rpartition("_")[0] for id_ in receiver.ids} == set(runs)


async def _grown(receiver: Receiver, before: dict[str, int], by: int) -> bool:
    """Whether so many more requests came of every run."""
    return all(len(receiver.of(run).sent) >= count + by for run, count in before.items())


def _again(receiver: Receiver) -> dict[str, int]:
    """The requests that came more than once, and how often."""
    times = Counter(zip(receiver.ids, receiver.raw, strict=True))
    assert len(times) == len({record["device_id"] for record in receiver.records}) == DEVICES
    return {id_: count for (id_, _), count in times.items() if count > 1}


def _of_one_page(again: dict[str, int]) -> bool:
    return len({int(id_.rpartition("_")[2]) // PAGE for id_ in again}) <= 1


def _after_the_gap(times: list[float]) -> float:
    """The moment after the longest silence."""
    return max(pairwise(times), key=lambda pair: pair[1] - pair[0])[1]


def _read(database: str, query: str) -> list[Any]:
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        found = list(connection.execute(sa.text(query)))
    engine.dispose()
    return found


def _executors(database: str) -> set[str]:
    return {row.executor_id for row in _read(database, "SELECT executor_id FROM dbos.workflow_status")}


def _slots(database: str) -> list[str]:
    return [row.id for row in _read(database, "SELECT id FROM hosts ORDER BY id")]


async def _busiest(database: str) -> tuple[int, list[str]]:
    """The slot of the host with most streams, and these."""
    query = "SELECT executor_id, workflow_uuid FROM dbos.workflow_status WHERE status = 'PENDING'"
    found = await asyncio.to_thread(_read, database, query)
    host, _ = Counter(row.executor_id for row in found).most_common(1)[0]
    return int(host.rpartition("-")[2]), [
        row.workflow_uuid.partition(".")[0] for row in found if row.executor_id == host
    ]
