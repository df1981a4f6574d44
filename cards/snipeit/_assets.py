"""Snipe-IT as the asset system of a sync: its assets, its users as people, and who has what, by its cards.

Only some versions take notes by their API, and not in one form: there are those of checkouts and check-ins alone.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cards.snipeit._inventory import (
    COLUMNS,
    HANGING,
    LENGTHS,
    NEEDED,
    OWN,
    own_inputs,
    password,
    person_inputs,
    plain,
)
from cards.snipeit._models import Models
from cards.snipeit._reader import Reader, after
from cards.snipeit._register import Register
from cards.snipeit._shapes import ID
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
    Values,
    is_blank,
)

MOST_NAMESAKES = 50
TAGLESS = 'It makes no tags itself: say of what they are made, such as create: { asset_tag: "K-{serial}" }.'
LONGEST = 150  # of a user name, as of an email


class SnipeITAssets(AssetSystem):
    """A Snipe-IT server. `status` is the status label; custom fields go by their labels."""

    can = Capabilities(create_fields=True, makes_tags=True, archive=True, max_lengths=LENGTHS)
    announces = {"check_out_asset": "asset_id", "check_in_asset": "asset_id", "update_asset": "asset_id"}

    def __init__(self, cards: Cards) -> None:
        super().__init__(cards)
        self._register = Register(cards)
        self._models = Models(cards, self._register)
        self._reader = Reader(cards, self._register)

    async def columns(self) -> tuple[Named, ...] | None:
        return (*COLUMNS, *await self._register.columns())

    async def assets(self) -> list[Asset]:
        return await self._reader.assets()

    async def people(self) -> list[Person]:
        return [each async for each in self._reader.users()]

    async def asset(self, sys_id: str) -> Asset | None:
        return await self._reader.asset(sys_id)

    async def person(self, sys_id: str) -> Person | None:
        return await self._reader.person(sys_id)

    async def find_assets(self, serial: str, *, anew: bool = False) -> list[Asset]:
        found = await self._reader.by_serial(serial.strip()) if plain(serial) else []
        return [each for each in found if plain(each.serial) == plain(serial)]

    async def find_people(self, email: str | None, name: str | None, *, anew: bool = False) -> list[Person]:
        """By email Snipe-IT searches; by name this side, as it has the parts of a name apart."""
        if wanted := plain(email):
            return [each async for each in self._reader.users(email=str(email).strip()) if plain(each.email) == wanted]
        wanted = plain(name)
        return [each for each in await self.people() if plain(each.name) == wanted] if wanted else []

    async def create_asset(self, values: Values) -> Asset:
        """Of the model that is named, or of one named after the category; ready to be checked out if not said else."""
        given = {key: value for key, value in values.items() if not is_blank(value)}
        fields = await self._register.written(_custom(given))
        status = given.get("status")
        status_id = await (self._register.status(str(status)) if status else self._register.first_status("deployable"))
        model = await self._models.of(given, fields)
        inputs = {**own_inputs(given), "model_id": str(model["id"]), "status_id": status_id}
        try:
            made = await self.cards.call("create_asset", **_with(inputs, fields=fields))
        except Refused as error:
            if "tag" not in given and error.service and "asset_tag" in error.service.said:
                raise Refused(f"{error.detail} {TAGLESS}", service=error.service) from error
            raise
        return await after(self.asset(str(made["asset_id"])))

    async def update_asset(self, sys_id: str, changes: Values) -> Asset:
        """Another model for `model`, with what hangs on it; nothing else gives an asset another category."""
        if blank := [key for key in NEEDED if key in changes and is_blank(changes[key])]:
            raise InvalidCall(f"An asset needs a {' and a '.join(blank)} in Snipe-IT.")
        fields, model_id = await self._register.written(_custom(changes)), await self._other_model(sys_id, changes)
        if fields:
            now = model_id or str((await self._reader.model_of(sys_id))["model_id"])
            fields = await self._models.taken(now, fields)
        status = changes.get("status")
        status_id = await self._register.status(str(status)) if status else None
        inputs = _with(own_inputs(changes), fields=fields, model_id=model_id, status_id=status_id)
        if inputs:
            await self._change("update_asset", sys_id, inputs)
        return await after(self.asset(_id(sys_id)))

    async def create_person(self, values: Values) -> Person:
        """A user who cannot log in: nobody knows the password."""
        given = {key: value for key, value in values.items() if not is_blank(value)}
        inputs = person_inputs({"name": None, **given})
        wanted = inputs.get("username") or inputs.get("email") or ".".join(plain(given["name"]).split())
        inputs = {key: value for key, value in inputs.items() if key != "empty"}
        inputs["username"] = await self._free(str(wanted)[:LONGEST])
        made = await self.cards.call("create_user", password=password(), **inputs)
        return await after(self.person(str(made["user_id"])))

    async def update_person(self, sys_id: str, changes: Values) -> Person:
        await self.cards.call("update_user", user_id=_id(sys_id), **person_inputs(changes))
        return await after(self.person(sys_id))

    async def check_out(self, sys_id: str, person: str, note: str) -> Asset:
        async with self._told(sys_id, out=True):
            await self.cards.call("check_out_asset", asset_id=_id(sys_id), user_id=_id(person), note=note)
        found = await after(self.asset(sys_id))
        if found.assignee != Assignee("person", person):
            raise Refused("Snipe-IT did not check the asset out.")
        return found

    async def check_in(self, sys_id: str, note: str) -> Asset:
        async with self._told(sys_id, out=False):
            await self._change("check_in_asset", sys_id, {"note": note})
        found = await after(self.asset(sys_id))
        if found.assignee != NOBODY:
            raise Refused("Snipe-IT did not check the asset in.")
        return found

    async def note(self, sys_id: str, text: str) -> None:
        """Nothing is written: see above."""

    async def archive(self, sys_id: str) -> None:
        await self._change("update_asset", sys_id, {"status_id": await self._register.first_status("archived")})

    async def restore(self, sys_id: str) -> None:
        """It can be checked out then, whatever its status label was before."""
        await self._change("update_asset", sys_id, {"status_id": await self._register.first_status("deployable")})

    async def create_column(self, label: str) -> None:
        """In all fieldsets, so that assets of all models that have one have the field."""
        await self._models.create_field(label)

    async def _change(self, card: str, sys_id: str, inputs: Json) -> None:
        await self.cards.call(card, asset_id=_id(sys_id), **inputs)

    async def _other_model(self, sys_id: str, changes: Values) -> str | None:
        """The ID of the model that an asset gets, where that is not the one it has."""
        hanging = {key: changes[key] for key in HANGING if key in changes}
        return await self._models.other(await self._reader.model_of(_id(sys_id)), hanging) if hanging else None

    async def _free(self, wanted: str) -> str:
        """A user name that nobody has."""
        for number in range(1, MOST_NAMESAKES):
            name = wanted if number == 1 else f"{wanted}{number}"
            if not [each async for each in self._reader.users(username=name)]:
                return name
        raise Refused(f"Snipe-IT has too many users named {wanted}.")

    @asynccontextmanager
    async def _told(self, sys_id: str, *, out: bool) -> AsyncIterator[None]:
        """Snipe-IT says that something cannot be done, and not why."""
        try:
            yield
        except Refused as error:
            if error.retry or (found := await self.asset(sys_id)) is None:
                raise
            why = _why(found, out=out)
            raise Refused(f"{error.detail} {why}".strip(), service=error.service) from error


def _why(found: Asset, *, out: bool) -> str:
    if not out:
        return f"The asset {found.label} is with nobody." if found.assignee == NOBODY else ""
    if found.assignee != NOBODY:
        return f"The asset {found.label} is with somebody, or at a place: it has to be checked in first."
    return f"The status label of the asset {found.label} is {found.status}: it may not be a deployable one."


def _id(sys_id: str) -> str:
    if re.fullmatch(ID, sys_id):
        return sys_id
    raise Refused("Snipe-IT has nothing with this ID.")


def _custom(values: Values) -> Json:
    return {key: value for key, value in values.items() if key not in OWN}


def _with(inputs: Json, **more: Any) -> Json:
    return inputs | {key: value for key, value in more.items() if value}
