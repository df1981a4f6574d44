"""The requests a connection may make: by the hour over all hosts, by the second, and what is left to single calls."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.engine import hosts, seals, tables
from connector.engine.budget import BLOCK, LOOK, Budget, Share
from connector.engine.calls import Call
from connector.engine.duties import again
from connector.engine.hosts import present
from connector.engine.pace import SECOND, Pace
from connector.engine.runs import Run
from connector.engine.store import Store
from connector.engine.streams import Streams
from connector.sdk.client import Limits
from connector.sdk.errors import Throttled
from tests.conftest import Upcard, asked, opened
from tests.receiver import receiving

HALF_PAST_NINE = datetime(2026, 2, 3, 9, 30, tzinfo=UTC).timestamp()
UNTIL_TEN = "until 2026-02-03T10:00:00Z"
HOUR = 3600
FAST = 1_000_000  # a second, where only the hour matters
STREAM = {"result_set": "stream"}

NAMES = (f"acme-{number}" for number in itertools.count())


@dataclass
class Clock:
    """Time that passes only where somebody sleeps."""

    now: float = HALF_PAST_NINE
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


Make = Callable[..., Budget]


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    made = Store(database)
    tables.metadata.create_all(made.engine)  # quicker than the migrations, which the hosts below make
    yield made
    made.close()


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store for all examples; each has a connection of its own."""
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('budget') / 'upcard.db'}")
    tables.metadata.create_all(made.engine)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(store: Store, clock: Clock) -> Make:
    """`make(per_hour=100)`: the budget of acme as another host on the same store has it."""
    return lambda **limits: budget("acme", store, clock, **limits)


def budget(name: str, store: Store, clock: Clock, *, per_second: int = FAST, per_hour: int = 10_000) -> Budget:
    limits = Limits(per_second, per_hour)
    return Budget(name, limits, store, wall=clock, steady=clock, sleep=clock.sleep)


def single(of: Budget) -> Share:
    return Share(of, bulk=False, patient=False)


def bulk(of: Budget, *, patient: bool = False) -> Share:
    return Share(of, bulk=True, patient=patient)


async def taken(share: Share, times: int) -> int:
    """How many of so many requests may be sent."""
    done = 0
    with suppress(Throttled):
        for _ in range(times):
            await share.take()
            done += 1
    return done


async def left(of: Budget) -> Any:
    return (await of.shown())["left"]


# The second


@given(
    per_second=st.floats(0.2, 60),
    steps=st.lists(st.tuples(st.floats(0, 0.3), st.booleans()), min_size=1, max_size=300),
)
def test_no_second_has_more_than_it_may(per_second: float, steps: list[tuple[float, bool]]) -> None:
    """Whenever it begins: single calls book their time at once, bulk comes when its wait is over."""
    pace, now, sent = Pace(per_second), 0.0, list[float]()
    for gap, is_bulk in steps:
        now += gap
        wait = pace.wait(now, bulk=is_bulk)
        now += wait if is_bulk else 0.0
        sent.append(now if is_bulk else now + wait)
        pace.book(sent[-1])

    most = max(1, int(per_second))

    assert sent == sorted(sent)
    assert all(later - sooner > SECOND - 1e-5 for sooner, later in zip(sent, sent[most:], strict=False))


@pytest.mark.parametrize("alive", [1, 2, 3, 7, 49, 50])
def test_hosts_together_have_no_more_than_one(alive: int) -> None:
    """Each has its part of the second, rounded down."""
    parts = [Pace(50 / alive) for _ in range(alive)]
    sent = 0
    for pace in parts:
        while not pace.wait(0.0, bulk=False):
            pace.book(0.0)
            sent += 1

    assert 50 - alive < sent <= 50


def test_more_hosts_than_requests_take_turns() -> None:
    """A hundred hosts and 50 a second: each may send one in two seconds."""
    pace = Pace(50 / 100)
    pace.book(0.0)

    assert pace.wait(0.0, bulk=False) == pytest.approx(2 * SECOND)


