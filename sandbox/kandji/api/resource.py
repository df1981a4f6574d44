"""One path of the API: who is asking, whether they may, and the handler of the method."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.kandji.api.errors import Refused, answer, not_found
from sandbox.kandji.state.tenant import Tenant
from sandbox.kandji.state.tokens import Token

Handler = Callable[[Tenant, Request], Awaitable[Response]]


class Resource:
    """Answers the methods it knows, and says so in `Allow`."""

    def __init__(self, route: str, methods: dict[str, Handler]) -> None:
        self._route = route
        self._methods = methods
        self._allow = ", ".join(methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        request.state.entry.route = self._route
        try:
            response = await self._answer(request)
        except Refused as error:
            response = answer(error.body, error.status)
        response.headers["Allow"] = self._allow
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        tenant: Tenant = request.state.tenant
        request.state.by = _token(tenant, request).name
        handler = self._methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise Refused(405, {"detail": f'Method "{request.method}" not allowed.'})
        return await handler(tenant, request)


def device_index(tenant: Tenant, request: Request) -> int:
    """The device the path names."""
    index = tenant.devices.index(request.path_params["device_id"])
    if index is None:
        raise not_found()
    return index


def _token(tenant: Tenant, request: Request) -> Token:
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise Refused(401, {"detail": "Authentication credentials were not provided."})
    token = tenant.tokens.of(authorization)
    if token is None:
        raise Refused(401, {"detail": "Invalid token."})
    if not token.permits(request.method, request.state.entry.path):
        detail = "You do not have permission to perform this action."
        raise Refused(tenant.settings.forbidden_status, {"detail": detail})
    return token
