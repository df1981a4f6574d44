"""Every error as a problem document (RFC 9457): a slug, a sentence, the faults; never a value that was sent (ER-1)."""

import math
import secrets

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from connector.rest.answers import json_answer
from connector.sdk.errors import MethodNotAllowed, NotFound, Throttled, Unauthenticated, UpcardError
from connector.sdk.kinds import Json

PROBLEM = "application/problem+json"
WAIT = 30  # seconds to wait where a service asks for time without saying how much

log = structlog.get_logger()


def problem(error: UpcardError, run: str | None = None) -> Response:
    """The answer that an error is."""
    found: Json = {"type": error.slug, "title": error.title, "status": error.status, "detail": error.detail}
    found["retry"] = error.retry
    if run:
        found["run"] = run
    if error.faults:
        found["errors"] = [{"at": fault.at, "why": fault.why} for fault in error.faults]
    if error.service:
        found["service"] = {"status": error.service.status, "said": error.service.said}
    return json_answer(found, error.status, _headers(error), PROBLEM)


def _headers(error: UpcardError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="upcard"'}
    if error.retry_after is not None or isinstance(error, Throttled):
        return {"Retry-After": str(math.ceil(error.retry_after or WAIT))}
    return {}


async def on_upcard_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, UpcardError)  # noqa: S101
    return problem(error)


async def on_http_error(_: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown addresses and methods."""
    assert isinstance(error, HTTPException)  # noqa: S101
    known = MethodNotAllowed if error.status_code == 405 else NotFound
    answer = problem(known(f"{known.title}."))
    answer.headers.update(error.headers or {})
    return answer


async def on_any_error(_: Request, error: Exception) -> Response:
    """Our own fault: the caller gets an id, the log the rest (SEC-6)."""
    id_ = secrets.token_hex(6)
    log.error("internal", id=id_, error=type(error).__name__, exc_info=error)
    return problem(UpcardError(f"Something went wrong on our side. Tell the operator this id: {id_}."))
