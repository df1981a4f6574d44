"""`python -m bench.trust`: what keys, scopes, policy, run records and the audit cost a call.

The same host twice, with and without them, in turns; then a key's check by itself, and a write with an Idempotency-Key.
"""

import time
from contextlib import ExitStack

import orjson

from bench.call import ROUNDS, call, rounds
from bench.host import hosting
from bench.load import Measured
from bench.processes import MEASURING, Program, free_port, pin, running
from bench.stub import DEVICE
from bench.table import median, print_table, spread
from connector.engine.keys import Keys
from connector.engine.store import Store
from connector.rest.admission import Admission

CLIENTS = 16
WITH, WITHOUT = "with", "without"
READ_AIM = 0.85  # of the host without
CHECK_AIM = 0.2  # ms
CHECKS, KEYS = 20_000, 1_000


def main() -> None:
    pin(MEASURING)
    with ExitStack() as stack:
        port = free_port()
        stub = stack.enter_context(running("bench.stub", port, 300, core=MEASURING, port=port))
        hosts = {WITH: stack.enter_context(hosting(stub)), WITHOUT: stack.enter_context(hosting(stub, trusting=True))}
        reads = {name: (host.program, call(host.program, host.key)) for name, host in hosts.items()}
        report("Get Device", rounds(reads, stub, CLIENTS), READ_AIM)
        writes = {name: (host.program, write(host.program, host.key)) for name, host in hosts.items()}
        report("Send MDM Blank Push", rounds(writes, stub, CLIENTS), None)
    milliseconds = key_check()
    verdict = "met" if milliseconds < CHECK_AIM else "MISSED"
    print(f"{verdict}, the aim is {CHECK_AIM}: {milliseconds:.4f} ms to check a key, of {KEYS}")


def report(title: str, found: dict[str, list[Measured]], aim: float | None) -> None:
    rows = [
        (name, spread([one.rate for one in runs]), spread([one.cpu[0] / one.done * 1e6 for one in runs]))
        for name, runs in found.items()
    ]
    print_table(f"{title}, {CLIENTS} clients, {ROUNDS} rounds", ("trust", "calls/s", "CPU us/call"), rows)
    pairs = list(zip(found[WITH], found[WITHOUT], strict=True))
    ratio = median([one.rate / other.rate for one, other in pairs])
    by_cpu = median([other.cpu[0] / other.done / (one.cpu[0] / one.done) for one, other in pairs])
    verdict = "" if aim is None else f"{'met' if ratio >= aim else 'MISSED'}, the aim is {aim}: "
    print(f"{verdict}{ratio:.2f} of the host without (by CPU {by_cpu:.2f})")


def write(host: Program, key: str) -> bytes:
    """A call that changes something, of no consequence."""
    body = orjson.dumps({"connection": "bench", "inputs": {"device_id": DEVICE}})
    return (
        f"POST /v1/cards/kandji/send_mdm_blank_push HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def key_check() -> float:
    """Milliseconds from a request's headers to its caller, of many keys."""
    store = Store("sqlite://")
    store.migrate()
    keys = Keys(store)
    made = [keys.mint("bench") for _ in range(KEYS)]
    admission = Admission(keys, 1e9)
    scopes = [{"headers": [(b"authorization", f"Bearer {key}".encode())]} for key in made]
    began = time.perf_counter()
    for number in range(CHECKS):
        admission.admit(scopes[number % KEYS])
    return (time.perf_counter() - began) / CHECKS * 1000


if __name__ == "__main__":
    main()
