"""Runs: what was called, and how it went; each caller sees their own."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.engine import runs as module
from connector.engine import tables
from connector.engine.runs import Run, Runs
from connector.engine.store import Store
from connector.sdk.errors import Fault, InvalidCall, NoSuchRun, Unavailable
from tests.connector.engine.parts import OpenStore

NEVER = 3600.0


@pytest.fixture
def store(database: str, copied_store: OpenStore) -> Store:
    return copied_store(database)


@pytest_asyncio.fixture
async def runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runs]:
    """Runs that are written when the test says so."""
    monkeypatch.setattr(module, "BEHIND", NEVER)
    made = Runs(store)
    yield made
    await made.stop()


def a_run(caller: str = "k1", card: str = "kandji.get_device") -> Run:
    return Run(card, "acme", caller)


def begun(store: Store, run: Run) -> Run:
    """A call that changes something, as it is on record before it is sent."""
    store.run_here(lambda db: module.insert(db, run))
    return run


def kept(store: Store) -> list[str]:
    return list(store.run_here(lambda db: db.execute(sa.select(tables.runs.c.id)).scalars()))


def test_a_run_has_an_id_of_its_own() -> None:
    """It fits a webhook-id, and cannot be guessed."""
    one, other = a_run(), a_run()

    assert re.fullmatch(r"run_[0-9a-f]{28}", one.id)
    assert one.id != other.id
    assert one.id[:16] <= other.id[:16]


def test_a_run_shows_how_it_goes() -> None:
    """While it runs it has no end and no error."""
    run = a_run()

    assert run.shown() == {
        "run": run.id,
        "card": "kandji.get_device",
        "connection": "acme",
        "state": "running",
        "started": run.started,
        "finished": None,
    }


async def test_a_read_is_found_while_it_runs(runs: Runs) -> None:
    """By its caller."""
    run = runs.begin_read(a_run())

    assert await runs.get(run.id, "k1") is run


async def test_a_change_is_on_record_before_it_is_sent(runs: Runs, store: Store) -> None:
    """ID-4: what was begun is known after a crash."""
    run = begun(store, a_run(card="kandji.erase_device"))

    assert kept(store) == [run.id]
    assert (await runs.get(run.id, "k1")).state == "running"


@pytest.mark.parametrize("id_", ["", "run_", "run_0", "../x", "run_' OR 1=1"])
async def test_an_unknown_run_is_not_there(runs: Runs, id_: str) -> None:
    """The ID is not repeated."""
    with pytest.raises(NoSuchRun, match=r"^There is no run of this name\.$"):
        await runs.get(id_, "k1")


async def test_another_caller_s_run_is_not_there(runs: Runs, store: Store) -> None:
    """AU-4: it is neither shown nor betrayed by another error, be it read or written."""
    live, written = runs.begin_read(a_run()), begun(store, a_run())

    with pytest.raises(NoSuchRun, match=r"^There is no run of this name\.$"):
        await runs.get(live.id, "k2")
    with pytest.raises(NoSuchRun, match=r"^There is no run of this name\.$"):
        await runs.get(written.id, "k2")


async def test_a_run_that_ended_well_says_when(runs: Runs) -> None:
    """RFC 3339 in UTC."""
    run = runs.begin_read(a_run())

    runs.end_read(run)

    found = (await runs.get(run.id, "k1")).shown()
    assert (found["state"], "error" in found) == ("succeeded", False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["finished"])


async def test_a_run_that_failed_says_why(runs: Runs) -> None:
    """By the problem that its caller was told."""
    run = runs.begin_read(a_run())
    error = InvalidCall.of([Fault("inputs/a", "A.")])

    runs.end_read(run, error)

    found = (await runs.get(run.id, "k1")).shown()
    assert (found["state"], found["error"]) == ("failed", error.shown(run.id))


async def test_a_read_is_written_when_it_is_over(runs: Runs, store: Store) -> None:
    """Behind, and found meanwhile."""
    run = runs.begin_read(a_run())
    runs.end_read(run, Unavailable("The service answered 500."))
    before = kept(store)

    await runs.flush()

    assert (before, kept(store)) == ([], [run.id])
    assert (await runs.get(run.id, "k1")).shown() == run.shown()


async def test_reads_are_written_by_themselves(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a second, and when the host stops."""
    assert module.BEHIND == 0.5
    monkeypatch.setattr(module, "BEHIND", 0.001)
    written = asyncio.Event()
    made = Runs(store)
    monkeypatch.setattr(made, "flush", _then(made.flush, written))
    made.end_read(made.begin_read(a_run()))

    async with asyncio.timeout(5):
        await written.wait()
    made.end_read(made.begin_read(a_run()))
    await made.stop()

    assert len(kept(store)) == 2


