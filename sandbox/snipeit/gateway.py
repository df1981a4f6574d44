"""The door of the sandbox: admin calls pass, everything else is logged, limited, perhaps made to fail, and answered."""

import asyncio
import math
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import wire
from sandbox.admin import ADMIN, admin
from sandbox.faults import Fault
from sandbox.log import Entry
from sandbox.snipeit.admin import CALLS
from sandbox.snipeit.answers import answer, failure
from sandbox.snipeit.api import PREFIX, ROUTES
from sandbox.snipeit.database import Database, Settings

NO_FAULT = Fault("latency")
PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Sandbox:
    """An ASGI app with one server behind it; the admin calls may replace it."""

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings)
        self._api = Router(ROUTES, redirect_slashes=False, default=_no_route)
        self._admin = admin(self, CALLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
        elif scope["path"].startswith(ADMIN):
            await self._admin(scope, receive, send)
        else:
            await self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        database, query = self.database, scope["query_string"].decode("latin-1")
        entry = Entry(scope["method"], scope["path"].removeprefix(PREFIX), query, database.clock.now())
        scope["state"] = {**scope.get("state", {}), "database": database, "entry": entry}
        database.log.begin(entry)
        try:
            await self._limited(database, entry, scope, receive, send)
        finally:
            database.log.end(entry)

    async def _limited(self, database: Database, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        wait = database.throttle.take()
        if wait is not None:
            await wire.stamped(_throttled(database, wait), entry, {})(scope, receive, send)
            return
        faults = database.faults.strike(entry.method, entry.path)
        entry.fault = " ".join(fault.kind for fault in faults)
        await asyncio.sleep(sum(fault.milliseconds for fault in faults) / 1000)
        last = faults[-1] if faults else NO_FAULT
        await wire.sent(last, wire.stamped(self._answering(database, last, scope), entry, {}), scope, receive, send)

    def _answering(self, database: Database, fault: Fault, scope: Scope) -> ASGIApp:
        """What answers instead of the API, or the API itself, for who has the token and takes JSON."""
        if fault.kind == "status":
            return _failed(fault.status or 500, fault.retry_after)
        if fault.kind == "html":
            return Response(PAGE.format("Sign in"), fault.status or 200, media_type="text/html")
        given = Request(scope).headers
        if compare_digest(given.get("authorization", "").encode(), f"Bearer {database.token}".encode()):
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
