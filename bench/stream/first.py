"""How soon a stream begins."""

import asyncio
import random
import time

from bench.stream.course import Course, course
from bench.stream.figure import at_most
from bench.table import median

STREAMS = 20
AIM = 0.3  # seconds


async def first(records: int) -> None:
    """Seconds from the call to the first record at the flow: a store's first stream, and the ones after it."""
    async with course(records) as by:
        new, *others = [await waited(by) for _ in range(1 + STREAMS)]
    at_most(f"first record at the flow, median of {STREAMS}", median(others), AIM, " s")
    at_most(f"first record at the flow, most of {STREAMS}", max(others), AIM, " s")
    at_most("first record at the flow, of the first stream on a new store", new, AIM, " s")


async def waited(by: Course) -> float:
    await asyncio.sleep(random.uniform(0, 0.2))  # else each call would meet the queue's polls at the same moment
    called = time.perf_counter()
    await by.stream()
    return by.receiver.first - called
