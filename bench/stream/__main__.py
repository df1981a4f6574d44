"""`python -m bench.stream [NAME …]`: List Devices streamed to helper flows; figures with their aims, met or MISSED.

Ends with 1 if records are lost, or came more often than they may; a missed aim alone is no error.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Coroutine

import uvloop

from bench.processes import MEASURING, pin
from bench.receiver import Wrong
from bench.stream.calls import calls
from bench.stream.eight import eight
from bench.stream.first import first
from bench.stream.memory import memory
from bench.stream.million import million
from bench.stream.rate import rate
from bench.stream.redeliver import redeliver
from bench.stream.slow import slow

Row = Callable[[int], Coroutine[None, None, None]]

ROWS: dict[str, tuple[Row, int]] = {  # what measures it, and how many records a stream of it has
    "rate": (rate, 20_000),
    "million": (million, 1_000_000),
    "eight": (eight, 10_000),
    "memory": (memory, 1_000_000),
    "first": (first, 300),
    "calls": (calls, 60_000),
    "slow": (slow, 20_000),
    "redeliver": (redeliver, 100_000),
}


def main() -> None:
    wanted = arguments().parse_args()
    pin(MEASURING)
    names = ROWS if "all" in wanted.names else wanted.names
    held = [holds(name, wanted.records) for name in names]
    sys.exit(0 if all(held) else 1)


def holds(name: str, records: int | None) -> bool:
    """Measure a row; whether every record came as often as it should."""
    row, usual = ROWS[name]
    print(f"\n{name}: {inspect.getdoc(row)}", flush=True)
    try:
        uvloop.run(row(records or usual))
    except Wrong as wrong:
        print(f"{name}: {wrong}")
        return False
    return True


def arguments() -> argparse.ArgumentParser:
    lines = [f"  {name:10}{usual:>10,}  {inspect.getdoc(row)}" for name, (row, usual) in ROWS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m bench.stream",
        description=__doc__,
        epilog="\n".join(["rows, and the records of a stream:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", choices=["all", *ROWS], default="all", help="a row, or all")
    parser.add_argument("--records", type=int, help="other than a row's own number, which its aims are for")
    return parser


if __name__ == "__main__":
    main()
