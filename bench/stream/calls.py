"""What streams do to other calls of the same host."""

import asyncio
import time
from statistics import quantiles

from bench.call import call
from bench.stream.course import Course, course
from bench.stream.figure import at_most, plain
from bench.wire import END, LENGTH

AIM = 50  # milliseconds
MANY = 8  # streams at once, for information


async def calls(records: int) -> None:
    """Get Device from one client, one call after the other, while streams run at full speed."""
    at_most(*await p99(1, records), AIM, " ms", digits=1)
    plain(*await p99(MANY, records), " ms", digits=1)


async def p99(streams: int, records: int) -> tuple[str, float]:
    """The figure, after what it is: the rest of what there is to say."""
    async with course(records // streams, flows=streams) as by:
        times = await called(by)
    middle, figure = (quantiles(times, n=100)[at - 1] for at in (50, 99))
    rest = f"of {len(times):,}; p50 {middle:.1f} ms, most {max(times):.1f} ms"
    return f"p99 of Get Device, streams beside it: {streams} ({rest})", figure


async def called(by: Course) -> list[float]:
    """Milliseconds of each call, from when all streams are under way until the first of them ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", by.host.program.port)
    request, times = call(by.host.program, by.host.key), []
    streams = [asyncio.create_task(by.stream(flow)) for flow in range(len(by.receivers))]
    for receiver in by.receivers:
        await receiver.reaches(1)
    while not any(stream.done() for stream in streams):
        began = time.perf_counter()
        writer.write(request)
        await answer(reader)
        times.append((time.perf_counter() - began) * 1e3)
    writer.close()
    await asyncio.gather(*streams)
    return times


async def answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(END)
    length = LENGTH.search(head)
    assert head.startswith(b"HTTP/1.1 200"), head
    assert length, head
    await reader.readexactly(int(length[1]))
