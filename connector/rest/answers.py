"""Answers that are not problems: JSON in UTF-8, never cached, never sniffed."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def raw_answer(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    return Response(body, status, {**HEADERS, **(headers or {})}, media_type)


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    return raw_answer(orjson.dumps(value), status, headers, media_type)


def listed(items: list[Any], cursor: str | None = None) -> Response:
    """A list, always an object at the root; `next` is the cursor of the next page."""
    return json_answer({"items": items, "next": cursor})
