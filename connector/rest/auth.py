"""No key, no answer: a layer around the whole application, so that no route can forget it (AU-1, AU-5)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from connector.engine.keys import Caller, Keys
from connector.rest.problems import problem
from connector.sdk.errors import InvalidCall, Unauthenticated, UpcardError

OPEN = frozenset({"/healthz", "/readyz"})


class KeyRequired:
    """Lets a request through with the caller in its state, or answers 401."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN:
            try:
                scope.setdefault("state", {})["caller"] = _caller(scope, scope["app"].state.host.keys)
            except UpcardError as error:
                await problem(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


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
