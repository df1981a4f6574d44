"""Assets and users of a server, read by its cards, as the sync has them."""

import re
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from cards.snipeit._inventory import HANGING, asset_of, person_of
from cards.snipeit._register import Register
from cards.snipeit._rows import with_fields
from cards.snipeit._shapes import ID, AssetDetails, UserDetails
from connector import Asset, Cards, Json, OutcomeUnknown, Person, Refused, UpcardError

PATH = frozenset("/\\%?#;")  # web servers refuse some of these in a path, whatever Snipe-IT takes
ARCHIVED = {"state": "Archived"}

T = TypeVar("T")


class Reader:
    """Reads records, and remembers of what model each asset was."""

    def __init__(self, cards: Cards, register: Register) -> None:
        self._cards, self._register = cards, register
        self._models: dict[str, Json] = {}

    async def asset(self, sys_id: str) -> Asset | None:
        found = await self._got("get_asset", "asset_id", sys_id)
        return await self._read(found) if found else None

    async def person(self, sys_id: str) -> Person | None:
        found = await self._got("get_user", "user_id", sys_id)
        return person_of(found) if found else None

    async def assets(self, **filters: str) -> list[Asset]:
        """Archived ones are in a list of their own, and in the other too where a setting says so."""
        found: dict[str, Asset] = {}
        for state in (ARCHIVED, {}):
            async for record in self._cards.records("list_assets", **filters, **state):
                asset = await self._read(_details(record))
                found[asset.sys_id] = asset
        return sorted(found.values(), key=lambda each: int(each.sys_id))

    async def by_serial(self, serial: str) -> list[Asset]:
        """Archived ones too."""
        if PATH & set(serial) or not serial.strip("."):
            return await self.assets(serial=serial)
        found = await self._cards.call("get_assets_by_serial", serial=serial)
        return [await self._read(_details(record)) for record in found["assets"] or []]

    async def users(self, **filters: str) -> AsyncIterator[Person]:
        async for record in self._cards.records("list_users", **filters):
            yield person_of(UserDetails.of(record).model_dump())

    async def model_of(self, sys_id: str) -> Json:
        """What hangs on the model of an asset, by the names of Get Asset; as it was last read."""
        if sys_id not in self._models and await self.asset(sys_id) is None:
            raise Refused("Snipe-IT has no asset with this ID any more.")
        return self._models[sys_id]

    async def _got(self, card: str, key: str, sys_id: str) -> Json | None:
        """What a card gets; None where it is not there, or is deleted."""
        if not re.fullmatch(ID, sys_id):
            return None
        try:
            found = await self._cards.call(card, None, **{key: sys_id})
        except Refused as error:
            if error.service and error.service.status == 404:
                return None
            raise
        return None if found["deleted"] else found

    async def _read(self, found: Json) -> Asset:
        asset = asset_of(found, await self._register.labels(*(found["fields"] or {})))
        self._models[asset.sys_id] = {key: found[key] for key in ("model_id", *HANGING)}
        return asset


async def after(read: Awaitable[T | None]) -> T:
    """A record that was just written. Raises OutcomeUnknown where it cannot be read: no other error would be true."""
    try:
        found = await read
    except UpcardError as error:
        raise OutcomeUnknown("It was written, and could not be read again.") from error
    if found is None:
        raise OutcomeUnknown("It was written, and is not there any more.")
    return found


def _details(record: Json) -> Json:
    """A record of a list as Get Asset has it."""
    return AssetDetails.of(with_fields(record)).model_dump()
