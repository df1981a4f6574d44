"""The door of the simulated workspace: what it limits, who gets in, and how it says no."""

from collections.abc import Mapping
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.admin import admin
from sandbox.assetbots.admin import CALLS
from sandbox.assetbots.api import PREFIX, ROUTES, failure
from sandbox.assetbots.database import Database, Settings
from sandbox.door import PAGE, Door
from sandbox.faults import Fault

WORDS = {429: "You have exceeded your request limit.", 401: "The request is not authorized."}


class Sandbox(Door):
    """An ASGI app with one workspace behind it; the admin calls may replace it."""

    prefix, called = PREFIX, "database"

    def __init__(self, settings: Settings) -> None:
        super().__init__(Router(ROUTES, redirect_slashes=False, default=_no_route), admin(self, CALLS))
        self.database = Database(settings)

    @property
    def held(self) -> Database:
        return self.database

    def limited(self) -> tuple[ASGIApp | None, Mapping[str, str]]:
        taken = self.database.limits.take()
        return None if taken else _failed(429, self.database.settings.retry_after), {}

    def answering(self, fault: Fault, scope: Scope) -> ASGIApp:
        """The API is for who has the key."""
        if fault.kind == "status":
            return _failed(fault.status or 500, fault.retry_after)
        if fault.kind == "html":
            return Response(PAGE.format("Sign in"), fault.status or 200, media_type="text/html")
        given = Request(scope).headers.get("x-api-key", "")
        return self._api if compare_digest(given.encode(), self.database.key.encode()) else _failed(401)


def _failed(status: int, retry_after: str | None = None) -> Response:
    headers = {"Retry-After": retry_after} if retry_after else None
    return failure(status, str(status), WORDS.get(status, "Something went wrong."), None, headers)


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    await failure(404, "NotFound", "Not found.")(scope, receive, send)
