"""Values made comparable: what differs only in escaping, blanks, time zone or number form is the same."""

import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from html.entities import html5
from typing import Any

from connector.sdk.inventory import Kind, Value

Steps = tuple[str | int, ...]

PATH = r"^[A-Za-z_]\w*(\[\d+\])*(\.\w+(\[\d+\])*)*$"
TRUE, FALSE = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}
GIGABYTES = {"KB": 1e-6, "MB": 1e-3, "GB": 1, "TB": 1e3}
ESCAPED = re.compile(r"&(#\d{1,7}|#x[0-9a-f]{1,6}|\w+);", re.IGNORECASE | re.ASCII)


def normal(value: Any, kind: Kind = "text") -> Value:
    """A value in the one form in which both sides are compared; empty is None."""
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(sorted({text for each in value if (text := _text(each))})) or None
    text = _text(value)
    return text if text is None else FORMS[kind](text)


def fold(value: Value) -> Value:
    """A value whose case does not count."""
    if isinstance(value, tuple):
        return tuple(each.casefold() for each in value)
    return value.casefold() if isinstance(value, str) else value


def cut(value: Value, length: int | None) -> Value:
    """Text as a field of this length keeps it."""
    if length is None or not isinstance(value, str) or len(value) <= length:
        return value
    return value[:length].rstrip() or None


def transformed(value: Value, names: tuple[str, ...]) -> Value:
    """A value after the mapping's transforms, in their order."""
    for name in names:
        value = TRANSFORMS[name](value) if value is not None else None
    return value


def looked_up(value: Value, table: Mapping[str, str]) -> Value:
    """A value's entry in a value table; `*` stands for all others, and without it they stay."""
    if not table or value is None:
        return value
    return table.get(str(value), table.get("*", value))


@cache
def steps(path: str) -> Steps:
    """`details.volumes[0].capacity` -> its keys and places."""
    return tuple(int(place) if place else key for key, place in re.findall(r"(\w+)(?!\])|\[(\d+)\]", path))


def walk(record: Any, path: Steps) -> Any:
    """What stands at a path; None where there is nothing."""
    for step in path:
        if isinstance(step, int):
            record = record[step] if isinstance(record, list | tuple) and step < len(record) else None
        else:
            record = record.get(step) if isinstance(record, Mapping) else None
    return record


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return (ESCAPED.sub(_unescaped, value) if "&" in value else value).strip() or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else None  # an object is no value: a path leads into it


def _unescaped(found: re.Match[str]) -> str:
    """The sign that an escape stands for; HTML takes `&notes` for one too, and people write that."""
    is_one = found[1].startswith("#") or f"{found[1]};" in html5
    return html.unescape(found[0]) if is_one else found[0]


def _number(text: str) -> Value:
    if not re.fullmatch(r"-?\d{1,15}(\.\d+)?", text):
        return text  # also what has more digits, such as an ICCID: as a number it would lose some
    return int(float(text)) if float(text).is_integer() else float(text)


def _boolean(text: str) -> Value:
    word = text.casefold()
    return True if word in TRUE else False if word in FALSE else text


def _moment(text: str) -> datetime | None:
    """A time as services write it; one without a zone is taken for UTC."""
    try:
        found = datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", text))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter in the first and the last year that there are
        return None


def _date(text: str) -> Value:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text) or (found := _moment(text)) is None:
        return text
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(value: Value) -> Value:
    found = _moment(str(value))
    return found.strftime("%Y-%m-%d") if found else value


def _mac(joint: str) -> Callable[[Value], Value]:
    def write(value: Value) -> Value:
        digits = re.sub(r"[^0-9A-Fa-f]", "", str(value)).upper()
        return joint.join(re.findall("..", digits)) if len(digits) == 12 else value

    return write


def _size_gb(value: Value) -> Value:
    found = re.fullmatch(r"([\d,]{0,20}\.?\d{1,20})\s*([KMGT]B)?", str(value).upper())
    return str(round(float(found[1].replace(",", "")) * GIGABYTES[found[2] or "GB"])) if found else value


def _yes_no(value: Value) -> Value:
    found = _boolean(str(value))
    return ("Yes" if found else "No") if isinstance(found, bool) else value


FORMS: dict[Kind, Callable[[str], Value]] = {"text": str, "number": _number, "boolean": _boolean, "date": _date}
TRANSFORMS: dict[str, Callable[[Value], Value]] = {
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
    "date": _day,
    "digits": lambda value: re.sub(r"\D", "", str(value)) or None,
    "join": lambda value: ", ".join(value) if isinstance(value, tuple) else value,
    "mac_colons": _mac(":"),
    "mac_plain": _mac(""),
    "size_gb": _size_gb,
    "yes_no": _yes_no,
}
EVEN = frozenset({"upper", "lower", "mac_colons", "mac_plain"})  # the same value, written another way: may travel back
