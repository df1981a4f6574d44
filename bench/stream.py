"""`python -m bench.stream`: List Devices streamed to a helper flow, against a bare loop that posts the same records.

The host signs each request, retries, counts and checks addresses; the loop does not. Both must deliver every record.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import uvloop

from bench.host import Host, hosting
from bench.loop import STATE
from bench.processes import MEASURING, SERVED, Program, cpu, free_port, pin, running
from bench.receiver import Receiver, receiving
from bench.table import median, print_table, spread

ROUNDS = 5
FEW, MANY = 2_000, 200_000  # records, for the memory
OURS, BARE = "upcard", "bare aiohttp loop"
AIM = 0.7  # of the bare loop's rate


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


@dataclass(frozen=True)
class Course:
    """Where records come from and go to, and how many at once."""

    stub: Program
    receiver: Receiver
    url: str
    concurrency: int

    async def measured(self, stream: Callable[["Course"], Awaitable[tuple[float, float]]], records: int) -> Streamed:
        """One stream; fails unless every record came, exactly once."""
        self.receiver.forget()
        before = self._others()
        seconds, used = await stream(self)
        assert (self.receiver.requests, len(self.receiver.seen)) == (records, records), "records are lost or repeated"
        return Streamed(records, seconds, used, self._others() - before)

    def _others(self) -> float:
        return self.stub.cpu() + cpu(os.getpid())


async def main(records: int, concurrency: int) -> None:
    pin(MEASURING)
    port = free_port()
    async with receiving(port) as receiver:
        url = f"http://127.0.0.1:{port}/record"
        with stubbing(records) as stub:
            report(await rounds(Course(stub, receiver, url, concurrency), records))
        for count in (FEW, MANY):
            with stubbing(count) as stub:
                most = await peak(Course(stub, receiver, url, concurrency), count)
                print(f"{most:.1f} MiB at most, for {count:,} records")


def stubbing(devices: int) -> AbstractContextManager[Program]:
    port = free_port()
    return running("bench.stub", port, devices, core=MEASURING, port=port)


async def rounds(course: Course, records: int) -> dict[str, list[Streamed]]:
    """One after the other, again and again, so that a slow minute meets both."""
    found: dict[str, list[Streamed]] = {OURS: [], BARE: []}
    with hosting(course.stub, receivers="127.0.0.1:*") as host:
        await register(host, course)
        for _ in range(ROUNDS):
            found[OURS].append(await course.measured(partial(by_host, host), records))
            found[BARE].append(await course.measured(by_loop, records))
    return found


async def peak(course: Course, records: int) -> float:
    """The most memory that a new host holds for one stream."""
    with hosting(course.stub, receivers="127.0.0.1:*") as host:
        await register(host, course)
        await course.measured(partial(by_host, host), records)
        return host.program.peak()


async def register(host: Host, course: Course) -> None:
    await asyncio.to_thread(host.ask, "POST", "/v1/flows", {"name": "bench", "url": course.url})


async def by_host(host: Host, course: Course) -> tuple[float, float]:
    """Seconds, and seconds of CPU."""
    stream = {"flow": "bench", "concurrency": course.concurrency, "state": STATE}
    call = {"connection": "bench", "options": {"result_set": "stream"}, "stream": stream}
    began, used = time.perf_counter(), host.program.cpu()
    await asyncio.to_thread(host.ask, "POST", "/v1/cards/kandji/list_devices", call)
    return time.perf_counter() - began, host.program.cpu() - used


async def by_loop(course: Course) -> tuple[float, float]:
    """Seconds, and seconds of CPU, as the loop itself took them: without its start."""
    command = ("-m", "bench.loop", course.stub.url, course.url, str(course.concurrency))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    pin(SERVED, process.pid)
    said, _ = await process.communicate()
    _, seconds, used = map(float, said.split())
    return seconds, used


def report(found: dict[str, list[Streamed]]) -> None:
    pairs = list(zip(found[OURS], found[BARE], strict=True))
    rows = [
        (
            name,
            spread([one.rate for one in runs]),
            spread([one.cpu / one.records * 1e6 for one in runs]),
            f"{median([one.cpu / one.seconds for one in runs]):.0%}",
            f"{median([one.others / one.seconds for one in runs]):.0%}",
        )
        for name, runs in found.items()
    ]
    head = ("", "records/s", "CPU us/record", "its core", "other core")
    print_table(f"List Devices, streamed: median of {ROUNDS} rounds (least to most)", head, rows)
    ratios = [ours.rate / bare.rate for ours, bare in pairs]
    by_cpu = median([bare.cpu / bare.records / (ours.cpu / ours.records) for ours, bare in pairs])
    said = "met" if median(ratios) >= AIM else "MISSED"
    print(f"{said}: {spread(ratios, digits=2)} of the bare loop (by CPU {by_cpu:.2f}), the aim is {AIM}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.stream", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=32)
    uvloop.run(main(**vars(parser.parse_args())))
