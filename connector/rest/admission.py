"""Who comes in: whose key a request has, in one of two headers, and how often it comes (AU-2, AU-5, AU-7).

Where a request comes from limits only its wrong keys, and is never read from a header (AU-6).
"""

import time

from starlette.types import Scope

from connector.engine.buckets import Buckets
from connector.engine.callers import Caller
from connector.engine.keys import Keys, id_of
from connector.sdk.errors import InvalidCall, TooManyCalls, Unauthenticated

BURST = 5.0  # seconds' worth of calls that may come at once
WRONG_PER_SECOND = 20.0  # wrong keys of one address, or for one ID
WRONG_BURST = 500.0  # of them at once


class Admission:
    """Lets callers in. A right key comes in wherever wrong ones came from."""

    def __init__(self, keys: Keys, calls_per_second: float) -> None:
        self._keys = keys
        self._calls = Buckets(calls_per_second, calls_per_second * BURST) if calls_per_second else None
        self._addresses = Buckets(WRONG_PER_SECOND, WRONG_BURST)
        self._ids = Buckets(WRONG_PER_SECOND, WRONG_BURST)

    def admit(self, scope: Scope) -> Caller:
        """Whose request this is. Raises Unauthenticated, InvalidCall and TooManyCalls."""
        key = _key(scope)
        try:
            caller = self._keys.caller(key)
        except Unauthenticated:
            self._count_wrong(scope, key)
            raise
        if self._calls and (wait := self._calls.take(caller.id, time.monotonic())):
            raise TooManyCalls("This key makes too many calls.", retry_after=wait)
        return caller

    def _count_wrong(self, scope: Scope, key: str) -> None:
        now, address, id_ = time.monotonic(), (scope.get("client") or ("",))[0], id_of(key)
        wait = max(self._addresses.take(address, now), self._ids.take(id_, now) if id_ else 0.0)
        if wait:
            raise TooManyCalls("Too many wrong keys came.", retry_after=wait)


def _key(scope: Scope) -> str:
    """The key that was sent; empty if there is none."""
    bearers = [value for name, value in scope["headers"] if name == b"authorization"]
    tokens = [value for name, value in scope["headers"] if name == b"x-api-client-token"]
    if len(bearers) + len(tokens) > 1:
        raise InvalidCall("Send one key, in one header.")
    if bearers:
        scheme, _, key = bearers[0].partition(b" ")
        return key.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""
    return tokens[0].strip().decode("latin-1") if tokens else ""
