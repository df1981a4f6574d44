"""Streams side by side: together as fast as one alone, and none starved."""

import asyncio
from statistics import mean

from bench.stream.course import course
from bench.stream.figure import at_least, at_most
from bench.table import median

STREAMS = 8
ROUNDS = 3


async def eight(records: int) -> None:
    """8 streams at once against one alone, and the slowest of them against their mean."""
    ratios, slowest = [], []
    async with course(records, flows=STREAMS) as by:
        for _ in range(ROUNDS):
            alone = await by.stream()
            seconds = await asyncio.gather(*map(by.stream, range(STREAMS)))
            ratios.append(STREAMS * alone / max(seconds))
            slowest.append(max(seconds) / mean(seconds))
            print(f"records/s: {records / alone:,.0f} of one, {STREAMS * records / max(seconds):,.0f} of {STREAMS}")
    at_least(f"total rate of {STREAMS} streams, times that of one", median(ratios), 1.0)
    at_most("seconds of the slowest of them, times their mean", max(slowest), 2.0)
