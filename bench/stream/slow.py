"""A flow that takes its time, and many requests in flight."""

from bench.stream.course import course
from bench.stream.figure import at_least

DELAY = 0.1  # seconds a record
CONCURRENCY = 200
AIM = 0.9  # of what is possible


async def slow(records: int) -> None:
    """A flow that takes 100 ms a record, 200 at once: records a second against the possible 2,000."""
    possible = CONCURRENCY / DELAY
    async with course(records, delay=DELAY) as by:
        seconds = await by.stream(concurrency=CONCURRENCY)
    rate = records / seconds
    at_least(f"rate at a slow flow ({rate:,.0f}/s), times the possible {possible:,.0f}/s", rate / possible, AIM)
