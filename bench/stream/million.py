"""A long stream whose host is killed twice: what is lost, what comes twice, and how long the flow hears nothing."""

import asyncio
import time

from bench.host import Host
from bench.loop import PAGE
from bench.receiver import Wrong
from bench.stream.course import Course, course
from bench.stream.figure import at_most, exactly, plain

KILLS = (0.4, 0.75)  # of the records
SECONDS_OF_A_RECORD = 180 / 1_000_000  # the aim


async def million(records: int) -> None:
    """A stream whose host is killed (-9) at 40 % and at 75 % of it, and started again at once."""
    async with course(records) as by:
        began = time.perf_counter()
        run, peaks = await by.begin(), []
        for share in KILLS:
            await by.receiver.reaches(int(share * records))
            peaks.append(by.host.program.peak())
            await asyncio.to_thread(restart, by.host)
        await by.ended(run)
        seconds = time.perf_counter() - began
        tell(by, seconds, max(*peaks, by.host.program.peak()))


def restart(host: Host) -> None:
    host.program.kill()
    host.start()


def tell(by: Course, seconds: float, peak: float) -> None:
    lost, sent = by.receiver.times.count(0), sum(by.receiver.times)
    repeated = sent - (by.records - lost)
    exactly("records lost", lost, 0)
    at_most("records repeated, each with the same webhook-id and bytes", repeated, len(KILLS) * PAGE, digits=0)
    at_most("seconds in all", seconds, round(by.records * SECONDS_OF_A_RECORD), " s", digits=1)
    plain("longest silence at the flow", by.receiver.silence, " s", digits=1)
    plain("peak memory of the host", peak, " MiB", digits=1)
    if lost or by.receiver.differing or repeated > len(KILLS) * PAGE:
        raise Wrong(f"{lost:,} records are lost, {repeated:,} repeated, {by.receiver.differing:,} came changed.")