async def test_reads_are_written_once(runs: Runs, store: Store) -> None:
    """A list of runs and the writer may write at the same time; else the writer dies, and no read is kept any more."""
    runs.end_read(runs.begin_read(a_run()))

    await asyncio.gather(runs.flush(), runs.flush())

    assert len(kept(store)) == 1


async def test_reads_that_are_being_written_when_a_host_stops_are_written_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is not cancelled between the write and forgetting what it wrote."""
    monkeypatch.setattr(module, "BEHIND", 0.001)
    written, answered, run = asyncio.Event(), asyncio.Event(), store.run

    async def answers_later(work: Any) -> Any:
        found = await run(work)
        written.set()
        await answered.wait()
        return found

    monkeypatch.setattr(store, "run", answers_later)
    made = Runs(store)
    made.end_read(made.begin_read(a_run()))
    await written.wait()

    stopping = asyncio.create_task(made.stop())
    await asyncio.sleep(0)
    answered.set()
    await stopping

    assert len(kept(store)) == 1


async def test_a_write_that_is_cut_off_is_not_made_twice(runs: Runs, store: Store) -> None:
    """It goes on in its thread while nobody waits for it; what it wrote is there when it is tried again."""
    run = runs.begin_read(a_run())
    runs.end_read(run)

    flushing = asyncio.create_task(runs.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    flushing.cancel()
    await asyncio.wait([flushing])
    await runs.flush()

    assert kept(store) == [run.id]


async def test_a_caller_lists_their_own_runs(runs: Runs, store: Store) -> None:
    """AU-4: newest first, those that are not written yet as well."""
    old, new = begun(store, a_run()), begun(store, a_run())
    begun(store, a_run(caller="k2"))
    runs.end_read(runs.begin_read(read := a_run()))

    found, cursor = await runs.list("k1", card=None, state=None, since=None, cursor=None, limit=9)

    assert ({run.id for run in found}, cursor) == ({old.id, new.id, read.id}, None)
    assert [run.id for run in found] == sorted((run.id for run in found), reverse=True)


async def test_a_list_of_runs_has_pages(runs: Runs, store: Store) -> None:
    """The cursor leads on, and the last page has none."""
    ids = {begun(store, a_run()).id for _ in range(5)}
    page = partial(runs.list, "k1", card=None, state=None, since=None, limit=2)

    one, first = await page(cursor=None)
    two, second = await page(cursor=first)
    three, last = await page(cursor=second)

    assert {run.id for run in [*one, *two, *three]} == ids
    assert ([len(found) for found in (one, two, three)], last) == ([2, 2, 1], None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"card": "kandji.lock_device"}, {"lock"}),
        ({"state": "failed"}, {"lock"}),
        ({"state": "running"}, {"get"}),
        ({"card": "kandji.get_device", "state": "failed"}, set()),
        ({"since": "2020-01-01T00:00:00Z"}, {"lock", "get"}),
        ({"since": "2999-01-01T00:00:00Z"}, set()),
    ],
)
async def test_a_list_of_runs_is_narrowed(runs: Runs, store: Store, wanted: dict[str, str], found: set[str]) -> None:
    """By card, state and start."""
    lock, get = runs.begin_read(a_run(card="kandji.lock_device")), begun(store, a_run())
    runs.end_read(lock, Unavailable("-"))
    names = {lock.id: "lock", get.id: "get"}
    every = {"card": None, "state": None, "since": None}

    listed, _ = await runs.list("k1", **{**every, **wanted}, cursor=None, limit=9)

    assert {names[run.id] for run in listed} == found


def _then(work: object, event: asyncio.Event) -> object:
    """The same work, and a sign when it is done."""

    async def both() -> None:
        await work()  # type: ignore[operator]
        event.set()

    return both
