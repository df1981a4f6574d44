"""The door of the simulated server: what it limits, who gets in, and how it says no."""

import math
from collections.abc import Mapping
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.admin import admin
from sandbox.door import PAGE, Door
from sandbox.faults import Fault
from sandbox.snipeit.admin import CALLS
from sandbox.snipeit.answers import answer, failure
from sandbox.snipeit.api import PREFIX, ROUTES
from sandbox.snipeit.database import Database, Settings


class Sandbox(Door):
    """An ASGI app with one server behind it; the admin calls may replace it."""

    prefix, called = PREFIX, "database"

    def __init__(self, settings: Settings) -> None:
        super().__init__(Router(ROUTES, redirect_slashes=False, default=_no_route), admin(self, CALLS))
        self.database = Database(settings)

    @property
    def held(self) -> Database:
        return self.database

    def limited(self) -> tuple[ASGIApp | None, Mapping[str, str]]:
        wait = self.database.throttle.take()
        return None if wait is None else _throttled(self.database, wait), {}

    def answering(self, fault: Fault, scope: Scope) -> ASGIApp:
        """The API is for who has the token and takes JSON."""
        if fault.kind == "status":
            return _failed(fault.status or 500, fault.retry_after)
        if fault.kind == "html":
            return Response(PAGE.format("Sign in"), fault.status or 200, media_type="text/html")
        given = Request(scope).headers
        if compare_digest(given.get("authorization", "").encode(), f"Bearer {self.database.token}".encode()):
            return self._api
        if "json" not in given.get("accept", ""):
            return RedirectResponse("/login", 302)
        return answer({"error": "Unauthorized or unauthenticated."}, 401)


def _failed(status: int, retry_after: str | None) -> Response:
    return failure(status, status, None, {"Retry-After": retry_after} if retry_after else None)


def _throttled(database: Database, wait: float) -> Response:
    seconds = math.ceil(wait)
    headers = {"X-RateLimit-Limit": str(database.settings.per_minute), "X-RateLimit-Remaining": "0"}
    if not database.settings.retry_after:
        return failure(429, "Too many requests", None, headers)
    words = f"Too many requests. Try again in {seconds} seconds"
    return failure(429, words, {"retry-after": seconds}, {**headers, "Retry-After": str(seconds)})


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Below the API an envelope, elsewhere a page."""
    if scope["path"].startswith(PREFIX):
        await failure(404, "404 endpoint not found")(scope, receive, send)
    else:
        await Response(PAGE.format("Page not found"), 404, media_type="text/html")(scope, receive, send)
