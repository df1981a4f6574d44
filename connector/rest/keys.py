"""Callers' keys: who has the scope `admin` makes keys, sees them without their secrets, and takes them back."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from connector.catalog.find import catalog
from connector.engine.callers import ALL, SCOPES, Grant
from connector.engine.clock import now, written
from connector.engine.connections import NAME
from connector.engine.keys import MISSING, Key, Keys, id_of
from connector.rest.answers import json_answer, listed, raw_answer
from connector.rest.body import read_body
from connector.rest.hosts import host_of
from connector.sdk.errors import NoSuchKey
from connector.sdk.kinds import DATE, LIST, Json, read_date, read_list, wrong
from connector.sdk.reading import accept, refuse_blank
from connector.sdk.tables import CardInputs, field


def _known(is_known: Callable[[str], bool], why: str) -> BeforeValidator:
    """A reader of one text of a list."""

    def read(value: Any) -> str:
        if isinstance(value, str) and is_known(value):
            return value
        raise wrong(why)

    return BeforeValidator(read)


def _is_of_cards(value: str) -> bool:
    found = catalog()
    return value in {ALL, *(f"{connector}.{ALL}" for connector in found.connectors), *found.cards}


def _is_name(value: str) -> bool:
    return bool(NAME.fullmatch(value))


def _future(value: Any) -> str | None:
    moment = read_date(value)
    if moment is None:
        return None
    if (end := written(datetime.fromisoformat(moment))) <= now():
        raise wrong("must be in the future")
    return end


NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"  # a terminal obeys them, where keys are listed
SCOPE = _known(SCOPES.__contains__, f"must be some of: {', '.join(SCOPES)}")
CARD = _known(_is_of_cards, "must be keys of cards there are, such as kandji.lock_device, kandji.* or *")
NAME_OF = _known(_is_name, "must be names of connections")

Scopes = Annotated[list[Annotated[str, SCOPE]], LIST, BeforeValidator(read_list)]
Cards = Annotated[list[Annotated[str, CARD]] | None, LIST, BeforeValidator(read_list)]
Names = Annotated[list[Annotated[str, NAME_OF]] | None, LIST, BeforeValidator(read_list)]
Future = Annotated[str | None, DATE, BeforeValidator(_future)]


class NewKey(CardInputs):
    label: str = field("What the key is for", max_length=200, pattern=NO_CONTROLS)
    scopes: Scopes = field(f"What it allows, some of: {', '.join(SCOPES)}")
    cards: Cards = field("Keys of cards, `kandji.*`, or `*`, as if it is left out; some cards are given by key only")
    connections: Names = field("Names of the connections it reaches; all if it is left out")
    expires: Future = field("When it ends, as RFC 3339; never if it is left out")

    @property
    def grant(self) -> Grant:
        cards = [ALL] if self.cards is None else self.cards
        connections = None if self.connections is None else tuple(self.connections)
        return Grant(frozenset(self.scopes), tuple(cards), connections)


class Revocation(CardInputs):
    cancel_runs: bool = field("Also cancel the streams that the key started", default=False)


async def list_keys(request: Request) -> Response:
    """Those of the connections that the caller's key reaches; no key is shown again."""
    return listed([_shown(key) for key in await _reached(request)])


async def create_key(request: Request) -> Response:
    """Make a key, which is in this answer and in no other. It allows at most what the caller's own key does."""
    body, caller, keys = await read_body(request), request.state.caller, _keys(request)
    wanted = accept(NewKey, body)
    refuse_blank(body)
    caller.need_all_of(wanted.grant, wanted.expires)
    made = await asyncio.to_thread(keys.mint, wanted.label, wanted.grant, expires=wanted.expires, maker=caller.id)
    shown = _shown(keys.get(id_of(made)))
    facts = {name: " ".join(shown[name]) for name in ("scopes", "cards", "connections") if shown[name] is not None}
    await host_of(request).audit.note(
        "key_created", caller.id, key=id_of(made), label=wanted.label, expires=wanted.expires, **facts
    )
    return json_answer({**shown, "key": made}, 201)


async def revoke_key(request: Request) -> Response:
    """Take a key back, here at once and on every host within a second. Keys that it made stay.

    Streams that it started go on, unless they are to be canceled as well.
    """
    id_ = request.path_params["id"]
    if id_ not in [key.caller.id for key in await _reached(request)]:
        raise NoSuchKey(MISSING)
    await asyncio.to_thread(_keys(request).revoke, id_)
    if request.state.query.cancel_runs:
        await host_of(request).streams.cancel_all(id_)
    await host_of(request).audit.note("key_revoked", request.state.caller.id, key=id_)
    return raw_answer(b"", 204)


async def _reached(request: Request) -> list[Key]:
    """The keys whose connections the caller's key reaches, as they are now on every host."""
    keys, grant = _keys(request), request.state.caller.grant
    await keys.look()
    return [key for key in keys.all() if grant.reaches_all(key.caller.grant.connections)]


def _shown(key: Key) -> Json:
    grant = key.caller.grant
    return {
        "id": key.caller.id,
        "label": key.label,
        "scopes": sorted(grant.scopes),
        "cards": grant.cards,
        "connections": grant.connections,
        "created": key.created,
        "expires": key.caller.expires,
        "last_used": key.last_used,
        "maker": key.maker,
    }


def _keys(request: Request) -> Keys:
    return host_of(request).keys
