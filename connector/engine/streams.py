"""Streams as a caller sees them: accepted, waited for, paused, resumed, canceled, and their failures sent again."""

import asyncio
import json
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Literal

import sqlalchemy as sa

from connector.engine import tables
from connector.engine.answers import Earlier
from connector.engine.calls import Ready
from connector.engine.clock import now
from connector.engine.durable import Queue
from connector.engine.jobs import seal_job
from connector.engine.runs import ENDED, MISSING, Run, insert, stored
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.errors import Conflict, Fault, InvalidCall, NoSuchRun
from connector.sdk.kinds import Json

LOOK = 0.5  # seconds between looks at a run that another host works on
MOST_NAMED = 20  # positions that are no failures
LAST = 2**63 - 1  # position that the store can hold

Asked = Literal["pause", "cancel"]
Take = Callable[[sa.Connection, str], Earlier | None]
runs, failures = tables.runs, tables.failures


class Streams:
    """Every host can accept and control every stream; the queue decides which one works on it."""

    def __init__(self, store: Store, seals: Seals, queue: Queue) -> None:
        self._store = store
        self._seals = seals
        self._queue = queue
        self._nudges: dict[str, asyncio.Event] = {}

    async def accept(self, ready: Ready, take: Take | None = None) -> Run | Earlier:
        """Put a stream on record and in the queue, both or neither.

        take: takes the place of its answer, or finds what has it.
        """
        run = Run(ready.card.key, ready.account.name, ready.caller.id, state="queued")
        job = seal_job(ready, run.id, self._seals)

        def work(db: sa.Connection) -> Run | Earlier:
            if take and (earlier := take(db, run.id)):
                return earlier
            insert(db, run, job=job)
            self._queue.put(db, run.id, 0)
            return run

        return await (self._store.run_alone(work) if take else self._store.run(work))

    async def wait(self, run: Run, seconds: float) -> Run | None:
        """The run as it ended, or None if it did not in that time."""
        end = asyncio.get_running_loop().time() + seconds
        nudge = self._nudges.setdefault(run.id, asyncio.Event())
        try:
            while (left := end - asyncio.get_running_loop().time()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(nudge.wait(), min(LOOK, left))
                found = await self.look(run.id)
                if found.state in ENDED:
                    return found
        finally:
            self._nudges.pop(run.id, None)
        return None

    async def look(self, id_: str) -> Run:
        """The run as it is now."""
        if found := await self._store.run(lambda db: stored(db, id_)):
            return found
        raise NoSuchRun(MISSING)

    def ended(self, run: str) -> None:
        """Wake who waits for it on this host."""
        if nudge := self._nudges.pop(run, None):
            nudge.set()

    async def ask(self, run: Run, asked: Asked) -> None:
        """Ask the host that works on a stream to pause or cancel it; one that nobody works on is set at once."""
        this, is_stream = runs.c.id == run.id, runs.c.job.is_not(None)
        idle, at_work = sa.update(runs).where(this), sa.update(runs).where(this, is_stream, runs.c.state == "running")
        if asked == "cancel":  # also a call that its policy holds; one that was sent cannot be called back
            idle = idle.where(runs.c.state.in_(("queued", "paused"))).values(state="canceled", finished=now())
            at_work = at_work.values(wanted=asked, state="canceling")
        else:
            idle = idle.where(is_stream, runs.c.state == "queued").values(state="paused", finished=now())
            at_work = at_work.values(wanted=asked)

        def work(db: sa.Connection) -> int:
            return db.execute(idle).rowcount or db.execute(at_work).rowcount

        if not await self._store.run(work):
            raise Conflict(f"The run is {run.state}: there is nothing to {asked}.")

    async def cancel_all(self, caller: str) -> None:
        """Cancel every stream of a caller, by the hosts that work on them."""
        under_way = (
            runs.c.caller == caller,
            runs.c.job.is_not(None),
            runs.c.state.in_(("queued", "running", "paused")),
        )
        rows = await self._store.run(lambda db: db.execute(sa.select(runs).where(*under_way)).mappings().all())
        for row in rows:
            with suppress(Conflict):  # it ended meanwhile
                await self.ask(Run.of(row), "cancel")

    async def resume(self, run: Run) -> None:
        """Go on with a paused or failed stream, from where it stopped."""
        await self._again(run, ("paused", "failed"), lambda _: {"error": None}, "resume")

    async def redeliver(self, run: Run, positions: Sequence[int] | None) -> None:
        """Send failed records again, all or some, with the ids and bytes they had. Raises InvalidCall, Conflict."""
        found = await self._store.run(lambda db: _failed(db, run.id, positions))
        others = [at for at, position in enumerate(positions or []) if position not in found]
        if others:
            why = "Position is not one of a failure of this run."
            raise InvalidCall.of([Fault(f"positions/{at}", why) for at in others[:MOST_NAMED]])
        if not found:
            raise Conflict(f"The run is {run.state}: there is nothing to redeliver.")
        some = [failures.c.run == run.id, failures.c.due.is_(None)]
        some += [failures.c.position.in_(positions)] if positions else []
        again = sa.update(failures).where(*some).values(due=time.time(), attempts=0)

        def work(db: sa.Connection) -> Json:
            count = db.execute(sa.select(tables.failed_records).where(*some)).scalar_one()
            db.execute(again)
            before = db.execute(sa.select(runs.c.redeliver).where(runs.c.id == run.id)).scalar()
            then = before or json.dumps({"then": run.state})  # one that could not begin is still to be done
            return {"redeliver": then, "failed": runs.c.failed - int(count)}

        await self._again(run, ENDED, work, "redeliver")

    async def failures(self, run: Run, cursor: int, limit: int) -> tuple[list[Json], str | None]:
        """What the flow did not take, by position: never the record itself."""
        shown = (failures.c.position, failures.c.status, failures.c.reason, failures.c.at, failures.c.records)
        wanted = sa.select(*shown).where(
            failures.c.run == run.id, failures.c.position > cursor, failures.c.due.is_(None)
        )
        wanted = wanted.order_by(failures.c.position).limit(limit + 1)
        found = await self._store.run(lambda db: [_plain(row) for row in db.execute(wanted).mappings()])
        return found[:limit], str(found[limit - 1]["position"]) if len(found) > limit else None

    async def _again(
        self, run: Run, states: Collection[str], change: Callable[[sa.Connection], Json], verb: str
    ) -> None:
        """Queue another segment of a stream, with some change to it."""
        reset = {"state": "queued", "wanted": "", "finished": None, "segment": runs.c.segment + 1}
        begin = sa.update(runs).where(runs.c.id == run.id, runs.c.state.in_(states), runs.c.job.is_not(None))

        def work(db: sa.Connection) -> bool:
            if not db.execute(begin.values(reset)).rowcount:
                return False
            db.execute(sa.update(runs).where(runs.c.id == run.id).values(change(db)))
            segment = db.execute(sa.select(runs.c.segment).where(runs.c.id == run.id)).scalar_one()
            self._queue.put(db, run.id, segment)
            return True

        if not await self._store.run(work):
            raise Conflict(f"The run is {run.state}: there is nothing to {verb}.")


def _failed(db: sa.Connection, run: str, positions: Sequence[int] | None) -> set[int]:
    """Which of the positions are failures of the run; one of its failures where none are given."""
    wanted = sa.select(failures.c.position).where(failures.c.run == run)
    some = [position for position in positions or [] if 0 <= position <= LAST]
    wanted = wanted.where(failures.c.position.in_(some)) if positions else wanted.limit(1)
    return set(db.execute(wanted).scalars())


def _plain(row: sa.RowMapping) -> Json:
    """The row with keys that are plain text: SQLAlchemy's own are not, to orjson."""
    return {str(key): value for key, value in row.items()}
