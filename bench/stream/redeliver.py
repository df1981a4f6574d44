"""Records that a flow refuses, sent again when it is well."""

import time

from bench.receiver import Wrong
from bench.stream.course import course
from bench.stream.figure import exactly, plain

FAILURES = 1_000
CONCURRENCY = 200
ATTEMPTS = 3


async def redeliver(records: int) -> None:
    """1,000 records fail, and are sent again: exactly these, with the same webhook-id and bytes."""
    refused = stretch(records)
    async with course(records) as by:
        by.receiver.refused = refused
        run = await by.begin(CONCURRENCY)
        failed = (await by.ended(run))["progress"]["failed"]
        by.receiver.check(wanted(records, refused, ATTEMPTS))
        by.receiver.refused, before = frozenset(), sum(by.receiver.times)
        began = time.perf_counter()
        await by.ask("POST", f"/v1/runs/{run}/redeliver", {})
        left = (await by.ended(run))["progress"]["failed"]
        seconds = time.perf_counter() - began
        exactly(f"sent again, of {records:,}", sum(by.receiver.times) - before, FAILURES)
        by.receiver.check(wanted(records, refused, ATTEMPTS + 1))
    if (failed, left) != (FAILURES, 0):
        raise Wrong(f"The host says that {failed:,} records failed, and {left:,} after they were sent again.")
    plain("seconds that took", seconds, " s", digits=1)


def stretch(records: int) -> frozenset[int]:
    """Two of three records in a stretch of pages: over all pages, each of these would wait for its last retry."""
    middle = records // 2
    return frozenset(number for number in range(middle, middle + FAILURES * 3 // 2) if number % 3)


def wanted(records: int, refused: frozenset[int], attempts: int) -> bytes:
    """How often each record should have come."""
    return bytes(attempts if number in refused else 1 for number in range(records))
