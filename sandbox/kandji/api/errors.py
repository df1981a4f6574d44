"""The ways Kandji refuses: one exception that carries the answer, and the wordings several endpoints share."""

from typing import Any

import orjson
from starlette.responses import Response


class Refused(Exception):
    """Ends a request with this status and JSON body: an object, a list or a plain string."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Compact JSON, as Kandji writes it."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def empty(status: int = 200) -> Response:
    """`Content-Length: 0` and no `Content-Type`, which is how actions succeed."""
    return Response(None, status)


def not_found() -> Refused:
    return Refused(404, {"detail": "Not found."})


def invalid(problems: dict[str, Any]) -> Refused:
    """Field errors as Django REST framework words them: every field with its list of problems."""
    return Refused(400, problems)


def not_allowed() -> Refused:
    return Refused(400, "Command is not allowed for current device")


def already_running() -> Refused:
    return Refused(400, "Command already running")
