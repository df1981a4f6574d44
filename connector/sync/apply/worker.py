"""Work on the runs of syncs that the queue gives to this host. A call of `go_on` is a durable step: a while of one."""

import asyncio
from contextlib import suppress

import sqlalchemy as sa
import structlog

from connector.engine.steps import Steps
from connector.engine.store import AWAY, Store
from connector.sdk.errors import NotFound, UpcardError
from connector.sync.apply.course import Course
from connector.sync.mapping.mapping_file import load
from connector.sync.store import outbox, runs
from connector.sync.store.runs import Lost, SyncRun
from connector.sync.store.tables import syncs
from connector.sync.systems.systems import Systems

LEAVING = 8.0  # seconds that the lines under way get when the host stops

log = structlog.get_logger()


class SyncWorker:
    """The runs at work on this host. `draining` is set when it is about to stop: cards are not called any more."""

    def __init__(self, store: Store, systems: Systems, draining: asyncio.Event) -> None:
        self._store = store
        self._systems = systems
        self._host_is_draining = draining.is_set
        self._courses: dict[str, Course] = {}
        self._steps = Steps()

    async def go_on(self, run: str, segment: int, holder: str) -> bool:
        """Go on with a run for who holds it; whether there is more to do."""
        async with self._steps.step():
            return await self._step(run, segment, holder)

    async def drain(self) -> None:
        """Let the lines under way end; what is left is taken up again."""
        await self._steps.stop(LEAVING)

    async def _step(self, run: str, segment: int, holder: str) -> bool:
        more = False
        try:
            more = await self._worked(run, segment, holder)
        except Lost:
            pass
        except AWAY:
            self._courses.pop(run, None)
            raise
        except UpcardError as error:
            if self._stops():
                return True  # whoever takes it up goes on
            await self._fail(run, holder, error)
        except Exception as error:
            log.error("sync", run=run, error=type(error).__name__, exc_info=error)
            await self._fail(run, holder, UpcardError("Something went wrong on our side."))
        if not more:
            self._courses.pop(run, None)
        return more

    async def _worked(self, run: str, segment: int, holder: str) -> bool:
        course = self._courses.get(run)
        if course is None or course.holder != holder:
            course = await self._begin(run, segment, holder)
        return course is not None and (await course.work() or self._stops())

    def _stops(self) -> bool:
        return self._steps.are_stopping or self._host_is_draining()

    async def _begin(self, id_: str, segment: int, holder: str) -> Course | None:
        """Take a run up where the store says it is; None where it is over, or another's."""
        run = await self._store.run(lambda db: runs.begin(db, id_, segment, holder))
        if run is None:
            return None
        text, turns = await self._store.run(lambda db: (_mapping(db, run.sync), _turns(db, run)))
        mapping = load(text)
        runs.refuse_other_mapping(run, mapping)
        both = self._systems.open(run.sync, mapping)
        course = Course(self._store, run, holder, mapping, both, turns, self._stops)
        self._courses[id_] = course
        return course

    async def _fail(self, run: str, holder: str, error: UpcardError) -> None:
        def work(db: sa.Connection) -> None:
            runs.hold(db, run, holder)
            runs.end(db, run, "failed", error)
            found = runs.get(db, run)
            outbox.put_off(db, found.sync, found.about or (), error.detail)

        with suppress(Lost):
            await self._store.run(work)


def _mapping(db: sa.Connection, sync: str) -> str:
    """Raises NotFound where the sync was deleted."""
    found: str | None = db.execute(sa.select(syncs.c.mapping).where(syncs.c.name == sync)).scalar()
    if found is None:
        raise NotFound("The sync was deleted.")
    return found


def _turns(db: sa.Connection, run: SyncRun) -> dict[str, int]:
    """Of a run that was planned earlier nobody knows what it saw: what is in the outbox stays there."""
    return outbox.turns(db, run.sync) if run.inputs is None else {}
