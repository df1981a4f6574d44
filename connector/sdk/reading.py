"""Read what a caller gave into a table, or say everything that is wrong with it at once."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.sdk.errors import MOST_FAULTS, Fault, InvalidCall
from connector.sdk.kinds import Json
from connector.sdk.tables import CardInputs, Table, rows

T = TypeVar("T", bound=Table)

LIMITS = {
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_pattern_mismatch": "does not have the right form",
    "int_type": "must be a whole number",
    "finite_number": "must be a finite number",
}


def read(table: type[T], given: Any, at: str, noun: str = "input") -> T | list[Fault]:
    """The table filled from `given`, or its faults, 100 at most. `at`: its place in the call, `noun`: what a row is."""
    if not isinstance(given, dict):
        return [Fault(at, "must be an object")]
    try:
        filled = table.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
        return [_fault(detail, table, at, noun) for detail in found]
    return list(_none_of(filled, at)) or filled


def accept(table: type[T], given: Any, at: str = "", noun: str = "field") -> T:
    """The table filled from `given`. Raises InvalidCall with every fault."""
    filled = read(table, given, at, noun)
    if isinstance(filled, list):
        raise InvalidCall.of(filled)
    return filled


def refuse_blank(given: Json, at: str = "") -> None:
    """For what has no limit where it is left out: blank text is a variable that was empty, not a decision."""
    if blank := [key for key, value in given.items() if isinstance(value, str) and not value.strip()]:
        why = "Blank text says nothing here: leave it out, or say null."
        raise InvalidCall.of([Fault(f"{at}/{key}" if at else key, why) for key in blank])


def _fault(detail: ErrorDetails, table: type[Table], at: str, noun: str) -> Fault:
    path = [str(step) for step in detail["loc"]]
    return Fault("/".join([at, *path] if at else path), _why(detail, table, path[0] if path else "", noun))


def _why(detail: ErrorDetails, table: type[Table], key: str, noun: str) -> str:
    known = {row.key: row for row in rows(table)}
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(key, known, n=1)
        return f"There is no {noun} of this name." + (f" Did you mean {near[0]}?" if near else "")
    if key in known and detail["type"] in ("missing", "string_type", "literal_error"):
        return known[key].asked_for(noun)
    label = known[key].label if key in known else key
    if detail["type"] == "wrong":
        return f"{label} {detail['ctx']['why']}."
    return f"{label} {LIMITS.get(detail['type'], 'is not valid').format(**detail.get('ctx', {}))}."


def _none_of(filled: Table, at: str) -> Iterator[Fault]:
    wanted = filled.any_of if isinstance(filled, CardInputs) else ()
    if wanted and all(getattr(filled, key) is None for key in wanted):
        labels = [row.label for row in rows(type(filled)) if row.key in wanted]
        yield Fault(at, f"Enter at least one of: {', '.join(labels)}.")
