"""How commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from connector.cli.ask import OK, ask, failed
from connector.sdk.kinds import Json

LONGEST_LINE = 10_000  # characters


def open_console() -> Console:
    """In a pipe lines are as long as what they say, so that they can be searched."""
    console = Console()
    if not console.is_terminal:
        console.width = LONGEST_LINE
    return console


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_items(path: str, table: Callable[[list[Json]], Table], *, as_json: bool) -> int:
    """What the host lists at a path, as a table or as JSON; returns the exit status."""
    status, answer = ask("GET", path)
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer["items"])
    else:
        open_console().print(table(answer["items"]), markup=False)
    return OK
