"""What the gateway in front of Kandji says itself, and the headers that every answer carries."""

from collections.abc import Mapping
from uuid import uuid4

import orjson
from starlette.responses import Response

# As recorded from a real tenant (2022 to 2024).
HEADERS = {
    "Vary": "Origin",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "base-uri 'none'; frame-ancestors 'none'; form-action 'none'; default-src 'none'",
    "Via": "kong/3.4.2",
}

# Kong's own words for what its upstream did.
MESSAGES = {
    429: "API rate limit exceeded",
    500: "An unexpected error occurred",
    502: "An invalid response was received from the upstream server",
    503: "The upstream server is currently unavailable",
    504: "The upstream server is timing out",
}

PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def no_route() -> Response:
    return _message(404, "no Route matched with those values")


def failure(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return _message(status, MESSAGES.get(status, "Error"), headers)


def html(status: int) -> Response:
    """A page for people where JSON was expected."""
    return Response(PAGE.format("Sign in" if status < 400 else "Not Found"), status, media_type="text/html")


def _message(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"message": message} if status == 429 else {"message": message, "request_id": uuid4().hex}
    return Response(orjson.dumps(body), status, headers, media_type="application/json; charset=utf-8")
