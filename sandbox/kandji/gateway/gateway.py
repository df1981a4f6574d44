"""The door of the simulated tenant: what it limits, and how its gateway says no."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.admin import admin
from sandbox.door import Door
from sandbox.faults import Fault
from sandbox.kandji.api.pages import CAP
from sandbox.kandji.api.routes import PREFIX, ROUTES
from sandbox.kandji.gateway import kong
from sandbox.kandji.gateway.admin import CALLS
from sandbox.kandji.state.tenant import Settings, Tenant


class Sandbox(Door):
    """An ASGI app with one tenant behind it; the admin calls may replace the tenant."""

    prefix, called = PREFIX, "tenant"

    def __init__(self, settings: Settings) -> None:
        super().__init__(Router(ROUTES, redirect_slashes=False, default=_no_route), admin(self, CALLS))
        self.tenant = Tenant(settings)

    @property
    def held(self) -> Tenant:
        return self.tenant

    def path_of(self, scope: Scope) -> str:
        """With or without a slash at the end."""
        return scope["path"].rstrip("/") or "/"

    def limited(self) -> tuple[ASGIApp | None, Mapping[str, str]]:
        verdict = self.tenant.limits.take()
        self.tenant.commands.settle()
        return kong.failure(429) if verdict.is_over else None, kong.HEADERS | verdict.headers

    def answering(self, fault: Fault, scope: Scope) -> ASGIApp:
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
