"""The form of answers: the envelope of writes, in which errors come with HTTP 200, lists, and pages of these."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.snipeit.database import Database, Row
from sandbox.snipeit.rules import Invalid


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def envelope(status: str, payload: Any, messages: Any) -> dict[str, Any]:
    return {"status": status, "messages": messages, "payload": payload}


def done(payload: Any, messages: Any) -> Response:
    return answer(envelope("success", payload, messages))


def failure(status: int, messages: Any, payload: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    return answer(envelope("error", payload, messages), status, headers)


def page(
    database: Database, request: Request, found: Sequence[Any], shape: Callable[[Database, Any], dict[str, Any]]
) -> Response:
    """Sorted as asked, newest first when not; a limit that is none or too much is MAX_RESULTS, silently."""
    asked = request.query_params
    rows = sorted(found, key=_sorted_by(asked.get("sort", "")), reverse=asked.get("order") != "asc")
    most, limit = database.settings.max_results, _number(asked.get("limit"))
    size = limit if 0 < limit <= most else most
    offset = min(_number(asked.get("offset")), len(rows))
    return whole(database, rows[offset : offset + size], shape, len(rows))


def whole(
    database: Database, rows: Sequence[Any], shape: Callable[[Database, Any], dict[str, Any]], total: int | None = None
) -> Response:
    return answer({"total": len(rows) if total is None else total, "rows": [shape(database, row) for row in rows]})


async def body_of(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Invalid("Invalid JSON")
    return body


def _sorted_by(key: str) -> Callable[[Row], Any]:
    if key == "updated_at":
        return lambda row: (row.updated, row.id)
    return (lambda row: row.id) if key == "id" else (lambda row: (row.created, row.id))


def _number(text: str | None) -> int:
    """As PHP's intval reads it, without the signs."""
    return int(text) if text and text.isdecimal() else 0
