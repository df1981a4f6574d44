"""Read a request's body strictly, before anything else looks at it (ER-2, AU-9).

One JSON object in UTF-8, 1 MiB at most. Refused: NaN, infinities, whole numbers beyond 64 bits, a member named twice,
lone surrogates, NUL, more than 64 levels or 10,000 members, compressed bodies. How long a body takes to come is the
server's to limit (cli/protocol.py).
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from connector.sdk.errors import InvalidCall, RequestTimeout, TooLarge, UnsupportedMediaType
from connector.sdk.kinds import Json

LARGEST = 1024 * 1024  # bytes
DEEPEST = 64  # levels
MOST_MEMBERS = 10_000


async def read_body(request: Request) -> Json:
    """The object in the body; an empty body is an empty object. Raises InvalidCall, TooLarge, UnsupportedMediaType."""
    raw = await _raw(request)
    if not raw:
        return {}
    _refuse_other_media(request)
    found = parse(raw)
    if not isinstance(found, dict):
        raise InvalidCall("The body must be a JSON object.")
    return found


def parse(raw: bytes) -> Any:
    """Strict JSON. Raises InvalidCall without repeating any of it."""
    try:
        found = DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise InvalidCall("The body is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidCall(f"The body is nested deeper than {DEEPEST} levels.") from error
    except json.JSONDecodeError as error:
        raise InvalidCall(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:  # a whole number of more than 4300 digits
        raise InvalidCall("The body has a number that is too long.") from error
    if _may_have_more(raw):
        for members, (value, depth) in enumerate(_values(found, 1)):
            _refuse(value, depth, members)
    return found


def _may_have_more(raw: bytes) -> bool:
    """Whether it could be too deep or too large, or hold text that JSON can only have escaped: few bodies could."""
    openings = raw.count(b"{") + raw.count(b"[")
    return openings >= DEEPEST or openings + raw.count(b",") >= MOST_MEMBERS or b"\\u" in raw


def _refuse(value: Any, depth: int, members: int) -> None:
    if depth > DEEPEST:
        raise InvalidCall(f"The body is nested deeper than {DEEPEST} levels.")
    if members > MOST_MEMBERS:
        raise InvalidCall(f"The body has more than {MOST_MEMBERS} members.")
    if isinstance(value, str):
        _refuse_text(value)


def _refuse_text(text: str) -> None:
    if "\0" in text or not _encodes(text):
        raise InvalidCall("The body has text with a NUL or half a surrogate pair in it.")


def _values(value: Any, depth: int) -> Iterator[tuple[Any, int]]:
    """Every value with its depth; keys are looked at on the way. Never deeper than is allowed."""
    yield value, depth
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_text(key)
            yield from _values(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, depth + 1)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _members(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidCall("The body has an object with two members of one name.")
    return found


def _whole(digits: str) -> int:
    if not -(2**63) <= (found := int(digits)) < 2**63:
        raise InvalidCall("The body has a number that is too long.")
    return found


def _finite(digits: str) -> float:
    if not math.isfinite(found := float(digits)):
        raise InvalidCall("The body has a number that is not finite.")
    return found


def _no_constant(_: str) -> NoReturn:
    raise InvalidCall("The body has a number that is not finite.")


async def _raw(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST:
        raise TooLarge("The body is larger than 1 MiB.")
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > LARGEST:
                raise TooLarge("The body is larger than 1 MiB.")
    except ClientDisconnect as error:
        raise RequestTimeout("The body broke off.") from error
    return bytes(raw)


def _refuse_other_media(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType("Send the body as Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")


DECODER = json.JSONDecoder(  # made once: that takes as long as to read a usual body
    object_pairs_hook=_members, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite
)
