"""The outermost layer: no key, no answer, so that no route can forget it (AU-1); and the short way to a card.

A call of a card goes past the framework's routing and middleware: they were a seventh of its cost (bench/README.md).
"""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.engine.callers import Caller
from connector.host import Host
from connector.rest.admission import Admission
from connector.rest.calls import call
from connector.rest.problems import on_any_error, problem
from connector.sdk.errors import UpcardError
from connector.sdk.trace import REQUEST, TRACE, new_request, read_trace

OPEN = frozenset({"/healthz", "/readyz"})
CARD = re.compile(r"/v1/cards/([^/]+)/([^/]+)")


class Door:
    """Lets a request through with its caller, or answers why not."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self._app = app
        self._host = host
        self._admission = Admission(host.keys, host.settings.calls_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing else is spoken here: a web socket is refused by not being accepted
        send = _named(scope, send)
        if scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            caller = self._admission.admit(scope)
        except UpcardError as error:
            await problem(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        card = CARD.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        if card is None:
            await self._app(scope, receive, send)
            return
        answer = await self._called(Request(scope, receive), f"{card[1]}.{card[2]}", caller)
        await answer(scope, receive, send)

    async def _called(self, request: Request, card: str, caller: Caller) -> Response:
        try:
            return await call(request, self._host, card, caller)
        except UpcardError as error:
            return problem(error)
        except Exception as error:  # noqa: BLE001
            return await on_any_error(request, error)


def _named(scope: Scope, send: Send) -> Send:
    """Give the request an id, which its answer and the log have, and take up the caller's trace (OB-2)."""
    REQUEST.set(id_ := new_request())
    trace = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
    TRACE.set(read_trace(trace.decode("latin-1")) if trace else None)  # always: a connection's requests share a context
    header = (b"x-request-id", id_.encode())

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], header]
        await send(message)

    return sent
