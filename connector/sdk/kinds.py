"""The kinds of value a row can have, and how loose values from flow builders are read.

Flow builders send numbers as text, booleans as "true" and text with blanks around it. What is plain is converted;
what is not is refused with a sentence that never repeats the value.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

Json = dict[str, Any]
Reader = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of value: its name in the guide's words, its JSON Schema, and its reader."""

    name: str
    schema: tuple[tuple[str, str], ...]
    read: Reader


def wrong(why: str) -> PydanticCustomError:
    """The error a reader raises: `why` is shown to the caller as it is."""
    return PydanticCustomError("wrong", "{why}", {"why": why})


def missing() -> PydanticCustomError:
    """The error a reader raises where a required value is blank."""
    return PydanticCustomError("missing", "missing")


def is_blank(value: Any) -> bool:
    """Whether it is nothing: what flow builders send for a variable that is empty."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_text(value: Any) -> str | None:
    """Text without blanks around it; numbers become their digits, blank text is nothing."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value)) if value == value // 1 else str(value)
    if value is None:
        return None
    raise wrong("must be text")


def read_number(value: Any) -> int | float | None:
    """A number, or text that is plainly one: `"6"`, `" -1.5 "`."""
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", value):
            raise wrong("must be a number")
        value = float(value) if "." in value else int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else value
    raise wrong("must be a number")


def read_boolean(value: Any) -> bool | None:
    """A boolean, or the words true and false in any case."""
    if isinstance(value, str):
        value = {"true": True, "false": False, "": None}.get(value.strip().lower(), value)
    if value is None or isinstance(value, bool):
        return value
    raise wrong("must be true or false")


def read_date(value: Any) -> str | None:
    """A moment as RFC 3339 in UTC (`2026-02-03T09:15:00Z`); ISO 8601 with a blank or an offset is read too."""
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise wrong("must be a date and time, for example 2026-02-03T09:15:00Z")
    try:
        moment = datetime.fromisoformat(re.sub(r"\s+(?=[+-])", "", value.strip()))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise wrong("must be a date and time, for example 2026-02-03T09:15:00Z") from None


def read_object(value: Any) -> Json | None:
    """An object; blank text is nothing."""
    if isinstance(value, dict):
        return value
    if is_blank(value):
        return None
    raise wrong("must be an object")


def read_list(value: Any) -> list[Any] | None:
    """A list; blank text is nothing."""
    if isinstance(value, list):
        return value
    if is_blank(value):
        return None
    raise wrong("must be a list")


TEXT = Kind("Text", (("type", "string"),), read_text)
NUMBER = Kind("Number", (("type", "number"),), read_number)
INTEGER = Kind("Number", (("type", "integer"),), read_number)
BOOLEAN = Kind("Boolean", (("type", "boolean"),), read_boolean)
DATE = Kind("Date", (("type", "string"), ("format", "date-time")), read_date)
OBJECT = Kind("Object", (("type", "object"),), read_object)
LIST = Kind("List", (("type", "array"),), read_list)
ANY = Kind("JSON", (), lambda value: value)
STATUS = Kind("Number", (("type", "integer"),), read_number)  # a kind of its own: the runner looks for it
EXPLANATION = Kind("Text", (("type", "string"),), read_text)

PLAIN = {str: TEXT, int: INTEGER, float: NUMBER, bool: BOOLEAN, dict: OBJECT, list: LIST}

Text = Annotated[str | None, TEXT, BeforeValidator(read_text)]
Number = Annotated[int | float | None, NUMBER, BeforeValidator(read_number)]
Integer = Annotated[int | None, INTEGER, BeforeValidator(read_number)]
Boolean = Annotated[bool | None, BOOLEAN, BeforeValidator(read_boolean)]
Date = Annotated[str | None, DATE, BeforeValidator(read_date)]
Object = Annotated[Json | None, OBJECT, BeforeValidator(read_object)]
List = Annotated[list[Any] | None, LIST, BeforeValidator(read_list)]
AnyJson = Annotated[Any, ANY]


def _without_slash(value: Any) -> Any:
    return value.removesuffix("/") if isinstance(value, str) else value


Origin = Annotated[str, TEXT, BeforeValidator(_without_slash)]
"""The address of a service's account, required: scheme and host; one slash at the end is left out."""

StatusCode = Annotated[int | None, STATUS, BeforeValidator(read_number)]
"""The HTTP status a service answered; when it refuses, the runner writes the refusal's status here."""

Explanation = Annotated[str | None, EXPLANATION, BeforeValidator(read_text)]
"""Text that, when the service refuses, holds what the service said."""


def choice_reader(labels: Mapping[str, str]) -> Reader:
    """A reader of one of these choices, by itself or by its label, whatever their case."""
    known = {word.casefold(): choice for choice, label in labels.items() for word in (choice, label)}

    def read(value: Any) -> str | None:
        if is_blank(value):
            return None
        choice = known.get(value.strip().casefold()) if isinstance(value, str) else None
        if choice is None:
            raise wrong(f"must be one of: {', '.join(labels)}")
        return choice

    return read


def not_blank(reader: Reader, blank: Any) -> Reader:
    """A reader for which a blank value is an error, or the default."""

    def read(value: Any) -> Any:
        found = reader(value)
        if found is None and isinstance(blank, Exception):
            raise blank
        return blank if found is None else found

    return read


@dataclass(frozen=True)
class Digits:
    """Exactly so many ASCII digits. A number is padded, since JSON numbers cannot keep a leading zero."""

    count: int

    def read(self, value: Any) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            value = str(value).zfill(self.count)
        text = read_text(value)
        if text is None or re.fullmatch(rf"[0-9]{{{self.count}}}", text):
            return text
        raise wrong(f"must be exactly {self.count} digits")
