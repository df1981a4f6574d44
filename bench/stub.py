"""A Kandji that costs next to nothing: a fleet made of one pre-encoded record with varying ids. No rate limit.

`python -m bench.stub PORT DEVICES`
"""

import asyncio
import re
import sys
from functools import partial

import uvloop

from bench.wire import Answering, response

RECORD = (
    b'{"device_id":"5f4c1a70-3a52-4c1b-9d2e-%012d","device_name":"Ada\'s MacBook Pro",'
    b'"model":"MacBook Pro (14-inch, Nov 2023)","serial_number":"C02%09d","platform":"Mac","os_version":"14.4.1",'
    b'"supplemental_build_version":"23E224","supplemental_os_version_extra":"","last_check_in":'
    b'"2026-11-20T09:15:27.713094Z","user":{"email":"ada.lovelace@example.com","name":"Ada Lovelace","id":'
    b'"c2a8f6de-5b7e-4d0c-8a53-20c1d6f14f0b","is_archived":false},"asset_tag":"A-1042",'
    b'"blueprint_id":"9d1f2c3b-7a66-4b0e-bb0c-6a1c5d9e8f72","mdm_enabled":true,"agent_installed":true,'
    b'"is_missing":false,"is_removed":false,"agent_version":"4.5.2 (4829)","first_enrollment":'
    b'"2024-02-03 09:15:00.713094+00:00","last_enrollment":"2024-02-03 09:15:00.713094+00:00",'
    b'"blueprint_name":"Engineering","lost_mode_status":"","tags":["laptop","engineering"]}'
)
DEVICE = "5f4c1a70-3a52-4c1b-9d2e-000000000007"
ONE = re.compile(rb"GET /api/v1/devices/[0-9a-f-]{24}(\d{12}) ")
LIMIT, OFFSET = re.compile(rb"[?&]limit=(\d+)"), re.compile(rb"[?&]offset=(\d+)")


def answer(devices: int, head: bytes, _: bytes) -> bytes:
    """The device of the path, or the page of the query."""
    if one := ONE.match(head):
        return response(RECORD % (number := int(one[1]), number))
    begin = _number(OFFSET, head, 0)
    page = range(begin, min(begin + _number(LIMIT, head, 300), devices))
    return response(b"[" + b",".join([RECORD % (number, number) for number in page]) + b"]")


def _number(key: re.Pattern[bytes], head: bytes, default: int) -> int:
    found = key.search(head)
    return int(found[1]) if found else default


async def serve(port: int, devices: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(partial(answer, devices)), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(*map(int, sys.argv[1:])))
