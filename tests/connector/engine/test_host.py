"""A host as its operator sees it: ready, or not, and never slow to say so."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.engine import hosts, tables
from connector.engine.store import Store
from tests.conftest import Upcard, opened
from tests.processes import until


@pytest_asyncio.fixture
async def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upcard]:
    """A host whose signs of life are fresh for a moment only."""
    monkeypatch.setattr(hosts, "BEAT", 0.05)
    monkeypatch.setattr(hosts, "FRESH", 0.3)
    async with opened(tmp_path) as found:
        yield found


async def test_a_host_at_work_is_ready(quick: Upcard) -> None:
    """OB-4: it has keys, and a store that takes writes."""
    assert await _readiness(quick) == (200, {"status": "ok"})


async def test_a_host_that_drains_is_not_ready(quick: Upcard) -> None:
    """OB-4: it is alive all the same."""
    quick.host.draining.set()

    assert await _readiness(quick) == (503, {"status": "not ready"})
    assert (await quick.http.get("/healthz")).status_code == 200


async def test_a_host_without_keys_is_not_ready(quick: Upcard) -> None:
    """OB-4: nobody could call it."""
    quick.host.keys.revoke(quick.caller)

    assert (await _readiness(quick))[0] == 503


async def test_a_host_that_neglects_a_duty_is_not_ready(quick: Upcard) -> None:
    """OB-4: streams would wait for ever, or what others changed would not be seen."""
    quick.host.duties[0].cancel()
    await asyncio.wait(quick.host.duties[:1])

    assert (await _readiness(quick))[0] == 503


async def test_a_store_that_takes_no_writes_is_told_until_it_does(quick: Upcard) -> None:
    """OB-4: that it can be read is not enough."""
    sa.event.listen(quick.host.store.engine, "checkout", _query_only)
    await until(lambda: _is(quick, 503))
    readable = await quick.host.store.run(lambda db: db.execute(sa.select(tables.keys)).all())

    sa.event.remove(quick.host.store.engine, "checkout", _query_only)
    sa.event.listen(quick.host.store.engine, "checkout", _writable)
    await until(lambda: _is(quick, 200))

    assert readable


async def test_a_store_that_hangs_is_told_at_once(quick: Upcard, monkeypatch: pytest.MonkeyPatch) -> None:
    """OB-4: within a tenth of a second, however often it is asked."""
    goes_on, real = threading.Event(), Store.run_here

    def hang(store: Store, work: Any) -> Any:
        goes_on.wait()
        return real(store, work)  # there are other hosts in this process

    with monkeypatch.context() as patch:
        patch.setattr(Store, "run_here", hang)
        await until(lambda: _is(quick, 503))
        began = time.monotonic()
        answers = await asyncio.gather(*(_readiness(quick) for _ in range(5)))
        took = time.monotonic() - began
    goes_on.set()
    await until(lambda: _is(quick, 200))

    assert {status for status, _ in answers} == {503}
    assert took < 1  # the store does not answer at all; this machine may be busy


async def _readiness(upcard: Upcard) -> tuple[int, Any]:
    answer = await upcard.http.get("/readyz", headers={"Authorization": ""})
    return answer.status_code, answer.json()


async def _is(upcard: Upcard, status: int) -> bool:
    return (await _readiness(upcard))[0] == status


def _query_only(connection: Any, *_: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _writable(connection: Any, *_: Any) -> None:
    connection.execute("PRAGMA query_only=OFF")
