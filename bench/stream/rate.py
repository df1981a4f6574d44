"""The rate of one stream, against a bare loop that posts the same records: without signatures, retries, bookkeeping."""

import asyncio
import sys
from dataclasses import dataclass

from bench.postgres import postgres
from bench.processes import SERVED, pin
from bench.stream.course import CONCURRENCY, Course, course
from bench.stream.figure import at_least
from bench.table import median, print_table, spread

ROUNDS = 5
OURS, BARE = "upcard", "bare aiohttp loop"
SQLITE, POSTGRES = 0.8, 0.7  # aims: times the rate of the bare loop


@dataclass(frozen=True)
class Streamed:
    """What one stream took: records, seconds, seconds of CPU, and those of everything around it."""

    records: int
    seconds: float
    cpu: float
    others: float

    @property
    def rate(self) -> float:
        return self.records / self.seconds


async def rate(records: int) -> None:
    """Records a second against a bare aiohttp loop, signed and durable, on SQLite and on PostgreSQL."""
    await against("SQLite", records, "", SQLITE)
    with postgres() as database:
        await against("PostgreSQL", records, database, POSTGRES)


async def against(store: str, records: int, database: str, aim: float) -> None:
    """One after the other, again and again, so that a slow minute meets both."""
    found: dict[str, list[Streamed]] = {OURS: [], BARE: []}
    async with course(records, database=database) as by:
        for _ in range(ROUNDS):
            found[OURS].append(await by_host(by))
            found[BARE].append(await by_loop(by))
    report(f"{records:,} records, {store}: median of {ROUNDS} rounds (least to most)", found)
    pairs = list(zip(found[OURS], found[BARE], strict=True))
    ratio = median([ours.rate / bare.rate for ours, bare in pairs])
    by_cpu = median([bare.cpu / bare.records / (ours.cpu / ours.records) for ours, bare in pairs])
    at_least(f"rate on {store}, times the bare loop's (by CPU {by_cpu:.2f})", ratio, aim)


async def by_host(by: Course) -> Streamed:
    used, others = by.host.program.cpu(), by.others()
    seconds = await by.stream()
    return Streamed(by.records, seconds, by.host.program.cpu() - used, by.others() - others)


async def by_loop(by: Course) -> Streamed:
    """Seconds as the loop itself took them: without its start."""
    by.receiver.forget()
    others = by.others()
    command = ("-m", "bench.loop", by.stub.url, by.receiver.url, str(CONCURRENCY))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    pin(SERVED, process.pid)
    said, _ = await process.communicate()
    by.receiver.check()
    records, seconds, used = map(float, said.split())
    return Streamed(int(records), seconds, used, by.others() - others)


def report(title: str, found: dict[str, list[Streamed]]) -> None:
    rows = [
        (
            name,
            spread([one.rate for one in runs]),
            spread([ours.rate / one.rate for ours, one in zip(found[OURS], runs, strict=True)], digits=2),
            spread([one.cpu / one.records * 1e6 for one in runs]),
            f"{median([one.cpu / one.seconds for one in runs]):.0%}",
            f"{median([one.others / one.seconds for one in runs]):.0%}",
        )
        for name, runs in found.items()
    ]
    print_table(title, ("", "records/s", "upcard / this", "CPU us/record", "its core", "other core"), rows)
