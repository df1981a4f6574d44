"""Work on the streams that the queue gives to this host. A call of `go_on` is a durable step: a second of a stream."""

from collections.abc import Callable
from contextlib import suppress

import structlog

from connector.engine.course import Course
from connector.engine.jobs import Jobs
from connector.engine.ledger import Holder, Ledger, Lost
from connector.engine.steps import Steps
from connector.engine.store import AWAY
from connector.engine.telemetry import Telemetry
from connector.sdk.errors import UpcardError

WATCH = 0.5  # seconds until what a caller asked of another host is seen here
DRAIN = 5.0  # seconds that requests in flight get when the host stops

log = structlog.get_logger()


class Worker:
    """The streams at work on this host. `ended` is called with each run that is over."""

    def __init__(self, ledger: Ledger, jobs: Jobs, telemetry: Telemetry, ended: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._telemetry = telemetry
        self._ended = ended
        self._courses: dict[str, Course] = {}
        self._steps = Steps()

    async def go_on(self, run: str, segment: int, holder: str = "") -> bool:
        """Go on with a stream for who holds it; whether there is more to do."""
        async with self._steps.step():
            return await self._step(Holder(run, segment, holder))

    async def drain(self) -> None:
        """Let every stream stop where it is, with its pages kept and which of their records are done."""
        for course in self._courses.values():
            course.halt()
        await self._steps.stop(DRAIN)

    async def watch(self) -> None:
        """See what callers ask of streams at work here, and which of them were lost."""
        if self._courses:
            for run, asked in await self._ledger.asked([course.holder for course in self._courses.values()]):
                self.tell(run, asked)

    def tell(self, run: str, asked: str) -> None:
        """Pause or cancel a stream, if it is at work here; or halt it without a word, if it was lost."""
        if course := self._courses.get(run):
            course.halt(asked)

    async def _step(self, holder: Holder) -> bool:
        course = self._courses.get(holder.run)
        if course is None or course.holder != holder:
            course = await self._begin(holder)
        more = False
        try:
            more = course is not None and await self._worked(course)
        finally:
            if course and not more:
                await self._forget(course)
        return more

    async def _begin(self, holder: Holder) -> Course | None:
        """Take a stream up where the store says it is. Who held it before writes nothing any more."""
        begun = await self._ledger.begin(holder)
        if begun is None:
            return None
        try:
            job = await self._jobs.open(begun.row)
        except UpcardError as error:
            await self._ledger.not_begun(holder, error)
            self._ended(holder.run)
            return None
        if before := self._courses.get(holder.run):
            before.halt()
        course = self._courses[holder.run] = Course(holder, begun, job, self._ledger)
        self._telemetry.stream_began(holder.run, job.card)
        if begun.row["wanted"] or self._steps.are_stopping:
            course.halt(begun.row["wanted"])
        return course

    async def _worked(self, course: Course) -> bool:
        """A second of a stream, and what its failure means."""
        before = course.counts
        try:
            more = await course.work()
        except Lost:
            return False
        except AWAY:
            raise
        except UpcardError as error:
            return await self._failed(course, error)
        except Exception as error:
            log.error("stream", run=course.holder.run, error=type(error).__name__, exc_info=error)
            return await self._failed(course, UpcardError("Something went wrong on our side."))
        finally:
            after = course.counts
            self._telemetry.handed_over(*(after[name] - before[name] for name in ("delivered", "failed")))
        return more and (self._steps.are_stopping or not course.is_halted)

    async def _failed(self, course: Course, error: UpcardError) -> bool:
        with suppress(Lost):
            await course.fail(error)
        return False

    async def _forget(self, course: Course) -> None:
        await course.stop()
        if self._courses.get(course.holder.run) is course:
            del self._courses[course.holder.run]
            counts = course.counts["delivered"], course.counts["failed"]
            self._telemetry.stream_stopped(course.holder.run, course.card, course.state, *counts)
        self._ended(course.holder.run)
