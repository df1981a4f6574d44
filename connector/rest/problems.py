"""Every error as a problem document (RFC 9457): a slug, a sentence, the faults; never a value that was sent (ER-1)."""

import secrets
from typing import cast

import structlog
from starlette.requests import Request
from starlette.responses import Response

from connector.rest.answers import json_answer
from connector.sdk.errors import NotFound, UpcardError
from connector.sdk.kinds import Json

PROBLEM = "application/problem+json"

log = structlog.get_logger()


def problem(error: UpcardError) -> Response:
    """The answer that an error is."""
    return problem_answer(error.shown())


def problem_answer(found: Json) -> Response:
    """A problem document as an answer, with the headers it calls for."""
    headers = {"WWW-Authenticate": 'Bearer realm="upcard"'} if found["status"] == 401 else {}
    headers |= {"Retry-After": str(found["retry_after"])} if "retry_after" in found else {}
    return json_answer(found, found["status"], headers, PROBLEM)


async def on_upcard_error(_: Request, error: Exception) -> Response:
    return problem(cast(UpcardError, error))


async def on_http_error(_: Request, __: Exception) -> Response:
    """What the framework itself refuses: unknown addresses."""
    return problem(NotFound(f"{NotFound.title}."))


async def on_any_error(_: Request, error: Exception) -> Response:
    """Our own fault: the caller gets an id, the log the rest (SEC-6)."""
    id_ = secrets.token_hex(6)
    log.error("internal", id=id_, error=type(error).__name__, exc_info=error)
    return problem(UpcardError(f"Something went wrong on our side. Tell the operator this id: {id_}."))
