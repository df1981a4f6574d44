"""The door of the sandbox: admin calls pass, everything else is logged, limited, perhaps made to fail, and answered."""

import asyncio
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import wire
from sandbox.admin import ADMIN, admin
from sandbox.faults import Fault
from sandbox.kandji.api.pages import CAP
from sandbox.kandji.api.routes import PREFIX, ROUTES
from sandbox.kandji.gateway import kong
from sandbox.kandji.gateway.admin import CALLS
from sandbox.kandji.state.tenant import Settings, Tenant
from sandbox.log import Entry

NO_FAULT = Fault("latency")


class Sandbox:
    """An ASGI app with one tenant behind it; the admin calls may replace the tenant."""

    def __init__(self, settings: Settings) -> None:
        self.tenant = Tenant(settings)
        self._api = Router(ROUTES, redirect_slashes=False, default=_no_route)
        self._admin = admin(self, CALLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
            return
        scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        if scope["path"].startswith(ADMIN):
            await self._admin(scope, receive, send)
            return
        await self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        tenant = self.tenant
        path, query = scope["path"].removeprefix(PREFIX), scope["query_string"].decode("latin-1")
        entry = Entry(scope["method"], path, query, tenant.clock.now())
        scope["state"] = {**scope.get("state", {}), "tenant": tenant, "entry": entry}
        tenant.log.begin(entry)
        try:
            await self._limited(tenant, entry, scope, receive, send)
        finally:
            tenant.log.end(entry)

    async def _limited(self, tenant: Tenant, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        verdict = tenant.limits.take()
        tenant.commands.settle()
        faults = [] if verdict.is_over else tenant.faults.strike(entry.method, entry.path)
        entry.fault = " ".join(fault.kind for fault in faults)
        await asyncio.sleep(sum(fault.milliseconds for fault in faults) / 1000)
        last = faults[-1] if faults else NO_FAULT
        answering = kong.failure(429) if verdict.is_over else self._answering(last, scope)
        await wire.sent(last, wire.stamped(answering, entry, kong.HEADERS | verdict.headers), scope, receive, send)

    def _answering(self, fault: Fault, scope: Scope) -> ASGIApp:
        """What answers instead of the API, or the API itself."""
        if fault.kind == "status":
            retry = {"Retry-After": fault.retry_after} if fault.retry_after else None
            return kong.failure(fault.status or 500, retry)
        if fault.kind == "html":
            return kong.html(fault.status or 200)
        if fault.kind == "repeat":
            scope["query_string"] = _page_before(scope["query_string"].decode("latin-1")).encode()
        return self._api


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    response: Response = kong.no_route()
    await response(scope, receive, send)


def _page_before(query: str) -> str:
    """The query of the page before, for an endpoint that gives the same page twice."""
    asked = dict(parse_qsl(query))
    asked.pop("cursor", None)
    if asked.get("offset", "").isdecimal():
        limit = asked.get("limit", "")
        asked["offset"] = str(max(0, int(asked["offset"]) - (int(limit) if limit.isdecimal() else CAP)))
    if asked.get("page", "").isdecimal():
        asked["page"] = str(max(1, int(asked["page"]) - 1))
    return urlencode(asked)
