"""The outermost layer: no key, no answer, so that no route can forget it (AU-1, AU-5); and the short way to a card.

A call of a card goes past the framework's routing and middleware: they were a seventh of its cost (bench/README.md).
"""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.engine.host import Host
from connector.engine.keys import Caller, Keys
from connector.rest.calls import call
from connector.rest.problems import on_any_error, problem
from connector.sdk.errors import InvalidCall, Unauthenticated, UpcardError
from connector.sdk.trace import REQUEST, TRACE, new_request, read_trace

OPEN = frozenset({"/healthz", "/readyz"})
CARD = re.compile(r"/v1/cards/([^/]+)/([^/]+)")


class Door:
    """Lets a request through with its caller, or answers 401."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing else is spoken here: a web socket is refused by not being accepted
        send = _named(scope, send)
        if scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            caller = _caller(scope, self._host.keys)
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


def _caller(scope: Scope, keys: Keys) -> Caller:
    bearers = [value for name, value in scope["headers"] if name == b"authorization"]
    tokens = [value for name, value in scope["headers"] if name == b"x-api-client-token"]
    if len(bearers) + len(tokens) > 1:
        raise InvalidCall("Send one key, in one header.")
    if bearers:
        scheme, _, key = bearers[0].partition(b" ")
        return keys.caller(key.strip().decode("latin-1") if scheme.lower() == b"bearer" else "")
    if tokens:
        return keys.caller(tokens[0].strip().decode("latin-1"))
    raise Unauthenticated("A key is needed: Authorization: Bearer KEY, or x-api-client-token: KEY.")
