"""Read a call: what it says is checked in full, and every fault is told at once, before anything is asked."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar

from connector.catalog.find import Catalog
from connector.engine.accounts import Account
from connector.engine.addresses import Allowed, read_address
from connector.engine.callers import Caller
from connector.engine.connections import Connections
from connector.engine.flow_inputs import stream_faults
from connector.engine.flows import Flows, Target, new_secret
from connector.sdk.card import Card
from connector.sdk.client import EVERYTHING, WouldSend
from connector.sdk.deeds import Deed, deed_of, deed_of_request
from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.reading import read
from connector.sdk.results import STREAM, Stream
from connector.sdk.tables import CardInputs, CardOptions, Table, rows

T = TypeVar("T", bound=Table)


def scopes(deed: Deed) -> list[str]:
    """What a key needs to have for it."""
    return [f"cards:{deed.effect}", *(["cards:secret"] if deed.secret else [])]


@dataclass(frozen=True)
class Call:
    """A call as it came in.

    records: the caller takes the records of a list itself (NDJSON).
    key: the Idempotency-Key. confirm: the name of the target, repeated. reason: for who approves it.
    """

    card: str
    caller: Caller
    connection: str | None = None
    options: Any = None
    inputs: Any = None
    stream: Any = None
    dry_run: bool = False
    records: bool = False
    key: str | None = None
    confirm: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Streaming:
    """How a stream hands its records over: to the flow it names, or to an address that is not registered."""

    wanted: Stream
    unregistered: Target | None = None


@dataclass(frozen=True)
class Ready:
    """A call that was read: what it says is right, and its connection and flow are there."""

    card: Card
    caller: Caller
    deed: Deed
    account: Account
    options: CardOptions
    inputs: CardInputs
    streaming: Streaming | None
    dry_run: bool
    records: bool = False
    key: str | None = None
    confirm: str | None = None
    reason: str | None = None

    @property
    def sees_secrets(self) -> bool:
        return "cards:secret" in self.caller.grant.scopes


@dataclass(frozen=True)
class Reader:
    """Reads calls against the cards, connections and flows there are."""

    catalog: Catalog
    connections: Connections
    flows: Flows
    receivers: Allowed
    unregistered_flows: bool

    def allow(self, key: str, caller: Caller) -> Card:
        """The card, before anything of the call is looked at (AU-4). Raises NotFound and Forbidden."""
        card = self.catalog.card(key)
        caller.need_card(card)
        if not card.by_name:  # what that does, its request says
            caller.need(*scopes(deed_of(card, None)))
        return card

    async def read(self, call: Call) -> Ready:
        """Raises InvalidCall with every fault, NotFound for a card, connection or flow that is not there, Forbidden."""
        return await self.read_for(self.allow(call.card, call.caller), call)

    async def read_for(self, card: Card, call: Call) -> Ready:
        """The same for a card that is allowed already."""
        if call.records and (card.results is None or call.dry_run):
            raise InvalidCall("Only a list card gives its records as application/x-ndjson, and not in a dry run.")
        if call.records and call.key:
            raise InvalidCall("Records that are given as application/x-ndjson are not kept: send no Idempotency-Key.")
        faults: list[Fault] = []
        given = {"result_set": STREAM} if call.records and not call.options else call.options
        options = _table(card.options, given, "options", "option", faults)
        inputs = _table(card.inputs, call.inputs, "inputs", "input", faults)
        stream = self._stream(call, options, faults)
        streaming = await self._streaming(card, stream, faults) if stream else None
        if faults or options is None or inputs is None:
            raise InvalidCall.of(faults)
        account = await self.connections.for_call(card, call.connection, call.caller.grant)
        deed = await self._deed(card, options, inputs, account)
        if card.by_name:
            call.caller.need(*scopes(deed))
            call.caller.need_card(self.catalog.card(deed.card))
        return Ready(
            card=card,
            caller=call.caller,
            deed=deed,
            account=account,
            options=options,
            inputs=inputs,
            streaming=streaming,
            dry_run=call.dry_run,
            records=call.records,
            key=call.key,
            confirm=call.confirm,
            reason=call.reason,
        )

    async def _deed(self, card: Card, options: CardOptions, inputs: CardInputs, account: Account) -> Deed:
        """What it would do; a request that the caller wrote is read, and not sent."""
        if not card.by_name:
            named = next((row.key for row in rows(card.inputs) if row.mark.target), None)
            return deed_of(card, getattr(inputs, named) if named else None)
        try:
            await card.ask(options, inputs, self.connections.client(account, EVERYTHING))
        except WouldSend as request:
            return deed_of_request(card, request.method, request.parts, self.catalog.cards)
        raise AssertionError("a card that is given by name sends one request")

    def _stream(self, call: Call, options: CardOptions | None, faults: list[Fault]) -> Stream | None:
        streams = not call.records and getattr(options, "result_set", None) == STREAM
        if streams:
            return _table(Stream, call.stream, "stream", "field", faults)
        if call.stream is not None and options is not None:
            faults.append(Fault("stream", "Stream is given only where the records are streamed to a helper flow."))
        return None

    async def _streaming(self, card: Card, stream: Stream, faults: list[Fault]) -> Streaming | None:
        if stream.flow is not None and stream.url is not None:
            faults += [Fault(f"stream/{key}", "Give either Flow or URL, not both.") for key in ("flow", "url")]
            return None
        if stream.flow is not None:
            flow = await self.flows.get(stream.flow)
            if flow.inputs:
                faults += await asyncio.to_thread(stream_faults, flow.inputs, card, stream.state or {})
            return Streaming(stream)
        if not self.unregistered_flows:
            why = "Unregistered addresses are not allowed here. Register a flow with POST /v1/flows and name it."
            faults.append(Fault("stream/url", why))
            return None
        return Streaming(stream, Target(read_address(stream.url, self.receivers, "stream/url").url, new_secret()))


def _table(table: type[T], given: Any, at: str, noun: str, faults: list[Fault]) -> T | None:
    found = read(table, {} if given is None else given, at, noun)
    if isinstance(found, list):
        faults += found
        return None
    return found
