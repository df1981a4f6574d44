"""Assetbots as the asset system of a sync: its assets, its people, and who has what, by its cards.

It tells no list of fields or categories, and the form of its filter is not known: all that is read off its lists.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cards.assetbots._fields import SERIAL, custom
from cards.assetbots._inventory import asset_of, person_inputs, person_of, plain
from cards.assetbots._listing import Listing
from cards.assetbots._shapes import AssetDetails, PersonDetails
from connector import (
    NOBODY,
    Asset,
    AssetSystem,
    Assignee,
    Capabilities,
    Cards,
    InvalidCall,
    Json,
    Named,
    Person,
    Refused,
    Unexpected,
    Values,
    is_blank,
)

LENGTHS = {"tag": 48, "description": 256, "name": 64, "email": 128}
COLUMNS = tuple(map(Named, ("tag", "serial", "category", "status", "description")))
HELD = "Somebody may have it already, or a reservation or a repair may hold it."
FREE = "Nobody may have it, or a repair may hold it."


class AssetbotsAssets(AssetSystem):
    """A workspace of Assetbots. `status` is that of the checkout; custom fields go by their keys."""

    can = Capabilities(max_lengths=LENGTHS, makes_categories=False)
    announces = {"check_out_assets": "asset_ids", "check_in_assets": "asset_ids", "update_asset": "asset_id"}

    def __init__(self, cards: Cards) -> None:
        super().__init__(cards)
        self._assets = Listing(self._read_assets)
        self._people = Listing(self._read_people)
        self._categories: dict[str, str] = {}

    async def columns(self) -> tuple[Named, ...] | None:
        """Those of any asset, with the kind of their values."""
        if not (assets := await self._assets.all()):
            return None
        kinds: dict[str, set[type]] = {}
        for key, value in ((key, value) for asset in assets for key, value in asset.fields.items()):
            kinds.setdefault(key, set()).update({type(value)} - {type(None)})
        known = {each.name for each in COLUMNS}
        return (*COLUMNS, *(_named(key, types) for key, types in sorted(kinds.items()) if key not in known))

    async def assets(self) -> list[Asset]:
        return await self._assets.all(anew=True)

    async def people(self) -> list[Person]:
        return await self._people.all(anew=True)

    async def asset(self, sys_id: str) -> Asset | None:
        found = await self._got("get_asset", asset_id=sys_id)
        return self._assets.change(asset_of(found)) if found else None

    async def person(self, sys_id: str) -> Person | None:
        found = await self._got("get_person", person_id=sys_id)
        return self._people.change(person_of(found)) if found else None

    async def find_assets(self, serial: str, *, anew: bool = False) -> list[Asset]:
        wanted = plain(serial)
        return [asset for asset in await self._assets.all(anew=anew) if wanted and plain(asset.serial) == wanted]

    async def find_people(self, email: str | None, name: str | None, *, anew: bool = False) -> list[Person]:
        people, wanted = await self._people.all(anew=anew), plain(email) or plain(name)
        key = "email" if plain(email) else "name"
        return [person for person in people if wanted and plain(getattr(person, key)) == wanted]

    async def create_asset(self, values: Values) -> Asset:
        inputs = await self._inputs({key: value for key, value in values.items() if not is_blank(value)})
        found = await self.cards.call("create_asset", **inputs)
        if not found["asset_id"]:
            raise Unexpected("The asset was created, and the service did not say its ID.")
        return self._assets.add(asset_of(found))

    async def update_asset(self, sys_id: str, changes: Values) -> Asset:
        found = await self.cards.call("update_asset", asset_id=sys_id, **await self._inputs(changes))
        return self._assets.change(asset_of(found)) if found["asset_id"] else await self._now(sys_id)

    async def create_person(self, values: Values) -> Person:
        found = await self.cards.call("create_person", **person_inputs(values, new=True))
        if not found["person_id"]:
            raise Unexpected("The person was created, and the service did not say their ID.")
        return self._people.add(person_of(found))

    async def update_person(self, sys_id: str, changes: Values) -> Person:
        """Assetbots wants the name every time."""
        if "name" not in changes:
            if (current := await self.person(sys_id)) is None:
                raise Refused("Assetbots has nobody with this ID any more.")
            changes = {"name": current.name, **changes}
        found = await self.cards.call("update_person", person_id=sys_id, **person_inputs(changes))
        return self._people.change(person_of({**found, "person_id": sys_id}))

    async def check_out(self, sys_id: str, person: str, note: str) -> Asset:
        with _told(HELD):
            found = await self.cards.call("check_out_assets", asset_ids=[sys_id], person_id=person, notes=note)
        after = await self._now(sys_id)
        if found["left_out"] or after.assignee != Assignee("person", person):
            raise Refused(f"Assetbots did not check the asset out. {HELD}")
        return after

    async def check_in(self, sys_id: str, note: str) -> Asset:
        with _told(FREE):
            found = await self.cards.call("check_in_assets", asset_ids=[sys_id], notes=note)
        after = await self._now(sys_id)
        if found["left_out"] or after.assignee != NOBODY:
            raise Refused(f"Assetbots did not check the asset in. {FREE}")
        return after

    async def note(self, sys_id: str, text: str) -> None:
        await self.cards.call("create_note", target_id=sys_id, note=text)

    async def _got(self, card: str, **inputs: Any) -> Json | None:
        """What a card gets; None where it is not there, or is deleted."""
        try:
            found = await self.cards.call(card, **inputs)
        except Refused as error:
            if _status(error) == 404:
                return None
            raise
        return None if found["deleted"] else found

    async def _now(self, sys_id: str) -> Asset:
        if (found := await self.asset(sys_id)) is None:
            raise Unexpected("The asset was changed, and is not there any more.")
        return found

    async def _read_assets(self) -> list[Asset]:
        found = [
            AssetDetails.of({**record, "fields": custom(record)}) async for record in self.cards.records("list_assets")
        ]
        self._categories |= {plain(each.category): each.category_id for each in found if each.category_id}
        return [asset_of(each.model_dump()) for each in found if not each.deleted]

    async def _read_people(self) -> list[Person]:
        found = [
            PersonDetails.of({**record, "fields": custom(record)}) async for record in self.cards.records("list_people")
        ]
        return [person_of(each.model_dump()) for each in found if not each.deleted]

    async def _inputs(self, values: Values) -> Json:
        """Columns as the inputs of a card: each in its place, and those to be empty by their names."""
        if "status" in values:
            raise InvalidCall("The status of an asset follows from its checkouts and cannot be written.")
        given = {key: None if is_blank(value) else value for key, value in values.items()}
        own = {key: given.pop(key) for key in ("tag", "description", "category") if key in given}
        inputs: Json = {key: value for key, value in own.items() if value is not None}
        if "category" in inputs:
            inputs["category_id"] = await self._category(str(inputs.pop("category")))
        if empty := sorted(key for key, value in own.items() if value is None):
            inputs["empty"] = empty
        if given:
            inputs["fields"] = {SERIAL if key == "serial" else key: value for key, value in given.items()}
        return inputs

    async def _category(self, name: str) -> str:
        """Its ID, as an asset that is in it has it."""
        if plain(name) not in self._categories:
            await self._assets.all()
        if found := self._categories.get(plain(name)):
            return found
        raise InvalidCall(f"Assetbots has no category named {name} yet: give it to one asset there first.")


def _named(key: str, types: set[type]) -> Named:
    if types == {bool}:
        return Named(key, "boolean")
    return Named(key, "number" if types and types <= {int, float} else "text")


@contextmanager
def _told(why: str) -> Iterator[None]:
    """409 says that nothing could be done, and not why."""
    try:
        yield
    except Refused as error:
        if _status(error) != 409:
            raise
        raise Refused(f"{error.detail} {why}", service=error.service) from error


def _status(error: Refused) -> int | None:
    return error.service.status if error.service else None
