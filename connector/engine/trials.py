"""Try a helper flow: one sample record, signed like any other, in a single attempt."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from connector.catalog.find import Catalog
from connector.catalog.schema import record_schema
from connector.engine.addresses import Allowed, read_address
from connector.engine.delivery import Handover, Parcel, body_of
from connector.engine.destinations import Destination
from connector.engine.flows import Flows
from connector.sdk.errors import DestinationNotAllowed, Fault, InvalidCall
from connector.sdk.kinds import Json

SAMPLES = {"string": "text", "date-time": "2026-02-03T09:15:00Z", "integer": 1, "number": 1, "boolean": True}


@dataclass(frozen=True)
class Tried:
    """What became of the sample; status None: no answer came."""

    delivered: bool
    status: int | None
    milliseconds: int


@dataclass(frozen=True)
class Trials:
    """Tries registered flows."""

    catalog: Catalog
    flows: Flows
    receivers: Allowed
    session: aiohttp.ClientSession

    async def run(self, flow: str, card: str | None) -> Tried:
        """Send a sample like the records of the card. Raises NotFound, InvalidCall, DestinationNotAllowed."""
        target = (await self.flows.get(flow)).target
        body = body_of(self._record(card))
        read_address(target.url, self.receivers, "url")
        handover = Handover(self.session, Destination(), target, f"test_{secrets.token_hex(8)}", patience=1)
        began = time.monotonic()
        sent = await handover.send(Parcel(0, 1, body))
        if sent.is_blocked:
            raise DestinationNotAllowed("The destination is not allowed.")
        return Tried(sent.taken, sent.status, round((time.monotonic() - began) * 1000))

    def _record(self, card: str | None) -> Json:
        if card is None:
            return {"hello": "world"}
        if record := self.catalog.card(card).record:
            found: Json = sample(record_schema(record))
            return found
        raise InvalidCall.of([Fault("card", "Card must be one that lists records.")])


def sample(schema: Json) -> Any:
    """A value of the type that a published schema names; null where it names none."""
    types = schema.get("type", "null")
    type_ = types if isinstance(types, str) else types[0]
    if type_ == "object":
        return {key: sample(part) for key, part in schema.get("properties", {}).items()}
    if type_ == "array":
        return [sample(schema["items"])] if schema.get("items") else []
    return schema["enum"][0] if "enum" in schema else SAMPLES.get(schema.get("format", type_))
