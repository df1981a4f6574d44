"""A loop without anything around it: page the stub, post each record. No signatures, no retries, no bookkeeping.

`python -m bench.loop STUB RECEIVER CONCURRENCY` prints the records, the seconds and the seconds of CPU that it took.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import orjson
import uvloop

PAGE = 300  # as the card asks for
STATE = {"for": "bench"}


async def main(stub: str, receiver: str, concurrency: int) -> None:
    connector = aiohttp.TCPConnector(limit=256)  # as the host's
    async with aiohttp.ClientSession(connector=connector) as session:
        began, cpu, records = time.perf_counter(), time.process_time(), 0
        while page := await fetch(session, stub, records):
            waiting = iter(page)
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(post(session, receiver, waiting))
            records += len(page)
        print(records, time.perf_counter() - began, time.process_time() - cpu)


async def fetch(session: aiohttp.ClientSession, stub: str, offset: int) -> list[Any]:
    query = {"limit": PAGE, "offset": offset}
    async with session.get(f"{stub}/api/v1/devices", params=query) as answer:
        found: list[Any] = orjson.loads(await answer.read())
        return found


async def post(session: aiohttp.ClientSession, receiver: str, waiting: Iterator[Any]) -> None:
    headers = {"Content-Type": "application/json"}
    for record in waiting:
        body = orjson.dumps({"Record": record, "State": STATE})
        async with session.post(receiver, data=body, headers=headers) as answer:
            assert answer.status == 204


if __name__ == "__main__":
    gc.collect()
    gc.freeze()  # as the host does
    _, stub, receiver, concurrency = sys.argv
    uvloop.run(main(stub, receiver, int(concurrency)))
