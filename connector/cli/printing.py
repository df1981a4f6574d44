"""How commands print: tables for people, JSON for programs."""

import json
import sys

from rich.console import Console

LONGEST_LINE = 10_000


def open_console() -> Console:
    """In a pipe lines are as long as what they say, so that they can be searched."""
    console = Console()
    if not console.is_terminal:
        console.width = LONGEST_LINE
    return console


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
