"""The door of the sandbox: admin calls pass, everything else is logged, limited, perhaps made to fail, and answered."""

import asyncio
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import wire
from sandbox.admin import ADMIN, admin
from sandbox.assetbots.admin import CALLS
from sandbox.assetbots.api import PREFIX, ROUTES, failure
from sandbox.assetbots.database import Database, Settings
from sandbox.faults import Fault
from sandbox.log import Entry

NO_FAULT = Fault("latency")
PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
WORDS = {429: "You have exceeded your request limit.", 401: "The request is not authorized."}


class Sandbox:
    """An ASGI app with one workspace behind it; the admin calls may replace it."""

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
        if not database.limits.take():
            retry = database.settings.retry_after
            await wire.stamped(_throttled(retry), entry, {})(scope, receive, send)
            return
        faults = database.faults.strike(entry.method, entry.path)
        entry.fault = " ".join(fault.kind for fault in faults)
        await asyncio.sleep(sum(fault.milliseconds for fault in faults) / 1000)
        last = faults[-1] if faults else NO_FAULT
        await wire.sent(last, wire.stamped(self._answering(database, last, scope), entry, {}), scope, receive, send)

    def _answering(self, database: Database, fault: Fault, scope: Scope) -> ASGIApp:
        """What answers instead of the API, or the API itself, for who has the key."""
        if fault.kind == "status":
            return _failed(fault.status or 500, fault.retry_after)
        if fault.kind == "html":
            return Response(PAGE.format("Sign in"), fault.status or 200, media_type="text/html")
        given = Request(scope).headers.get("x-api-key", "")
        return self._api if compare_digest(given.encode(), database.key.encode()) else _failed(401)


def _failed(status: int, retry_after: str | None = None) -> Response:
    headers = {"Retry-After": retry_after} if retry_after else None
    return failure(status, str(status), WORDS.get(status, "Something went wrong."), None, headers)


def _throttled(retry_after: str | None) -> Response:
    return _failed(429, retry_after)


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    await failure(404, "NotFound", "Not found.")(scope, receive, send)
