"""`python -m bench.call`: Get Device through the host, against bare servers that fetch the same device.

The host checks a key, reads the call, keeps a run and fills the outputs; the others hand the JSON through.
"""

import os
from contextlib import ExitStack

import orjson
import uvloop

from bench.host import hosting
from bench.load import Measured, load
from bench.processes import MEASURING, SERVED, Program, cpu, free_port, pin, running
from bench.stub import DEVICE
from bench.table import median, print_table, spread

ROUNDS = 5
SECONDS = 2.0
CLIENTS = (1, 16)
OURS, AIOHTTP, FASTAPI = "upcard", "aiohttp", "FastAPI + httpx"
AIMS = ((AIOHTTP, 0.4), (FASTAPI, 3.0))  # at 16 clients


def main() -> None:
    pin(MEASURING)
    with ExitStack() as stack:
        port = free_port()
        stub = stack.enter_context(running("bench.stub", port, 300, core=MEASURING, port=port))
        host = stack.enter_context(hosting(stub))
        rivals = {AIOHTTP: "aiohttp", FASTAPI: "fastapi"}
        asked = {OURS: (host.program, call(host.program, host.key))}
        for name, rival in rivals.items():
            port = free_port()
            program = stack.enter_context(running("bench.rivals", rival, port, stub.url, core=SERVED, port=port))
            asked[name] = program, get(program)
        for clients in CLIENTS:
            report(clients, rounds(asked, stub, clients))


def rounds(asked: dict[str, tuple[Program, bytes]], stub: Program, clients: int) -> dict[str, list[Measured]]:
    """One after the other, again and again, so that a slow minute meets all of them."""
    found: dict[str, list[Measured]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (program, request) in asked.items():

            def used(program: Program = program) -> list[float]:
                return [program.cpu(), stub.cpu() + cpu(os.getpid())]

            found[name].append(uvloop.run(load(program.port, request, clients, SECONDS, used)))
    return found


def report(clients: int, found: dict[str, list[Measured]]) -> None:
    rows = [
        (
            name,
            spread([one.rate for one in runs]),
            spread([one.rate / rival.rate for one, rival in zip(found[OURS], runs, strict=True)], digits=2),
            spread([one.cpu[0] / one.done * 1e6 for one in runs]),
            f"{median([one.cpu[0] / one.seconds for one in runs]):.0%}",
            f"{median([one.cpu[1] / one.seconds for one in runs]):.0%}",
        )
        for name, runs in found.items()
    ]
    head = ("server", "calls/s", "upcard / this", "CPU us/call", "its core", "other core")
    print_table(f"Get Device, {clients} clients: median of {ROUNDS} rounds (least to most)", head, rows)
    if clients == CLIENTS[-1]:
        for name, aim in AIMS:
            judge(found[OURS], found[name], name, aim)


def judge(ours: list[Measured], theirs: list[Measured], name: str, aim: float) -> None:
    """By rate; the CPU that a call takes says the same where other work disturbs the machine."""
    pairs = list(zip(ours, theirs, strict=True))
    ratio = median([one.rate / other.rate for one, other in pairs])
    by_cpu = median([other.cpu[0] / other.done / (one.cpu[0] / one.done) for one, other in pairs])
    print(f"{'met' if ratio >= aim else 'MISSED'}: {ratio:.2f} times {name} (by CPU {by_cpu:.2f}), the aim is {aim}")


def call(host: Program, key: str) -> bytes:
    """A call as a caller makes it."""
    body = orjson.dumps({"connection": "bench", "options": {"details": "basic"}, "inputs": {"device_id": DEVICE}})
    return (
        f"POST /v1/cards/kandji/get_device HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get(rival: Program) -> bytes:
    return f"GET /devices/{DEVICE} HTTP/1.1\r\nHost: 127.0.0.1:{rival.port}\r\n\r\n".encode()


if __name__ == "__main__":
    main()
