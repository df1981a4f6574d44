"""What a service says when it refuses, whatever the shape of its answer, as one short line that is safe to show."""

import re
from typing import Any

import orjson

LONGEST = 300
LONGEST_PAGE = 16_384  # bytes of an HTML page that are searched for a heading
DEEPEST = 8
SPEAKING = ("detail", "error", "errors", "message")  # the order irusdk looks in
_HEADING = re.compile(rb"<(?:h1|title)[^>]{0,200}>([^<]{1,1200})", re.IGNORECASE)


def said(body: bytes) -> str:
    """The words of an error answer: empty, JSON text, list, object with detail or field names, HTML or plain text."""
    words = _words(body.strip())
    printable = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(printable.split())[:LONGEST]


def _words(body: bytes) -> str:
    if not body:
        return ""
    if body[:1] == b"<":
        heading = _HEADING.search(body[:LONGEST_PAGE])
        return heading.group(1).decode(errors="replace") if heading else "an HTML page"
    try:
        return _flat(orjson.loads(body), DEEPEST)
    except orjson.JSONDecodeError:
        return body[: LONGEST * 4].decode(errors="replace")


def _flat(value: Any, depth: int) -> str:
    """`["No."]` -> `No.`; `{"detail": "No."}` -> `No.`; `{"name": ["Taken."]}` -> `name: Taken.`"""
    if depth == 0:
        return "…"
    if isinstance(value, list):
        return " ".join(_flat(item, depth - 1) for item in value)
    if isinstance(value, dict):
        speaking = next((value[key] for key in SPEAKING if value.get(key)), None)
        if speaking:
            return _flat(speaking, depth - 1)
        return " ".join(f"{key}: {_flat(item, depth - 1)}" for key, item in value.items())
    return "" if value is None else str(value)
