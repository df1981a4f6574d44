"""What a server calls its fields, fieldsets, models, categories and status labels, by the cards that list them."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

from cards.snipeit._inventory import OWN, plain, text_of
from connector import Cards, InvalidCall, Json, Kind, Named, Values

AGE = 60.0  # seconds for which a list will do
FORMATS: dict[str, Kind] = {"NUMERIC": "number", "BOOLEAN": "boolean", "DATE": "date"}

T = TypeVar("T")


class Register:
    """Lists that are read when they are needed, and again where something is not in them."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards
        self._read: dict[str, tuple[float, list[Json]]] = {}
        self._unknown: set[str] = set()

    async def rows(self, card: str) -> list[Json]:
        """The records of a list, as they were at most a minute ago; oldest first."""
        now = monotonic()
        if card not in self._read or now - self._read[card][0] > AGE:
            self._read[card] = now, [row async for row in self._cards.records(card)]
        return self._read[card][1]

    async def look(self, card: str, choose: Callable[[list[Json]], T | None]) -> T | None:
        """What is chosen of a list; it is read anew before it is said to be missing."""
        if card in self._read and (found := choose(await self.rows(card))) is not None:
            return found
        self.forget(card)
        return choose(await self.rows(card))

    def forget(self, *cards: str) -> None:
        for card in cards:
            self._read.pop(card, None)

    async def columns(self) -> tuple[Named, ...]:
        """Custom fields; one that is called as a column of Snipe-IT's own is hidden by it."""
        rows = [row for row in await self.rows("list_fields") if row["name"] not in OWN]
        return tuple(Named(row["name"], FORMATS.get(row.get("format") or "", "text")) for row in rows)

    async def labels(self, *columns: str) -> dict[str, str]:
        """Labels by columns, with these among them where there are such fields."""
        wanted = set(columns) - self._unknown
        await self.look("list_fields", lambda rows: wanted <= {row["db_column_name"] for row in rows} or None)
        found = {row["db_column_name"]: row["name"] for row in await self.rows("list_fields")}
        self._unknown |= wanted - found.keys()
        return found

    async def written(self, values: Values) -> Json:
        """Values by labels as Snipe-IT has them, by columns. Raises InvalidCall where there is no such custom field."""
        found: Json = {}
        for label, value in values.items():
            row = await self.look("list_fields", partial(labelled, label=label))
            if row is None:
                raise InvalidCall(f"Snipe-IT has no custom field {label}: create it first.")
            is_switch = isinstance(value, bool) and row.get("format") == "BOOLEAN"
            found[row["db_column_name"]] = "01"[value is True] if is_switch else text_of(value)
        return found

    async def status(self, name: str) -> str:
        """The ID of a status label."""
        if (found := await self.look("list_status_labels", lambda rows: _named(rows, name))) is None:
            raise InvalidCall(f"Snipe-IT has no status label {name}: create it first.")
        return str(found["id"])

    async def first_status(self, kind: str) -> str:
        """The ID of the oldest status label of a type."""
        found = await self.look("list_status_labels", lambda rows: next((r for r in rows if r["type"] == kind), None))
        if found is None:
            raise InvalidCall(f"Snipe-IT has no status label of the type {kind}: create one first.")
        return str(found["id"])

    async def category(self, name: str) -> str:
        """The ID of a category of assets, which is created where there is none of this name."""

        def choose(rows: list[Json]) -> Json | None:
            return _named([row for row in rows if plain(row["category_type"]) == "asset"], name)

        if found := await self.look("list_categories", choose):
            return str(found["id"])
        self.forget("list_categories")
        made = await self._cards.call("create_category", name=name)
        return str(made["category_id"])


def labelled(rows: list[Json], label: str) -> Json | None:
    return next((row for row in rows if row["name"] == label), None)


def _named(rows: list[Json], name: str) -> Json | None:
    return next((row for row in rows if plain(row["name"]) == plain(name)), None)