def test_bulk_leaves_a_tenth_of_the_second() -> None:
    """However much bulk there is, five of 50 are there for single calls at once."""
    pace = Pace(50)
    for _ in range(45):
        pace.book(0.0)

    assert pace.wait(0.0, bulk=True) == pytest.approx(SECOND)
    assert pace.wait(0.0, bulk=False) == 0.0


async def test_both_kinds_wait_for_the_second(make: Make, clock: Clock) -> None:
    """It is short: nobody is refused for it."""
    acme = make(per_second=10)
    await taken(single(acme), 10)

    await single(acme).take()
    await bulk(acme).take()

    assert sum(clock.slept) == pytest.approx(SECOND)


async def test_a_queue_that_is_too_long_is_told(make: Make) -> None:
    """A single call does not wait longer than its caller might."""
    acme = make(per_second=1)
    acme.sleep = lambda _: asyncio.sleep(0)  # all of them wait at the same time

    assert await taken(single(acme), 100) == 19

    with pytest.raises(Throttled, match="Too many calls wait") as refused:
        await single(acme).take()
    assert refused.value.retry_after == pytest.approx(20, abs=2)


# The hour


@settings(deadline=None, max_examples=20)
@given(
    per_hour=st.integers(1, 300),
    steps=st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 60), st.integers(0, 600)), max_size=12),
)
async def test_no_hour_has_more_than_it_may(
    one_store: Store, per_hour: int, steps: list[tuple[int, bool, int, int]]
) -> None:
    """Three hosts, any turns of single calls and bulk, time that passes: never more; bulk never the last tenth."""
    clock, name = Clock(), next(NAMES)
    alive = [budget(name, one_store, clock, per_hour=per_hour) for _ in range(3)]
    sent = Counter[tuple[int, bool]]()
    for host, is_bulk, times, seconds in steps:
        share = bulk(alive[host]) if is_bulk else single(alive[host])
        for _ in range(times):
            done = await taken(share, 1)  # which may wait for the next hour where that is near
            sent[int(clock.now // HOUR), is_bulk] += done
        clock.now += seconds

    assert all(sent[hour, True] + sent[hour, False] <= per_hour for hour, _ in sent)
    assert all(sent[hour, True] <= per_hour * 0.9 for hour, _ in sent)


async def test_hosts_that_ask_at_once_share_the_hour(make: Make) -> None:
    """Four hosts, 400 calls at the same time, 100 an hour: 100 are sent."""
    alive = [make(per_hour=100) for _ in range(4)]

    found = await asyncio.gather(*(taken(single(host), 1) for host in alive for _ in range(100)))

    assert sum(found) == 100
    assert [await left(host) for host in alive] == [0, 0, 0, 0]


async def test_most_requests_ask_no_database(make: Make, store: Store) -> None:
    """A host takes 50 at once."""
    acme, queries = make(), list[str]()
    sa.event.listen(store.engine, "before_cursor_execute", lambda *said: queries.append(said[2]))

    assert await taken(single(acme), BLOCK * 4) == BLOCK * 4
    assert len([query for query in queries if "budgets" in query]) == 4


async def test_higher_limits_of_the_service_cost_no_queries(make: Make, store: Store) -> None:
    """They are told with every answer, and change nothing."""
    acme, queries = make(), list[str]()
    sa.event.listen(store.engine, "before_cursor_execute", lambda *said: queries.append(said[2]))

    for _ in range(10):
        await single(acme).take()
        said(acme, X_RateLimit_Limit_Hour=50_000, X_RateLimit_Limit_Second=FAST * 2)

    assert len(queries) == 1


async def test_a_host_gives_back_what_it_did_not_use(make: Make, store: Store) -> None:
    """When it stops, the others have the rest of what it took."""
    stopping, going_on = make(), make()
    await single(stopping).take()

    assert await left(going_on) == 10_000 - BLOCK
    store.run_here(stopping.give_back)

    assert await left(going_on) == 10_000 - 1


async def test_what_was_not_used_lapses_with_its_hour(make: Make, store: Store, clock: Clock) -> None:
    """Giving back in the next hour takes nothing from that one's count."""
    stopping, going_on = make(), make()
    await single(stopping).take()
    clock.now += HOUR
    await single(going_on).take()

    store.run_here(stopping.give_back)

    assert await left(going_on) == 10_000 - 1


async def test_a_host_whose_clock_is_behind_counts_with_the_others(store: Store, clock: Clock) -> None:
    """It is not locked out, and the hour has no more for that."""
    ahead, behind = (budget("acme", store, when, per_hour=10) for when in (Clock(clock.now + HOUR / 2), clock))
    await taken(single(ahead), 6)

    assert await taken(single(behind), 10) == 4


async def test_a_clock_that_is_wrong_locks_nobody_out(store: Store, clock: Clock) -> None:
    """What a host counted for a day in the future does not keep the others from their hour."""
    wrong, right = (budget("acme", store, when, per_hour=10) for when in (Clock(clock.now + 24 * HOUR), clock))
    await taken(single(wrong), 10)

    assert await taken(single(right), 20) == 10


async def test_bulk_leaves_a_tenth_of_the_hour(make: Make) -> None:
    """Single calls still go through where bulk does not, on any host."""
    one, other = make(per_hour=100), make(per_hour=100)

    assert await taken(bulk(one), 100) == 90
    assert await taken(bulk(other), 1) == 0
    assert await taken(single(other), 100) == 10


async def test_a_single_call_is_refused_at_once(make: Make, clock: Clock) -> None:
    """Nothing is sent, and the caller is told when it is worth trying again."""
    acme = make(per_hour=1)
    await single(acme).take()

    with pytest.raises(Throttled) as refused:
        await single(acme).take()

    assert refused.value.detail == f"The hour's requests of acme are used up {UNTIL_TEN}. Nothing was done."
    assert (refused.value.retry_after, clock.slept) == (1800, [])


async def test_bulk_waits_for_the_next_hour_and_says_so(make: Make, clock: Clock) -> None:
    """It looks again every minute, as others may give something back."""
    acme, waits = make(per_hour=10), list[str | None]()
    share = bulk(acme, patient=True)
    await taken(share, 9)
    sleep = acme.sleep

    async def watched(seconds: float) -> None:
        waits.append(share.waits_for)
        await sleep(seconds)

    acme.sleep = watched
    await share.take()

    assert clock.now == HALF_PAST_NINE + 1800
    assert set(waits) == {f"the hour's requests of acme are used up {UNTIL_TEN}"}
    assert max(clock.slept) == LOOK
    assert share.waits_for is None


async def test_a_wait_can_be_canceled(make: Make) -> None:
    """It says nothing afterwards, and has used nothing."""
    acme = make(per_hour=10)
    share = bulk(acme, patient=True)
    await taken(share, 9)
    asleep = asyncio.Event()

    async def for_ever(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    acme.sleep = for_ever
    waiting = asyncio.create_task(share.take())
    await asleep.wait()
    waiting.cancel()
    await asyncio.wait([waiting])

    assert share.waits_for is None
    assert await left(acme) == 1


async def test_the_end_of_the_hour_is_waited_out(make: Make, clock: Clock) -> None:
    """Within two seconds of it a single call waits as well."""
    acme = make(per_hour=1)
    await single(acme).take()
    clock.now += 1799

    await single(acme).take()

    assert clock.slept == [1.0]


# What the service says


def said(of: Budget, **headers: object) -> None:
    """An answer came with these headers."""
    of.learn([(name.replace("_", "-").encode(), str(value).encode()) for name, value in headers.items()])


async def test_the_service_counts_where_it_has_less_left(make: Make) -> None:
    """Others use the same account: its number is the truth, and bulk leaves a tenth of it too."""
    acme = make()
    await single(acme).take()
    said(acme, X_RateLimit_Remaining_Hour=1003)

    assert await left(acme) == 1003
    assert await taken(bulk(acme), 100) == 3
    assert await taken(single(acme), 2000) == 1000


async def test_the_service_does_not_count_where_it_has_more_left(make: Make) -> None:
    """Its hour may have begun later; what was sent in ours stays counted."""
    acme = make(per_hour=100)
    said(acme, X_RateLimit_Remaining_Hour=5000)

    assert await taken(single(acme), 200) == 100


async def test_lower_limits_of_the_service_are_kept(make: Make, clock: Clock) -> None:
    """And higher ones are not."""
    acme = make()
    said(acme, X_RateLimit_Limit_Hour=20, X_RateLimit_Limit_Second=5)

    assert (await acme.shown())["per_hour"] == 20
    assert await taken(bulk(acme), 100) == 18
    assert clock.slept == pytest.approx([SECOND] * 4)  # 18 by four a second, as the fifth is for single calls
    said(acme, X_RateLimit_Limit_Hour=50_000)
    assert (await acme.shown())["per_hour"] == 10_000


async def test_what_was_taken_of_a_longer_hour_is_given_back(make: Make) -> None:
    """Two hosts that took 50 each learn that there are 60: they send 60, and not 100."""
    alive = [make(), make()]
    for host in alive:
        await single(host).take()
        said(host, X_RateLimit_Limit_Hour=60)

    assert sum([await taken(single(host), 50) for host in alive]) == 58


async def test_one_request_looks_whether_it_is_still_so(make: Make, clock: Clock) -> None:
    """The service's hour may begin within ours: nobody is locked out for all of it, and nobody storms in."""
    acme = make()
    said(acme, X_RateLimit_Remaining_Hour=0)
    assert await taken(single(acme), 1) == 0

    clock.now += LOOK

    assert await taken(single(acme), 5) == 1
    said(acme, X_RateLimit_Remaining_Hour=9999)
    assert await taken(single(acme), 5) == 5


async def test_what_it_said_lapses_with_the_hour(make: Make, clock: Clock) -> None:
    """A new hour begins full."""
    acme = make()
    said(acme, X_RateLimit_Remaining_Hour=0)
    clock.now += HOUR / 2

    assert await left(acme) == 10_000
    assert await taken(single(acme), 5) == 5


@pytest.mark.parametrize(
    "headers",
    [{"Retry_After": 90}, {"RateLimit_Remaining": 0, "RateLimit_Reset": 90}],
)
async def test_bulk_pauses_where_the_service_asks_to_slow_down(
    make: Make, clock: Clock, headers: dict[str, object]
) -> None:
    """Single calls try their luck."""
    acme = make()
    said(acme, **headers)

    with pytest.raises(Throttled, match="The service asks acme to slow down until 2026-02-03T09:31:30Z"):
        await bulk(acme).take()
    assert await taken(single(acme), 1) == 1
    await bulk(acme, patient=True).take()

    assert clock.now == HALF_PAST_NINE + 90


HEADERS = [b"X-RateLimit-Limit-Hour", b"x-ratelimit-limit-second", b"X-RateLimit-Remaining-Hour"]
HEADERS += [b"RateLimit-Remaining", b"RateLimit-Reset", b"Retry-After", b"Other"]
VALUES = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=20).map(str.encode),
    st.integers().map(lambda number: str(number).encode()),
    st.sampled_from([b"nan", b"inf", b"1e400", b"Fri, 31 Dec 9999 23:59:59 -2359", b"0", b"-1"]),
)


@settings(deadline=None)
@given(headers=st.lists(st.tuples(st.sampled_from(HEADERS), VALUES)))
async def test_no_header_breaks_it(one_store: Store, headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever is sent: it may be passed over, and a wait is never longer than an hour."""
    clock = Clock()
    acme = budget(next(NAMES), one_store, clock)

    acme.learn(headers)

    await bulk(acme, patient=True).take()
    assert clock.now <= HALF_PAST_NINE + HOUR


# Hosts


async def test_hosts_count_one_another(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes is seen with the next beat; one that shows no sign of life is not counted."""
    monkeypatch.setattr(hosts, "BEAT", 0.01)
    told: asyncio.Queue[int] = asyncio.Queue()
    async with present(store, tmp_path / "one", told.put_nowait):
        assert await told.get() == 1
        async with present(store, tmp_path / "two", lambda _: None):
            async with asyncio.timeout(5):
                while await told.get() != 2:
                    pass
        monkeypatch.setattr(hosts, "DEAD", 0.1)
        async with asyncio.timeout(5):
            while await told.get() != 1:
                pass


# Calls


@pytest.fixture
async def limited(database: str, tmp_path: Path) -> AsyncIterator[Upcard]:
    """A host whose Kandji takes ten requests an hour; the first went into making the connection."""
    flows: dict[str, Any] = {"allow_receivers": "127.0.0.1:*", "unregistered_flows": True}
    async with opened(tmp_path, limits=Limits(FAST, 10), database_url=database, **flows) as upcard:
        clock, acme = Clock(), of(upcard)
        acme.wall, acme.sleep = clock, clock.sleep
        await single(acme).take()
        yield upcard


def of(upcard: Upcard) -> Budget:
    found = upcard.host.connections.get("acme").budget
    assert found
    return found


def fleet(router: respx.MockRouter, count: int) -> None:
    """Devices, one a page."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        return httpx.Response(200, json=[{"device_id": f"d{number}"} for number in range(count)][offset : offset + 1])

    router.get("/devices").mock(side_effect=answer)


async def get_device(upcard: Upcard) -> httpx.Response:
    return await upcard.call("kandji.get_device", options={"details": "basic"}, inputs={"device_id": "d1"})


async def test_a_connection_shows_its_budget(limited: Upcard) -> None:
    """How much is left, and when the next hour begins."""
    shown = (await limited.http.get("/v1/connections/acme")).json()["budget"]

    assert shown == {"per_hour": 10, "left": 9, "resets": "2026-02-03T10:00:00Z"}


async def test_a_service_without_limits_has_no_budget(upcard: Upcard) -> None:
    """There is nothing to show."""
    assert "budget" not in (await upcard.http.get("/v1/connections/acme")).json()


async def test_every_attempt_counts(limited: Upcard, kandji: respx.MockRouter) -> None:
    """A retry is a request as well."""
    kandji.get("/devices/d1").mock(side_effect=[httpx.Response(503), httpx.Response(503), httpx.Response(200, json={})])

    assert (await get_device(limited)).status_code == 200
    assert await left(of(limited)) == 6


async def test_a_call_without_budget_is_throttled(limited: Upcard, kandji: respx.MockRouter) -> None:
    """503 with Retry-After until the next hour, retry yes, and the service is not asked."""
    await taken(single(of(limited)), 9)

    answer = await get_device(limited)

    assert (answer.status_code, answer.json()["type"], answer.json()["retry"]) == (503, "throttled", True)
    assert answer.headers["retry-after"] == "1800"
    assert not asked(kandji)


async def test_lines_are_refused_before_the_first(limited: Upcard, kandji: respx.MockRouter) -> None:
    """A list that a caller takes itself does not keep it waiting for its first line."""
    await taken(bulk(of(limited)), 9)

    answer = await limited.http.post(
        "/v1/cards/kandji/list_devices", json={}, headers={"Accept": "application/x-ndjson"}
    )

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1800")


async def test_lines_wait_for_the_hour_once_they_flow(
    limited: Upcard, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure would cut off what has begun."""
    monkeypatch.setattr("cards.kandji._client.PAGE", 1)
    fleet(kandji, 12)

    answer = await limited.http.post(
        "/v1/cards/kandji/list_devices", json={}, headers={"Accept": "application/x-ndjson"}
    )

    assert [json.loads(line)["device_id"] for line in answer.text.splitlines()] == [f"d{n}" for n in range(12)]
    assert of(limited).wall() == HALF_PAST_NINE + 1800


async def test_a_dropdown_does_not_wait(limited: Upcard, kandji: respx.MockRouter) -> None:
    """It is bulk, but somebody looks at it."""
    await taken(bulk(of(limited)), 9)

    answer = await limited.http.get("/v1/cards/kandji/list_devices/choices/blueprint_id")

    assert (answer.status_code, answer.json()["type"]) == (503, "throttled")
    assert not asked(kandji)


# Streams


class Line:
    """Stands in for the queue: streams here are worked on when a test says so."""

    def put(self, *_: object) -> None:
        pass


async def accept(upcard: Upcard, folder: Path, url: str) -> Run:
    """A stream of all devices."""
    streams = Streams(upcard.host.store, seals.load("", folder), Line())  # type: ignore[arg-type]
    caller = upcard.host.keys.caller(upcard.http.headers["authorization"].removeprefix("Bearer "))
    call = Call("kandji.list_devices", caller, options=STREAM, stream={"url": url, "concurrency": 1})
    run = await streams.accept(await upcard.host.reader.read(call))
    assert isinstance(run, Run)
    return run


async def work(upcard: Upcard, run: Run) -> None:
    while await upcard.host.worker.go_on(run.id, 0):
        pass


async def seen(upcard: Upcard, run: Run) -> Any:
    return (await upcard.http.get(f"/v1/runs/{run.id}")).json()


@pytest.fixture
async def waiting(
    limited: Upcard, kandji: respx.MockRouter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator["Waiting"]:
    """A stream of twelve pages that has used up the hour."""
    monkeypatch.setattr("cards.kandji._client.PAGE", 1)
    fleet(kandji, 12)
    kandji.route(host="127.0.0.1").pass_through()
    next_hour, acme = asyncio.Event(), of(limited)
    acme.sleep = lambda _: next_hour.wait()  # type: ignore[assignment,return-value]
    async with receiving() as flow:
        run = await accept(limited, tmp_path, flow.url)
        tasks = [asyncio.create_task(work(limited, run)), asyncio.create_task(again(limited.host.worker.watch, 0.1))]
        async with asyncio.timeout(10):
            while not (await seen(limited, run))["progress"]["waiting_for"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield Waiting(limited, run, next_hour, tasks[0])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Waiting:
    upcard: Upcard
    run: Run
    next_hour: asyncio.Event
    work: "asyncio.Task[None]"


async def test_a_stream_says_what_it_waits_for(waiting: Waiting) -> None:
    """As part of its progress, with the time at which it goes on."""
    progress = (await seen(waiting.upcard, waiting.run))["progress"]

    assert progress["waiting_for"] == f"the hour's requests of acme are used up {UNTIL_TEN}"
    assert progress["delivered"] == 8  # nine tenths of ten, less the one that made the connection


async def test_a_single_call_goes_through_while_a_stream_waits(waiting: Waiting, kandji: respx.MockRouter) -> None:
    """The last tenth is for it."""
    kandji.get("/devices/d1").respond(json={"device_id": "d1"})

    assert (await get_device(waiting.upcard)).status_code == 200
    assert (await get_device(waiting.upcard)).status_code == 503


async def test_a_stream_goes_on_in_the_next_hour(waiting: Waiting) -> None:
    """By itself; nothing is lost or sent twice, and it waits for nothing any more."""
    acme = of(waiting.upcard)
    acme.wall = Clock(HALF_PAST_NINE + 1800)
    waiting.next_hour.set()

    await asyncio.wait_for(waiting.work, 10)

    run = await seen(waiting.upcard, waiting.run)
    assert (run["state"], run["progress"]["delivered"], run["progress"]["waiting_for"]) == ("succeeded", 12, None)


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("cancel", "canceled")])
async def test_a_stream_that_waits_can_be_stopped(waiting: Waiting, verb: str, state: str) -> None:
    """Within two seconds, and it waits for nothing any more."""
    await waiting.upcard.http.post(f"/v1/runs/{waiting.run.id}/{verb}")

    await asyncio.wait_for(waiting.work, 2)

    run = await seen(waiting.upcard, waiting.run)
    assert (run["state"], run["progress"]["waiting_for"]) == (state, None)


async def test_a_stream_outlives_that_the_service_throttles_it(
    limited: Upcard, kandji: respx.MockRouter, tmp_path: Path
) -> None:
    """It waits as long as the service asks for, and goes on; the time is not counted against the request."""
    busy = httpx.Response(429, headers={"Retry-After": "900"})
    kandji.get("/devices").mock(side_effect=[busy, httpx.Response(200, json=[{"device_id": "d1"}])])
    kandji.route(host="127.0.0.1").pass_through()

    async with receiving() as flow:
        run = await accept(limited, tmp_path, flow.url)
        await work(limited, run)

    assert (await seen(limited, run))["progress"]["delivered"] == 1
    assert of(limited).wall() == HALF_PAST_NINE + 900
