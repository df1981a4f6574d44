"""What a service says when it refuses, whatever the shape of its answer, as one short line that is safe to show."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

LONGEST = 300  # characters of the line
MOST_READ = 4096  # characters of its words that are looked at
LONGEST_PAGE = 16_384  # bytes of an HTML page that are searched for a heading
DEEPEST = 8  # levels of JSON that are looked into
SPEAKING = ("detail", "error", "errors", "message")  # the order irusdk looks in
DETAILS = "data"  # beside a message: what is wrong with which field (Assetbots)
_HEADING = re.compile(rb"<(?:h1|title)[^>]{0,200}>([^<]+)", re.IGNORECASE)


def said(body: bytes, mask: Callable[[str], str] = str) -> str:
    """The words of an error answer: empty, JSON text, list, object with detail or field names, HTML or plain text.

    They are masked before they are cut: half a secret is not recognised as one.
    """
    words = mask(_words(body.strip()))
    printable = "".join(sign if sign.isprintable() else " " for sign in words[:MOST_READ])
    return " ".join(printable.split())[:LONGEST]


def _words(body: bytes) -> str:
    if not body:
        return ""
    if body[:1] == b"<":
        heading = _HEADING.search(body[:LONGEST_PAGE])
        return heading.group(1).decode(errors="replace") if heading else "an HTML page"
    try:
        return _first(_flat(orjson.loads(body), DEEPEST))
    except orjson.JSONDecodeError:
        return body[: MOST_READ * 4].decode(errors="replace")


def _first(pieces: Iterator[str]) -> str:
    """As many pieces as are looked at, none of them cut."""
    found, length = [], 0
    for piece in pieces:
        found.append(piece)
        length += len(piece) + 1
        if length > MOST_READ:
            break
    return " ".join(found)


def _flat(value: Any, depth: int) -> Iterator[str]:
    """`["No."]` -> `No.`; `{"detail": "No."}` -> `No.`; `{"name": ["Taken."]}` -> `name: Taken.`

    `{"error": {"code": "E1", "message": "No.", "data": {"name": "Taken."}}}` -> `No. name: Taken.`
    """
    if depth == 0:
        yield "…"
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item, depth - 1)
    elif isinstance(value, dict):
        speaking = next((value[key] for key in SPEAKING if value.get(key)), None)
        if speaking:
            yield from _flat(speaking, depth - 1)
            if value.get("message") is speaking and isinstance(value.get(DETAILS), dict):
                yield from _flat(value[DETAILS], depth - 1)
            return
        for key, item in value.items():
            yield f"{key}:"
            yield from _flat(item, depth - 1)
    else:
        yield "" if value is None else str(value)
