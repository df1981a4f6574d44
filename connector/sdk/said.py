"""What a service says when it refuses, whatever the shape of its answer, as one short line that is safe to show."""

import re
from typing import Any

import orjson

LONGEST = 300
SPEAKING = ("detail", "error", "errors", "message")  # the order irusdk looks in
_HEADING = re.compile(rb"<(?:h1|title)[^>]*>(.*?)</", re.IGNORECASE | re.DOTALL)


def said(body: bytes) -> str:
    """The words of an error answer: empty, JSON text, list, object with detail or field names, HTML or plain text."""
    words = _words(body.strip())
    printable = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(printable.split())[:LONGEST]


def _words(body: bytes) -> str:
    if not body:
        return ""
    if body[:1] == b"<":
        heading = _HEADING.search(body)
        return heading.group(1).decode(errors="replace") if heading else "an HTML page"
    try:
        return _flat(orjson.loads(body))
    except orjson.JSONDecodeError:
        return body[: LONGEST * 4].decode(errors="replace")


def _flat(value: Any) -> str:
    """`["No."]` -> `No.`; `{"detail": "No."}` -> `No.`; `{"name": ["Taken."]}` -> `name: Taken.`"""
    if isinstance(value, list):
        return " ".join(_flat(item) for item in value)
    if isinstance(value, dict):
        speaking = next((value[key] for key in SPEAKING if value.get(key)), None)
        return _flat(speaking) if speaking else " ".join(f"{key}: {_flat(item)}" for key, item in value.items())
    return "" if value is None else str(value)
