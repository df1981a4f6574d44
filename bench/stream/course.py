"""The way of the records: from the stub of Kandji through a host to helper flows, one receiver each."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.host import Host, hosting
from bench.loop import STATE
from bench.processes import MEASURING, Program, cpu, free_port, running
from bench.receiver import Receiver, Wrong, receiving

LIST_DEVICES = "/v1/cards/kandji/list_devices"
CONCURRENCY = 32  # requests in flight, of one stream
LOOK = 0.05  # seconds between looks at a run


@dataclass(frozen=True)
class Course:
    """A stub with so many records, a host, and the flows `bench-0`, `bench-1`, …, one for each receiver."""

    records: int
    stub: Program
    host: Host
    receivers: list[Receiver]
    threads: ThreadPoolExecutor

    @property
    def receiver(self) -> Receiver:
        """The only one, or the first."""
        return self.receivers[0]

    async def stream(self, flow: int = 0, concurrency: int = CONCURRENCY) -> float:
        """Seconds from the call to its answer. Raises Wrong unless every record came, exactly once."""
        self.receivers[flow].forget()
        began = time.perf_counter()
        found = await self.ask("POST", LIST_DEVICES, call(flow, concurrency))
        seconds = time.perf_counter() - began
        self.receivers[flow].check()
        if found["outputs"]["record_count"] != self.records:
            raise Wrong(f"The host says {found['outputs']}, and {self.records:,} records came.")
        return seconds

    async def begin(self, concurrency: int = CONCURRENCY) -> str:
        """A stream that nobody waits for; gives its run."""
        self.receiver.forget()
        found = await self.ask("POST", LIST_DEVICES, call(0, concurrency), prefer="respond-async")
        return str(found["run"])

    async def ended(self, run: str) -> Any:
        """The run, once it has ended."""
        found = await self.ask("GET", f"/v1/runs/{run}")
        while found["state"] in ("queued", "running"):
            await asyncio.sleep(LOOK)
            found = await self.ask("GET", f"/v1/runs/{run}")
        if found["state"] != "succeeded":
            raise Wrong(f"The run {found['state']}: {found}")
        return found

    async def ask(self, method: str, path: str, body: Any = None, **more: str) -> Any:
        asked = partial(self.host.ask, method, path, body, **more)
        return await asyncio.get_running_loop().run_in_executor(self.threads, asked)

    def others(self) -> float:
        """Seconds of CPU that everything around the host has used."""
        return self.stub.cpu() + cpu(os.getpid())


@asynccontextmanager
async def course(records: int, *, flows: int = 1, delay: float = 0.0, database: str = "") -> AsyncIterator[Course]:
    """A new host, and flows that answer after `delay` seconds."""
    async with AsyncExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(flows))  # each waits for the answer of one stream
        receivers = [await stack.enter_async_context(receiving(records, delay)) for _ in range(flows)]
        port = free_port()
        stub = stack.enter_context(running("bench.stub", port, records, core=MEASURING, port=port))
        host = stack.enter_context(hosting(stub, receivers="127.0.0.1:*", database=database))
        made = Course(records, stub, host, receivers, threads)
        for number, receiver in enumerate(receivers):
            await made.ask("POST", "/v1/flows", {"name": f"bench-{number}", "url": receiver.url})
        yield made


def call(flow: int, concurrency: int) -> Any:
    stream = {"flow": f"bench-{flow}", "concurrency": concurrency, "state": STATE}
    return {"connection": "bench", "options": {"result_set": "stream"}, "stream": stream}
