"""The cards of a connection, called by a sync in its own name: what it does is in the audit under it, and capped."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson

from connector.engine.callers import Caller, Grant
from connector.engine.calls import Call
from connector.engine.runner import Runner
from connector.sdk.errors import Refused, Unavailable, UpcardError
from connector.sdk.kinds import EXPLANATION, STATUS, Json
from connector.sdk.results import STREAM
from connector.sdk.tables import CardOutputs, rows

LONGEST = 900.0  # seconds; a card gives up long before
OURS = "sync:"  # before the name of a sync, in the caller that it is
SCOPES = frozenset({"cards:read", "cards:write"})  # never to destroy: that takes a person (DA-10)


def caller_of(sync: str, *connections: str) -> Caller:
    """Who a sync is where it calls cards; no key is made for it."""
    return Caller(OURS + sync, Grant(SCOPES, Grant.everything().cards, connections))


@dataclass(frozen=True)
class ConnectionCards:
    """The cards of one connection, for one caller."""

    runner: Runner
    connector: str
    connection: str
    caller: Caller

    async def call(self, card: str, options: Json | None = None, **inputs: Any) -> Json:
        """A card's outputs. Raises Refused where its Status Code is 400 or more, and the problem it ended with."""
        wanted = Call(f"{self.connector}.{card}", self.caller, self.connection, options or {}, inputs)
        _, answer = await self.runner.run(await self.runner.reader.read(wanted), LONGEST)
        if answer is None or answer.outputs is None:
            raise UpcardError.told(answer.problem) if answer and answer.problem else Unavailable("No answer came.")
        _refuse(answer.outputs)
        found: Json = orjson.loads(answer.written)
        return found

    async def records(self, card: str, **inputs: Any) -> AsyncIterator[Json]:
        """All records of a list card, page by page as they come."""
        key, options = f"{self.connector}.{card}", {"result_set": STREAM}
        wanted = Call(key, self.caller, self.connection, options, inputs, records=True)
        async for page in self.runner.records(await self.runner.reader.read(wanted)):
            for record in page.records:
                yield record


def _refuse(outputs: CardOutputs) -> None:
    given = {row.kind: getattr(outputs, row.key) for row in rows(type(outputs)) if row.kind in (STATUS, EXPLANATION)}
    if (given.get(STATUS) or 0) >= 400:
        raise Refused.saying(given[STATUS], given.get(EXPLANATION) or "")
