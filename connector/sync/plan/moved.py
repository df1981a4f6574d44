"""What of a plan from before does not hold any more: one side has moved since, be it the one that values come from."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from connector.sync.entities import Change
from connector.sync.plan.plan import Plan

WHY = "what it was planned from has moved since"


def moved(lines: Iterable[Change], now: Plan, unknown: Collection[str]) -> list[int]:
    """The lines, by `seq`, that would not be planned now. Of `unknown` fields the plan of now says nothing.

    A handover is a check-in and a checkout: both hold, or neither does.
    """
    before, after = _by_place(lines), _by_place(now.changes)
    return [
        line.seq
        for place, some in before.items()
        if place[1] not in unknown and _says(some) != _says(after.get(place, []))
        for line in some
    ]


def _by_place(lines: Iterable[Change]) -> dict[tuple[str, str | None], list[Change]]:
    """By record and field; that a column is created is of no record."""
    found: dict[tuple[str, str | None], list[Change]] = {}
    for line in lines:
        if line.op != "create_field":
            found.setdefault((line.target, line.field), []).append(line)
    return found


def _says(lines: list[Change]) -> list[tuple[Any, ...]]:
    """What a new record is given is not looked at: it is written as planned."""
    return [(line.op, None if isinstance(line.after, Mapping) else line.after) for line in lines]
