"""The model of an asset: found by name or number, or made; and which custom fields its assets have."""

from collections import Counter
from functools import partial

from cards.snipeit._inventory import OWN, plain, text_of
from cards.snipeit._register import Register, labelled
from connector import Cards, InvalidCall, Json, Values


class Models:
    """What hangs on the model of an asset: its category, and its fieldset."""

    def __init__(self, cards: Cards, register: Register) -> None:
        self._cards, self._register = cards, register

    async def of(self, values: Values, fields: Json) -> Json:
        """The model of an asset with these values and custom fields: ID and category. Made where there is none."""
        name, number, category = (text_of(values.get(key)) for key in ("model", "model_number", "category"))
        name = name or (None if number else category)
        if not name and not number:
            raise InvalidCall("A new asset needs a model in Snipe-IT, or a category to name one after.")
        found = await self._register.look("list_models", lambda rows: _among(rows, name, number, category))
        if found is None:
            return await self._made(name or number or "", number, category, fields)
        await self.taken(str(found["id"]), fields)
        return found

    async def other(self, now: Json, changes: Values) -> str | None:
        """The ID of the model that an asset of another one gets; None where it stays. Raises InvalidCall."""
        new = {key: value for key, value in changes.items() if plain(value) != plain(now[key])}
        found = await self.of({"category": now["category"], **new}, {}) if "model" in new else None
        if "category" in new and (found is None or plain(found["category"]["name"]) != plain(new["category"])):
            why = f"The category of an asset hangs on its model in Snipe-IT: {new['category']} cannot be written."
            raise InvalidCall(why)
        if "model_number" in new and found is None:
            raise InvalidCall("The model_number of an asset hangs on its model in Snipe-IT: it cannot be written.")
        return str(found["id"]) if found and str(found["id"]) != str(now["model_id"]) else None

    async def taken(self, model_id: str, fields: Json) -> Json:
        """What assets of a model take of custom fields, by columns; what is empty and not theirs is left out.

        Raises InvalidCall for others: Snipe-IT refuses all of a request for one, and names the column alone.
        """
        if fields.keys() - await self._columns(model_id):  # somebody may just have put them there
            self._register.forget("list_models", "list_fieldsets")
        mine = await self._columns(model_id)
        outside = [column for column in fields if column not in mine and fields[column] is not None]
        if not outside:
            return {column: value for column, value in fields.items() if column in mine}
        labels, model = await self._register.labels(*outside), await self._model(model_id) or {}
        names = ", ".join(labels.get(column, column) for column in outside)
        fieldset = (model.get("fieldset") or {}).get("name")
        where = f"the fieldset {fieldset} of" if fieldset else "a fieldset of"
        why = f"Snipe-IT has no {names} for assets of the model {model.get('name', model_id)}: put it into {where} this"
        raise InvalidCall(f"{why} model first.")

    async def create_field(self, label: str) -> None:
        """A custom field in all fieldsets; nothing where Snipe-IT has a column of this name."""
        if not label.strip():
            raise InvalidCall("A custom field needs a label.")
        if label in OWN:
            return
        fieldsets = await self._register.rows("list_fieldsets")
        if not fieldsets:
            raise InvalidCall(
                f"Snipe-IT has no fieldset to put {label} into: make one, and give it to the models first."
            )
        there = await self._register.look("list_fields", partial(labelled, label=label))
        made = there or await self._cards.call("create_field", name=label)
        self._register.forget("list_fields", "list_fieldsets")
        for fieldset in fieldsets:
            await self._cards.call(
                "associate_field", field_id=str(made["id" if there else "field_id"]), fieldset_id=str(fieldset["id"])
            )

    async def _columns(self, model_id: str) -> set[str]:
        """The custom fields that assets of a model have."""
        fieldset = str(((await self._model(model_id) or {}).get("fieldset") or {}).get("id"))
        sets = await self._register.rows("list_fieldsets")
        return next((_columns(each) for each in sets if str(each["id"]) == fieldset), set())

    async def _model(self, model_id: str) -> Json | None:
        def choose(rows: list[Json]) -> Json | None:
            return next((row for row in rows if str(row["id"]) == model_id), None)

        return await self._register.look("list_models", choose)

    async def _made(self, name: str, number: str | None, category: str | None, fields: Json) -> Json:
        if category is None:
            raise InvalidCall(f"Snipe-IT has no model {name}: to make one, a category is needed.")
        fieldset = await self._fieldset(category, fields)
        inputs: Json = {"name": name, "category_id": await self._register.category(category)}
        inputs |= {"model_number": number} if number else {}
        inputs |= {"fieldset_id": fieldset} if fieldset else {}
        made = await self._cards.call("create_model", **inputs)
        self._register.forget("list_models")
        return {"id": made["model_id"], "category": {"name": category}}

    async def _fieldset(self, category: str, fields: Json) -> str | None:
        """That of most models in a category among those with these custom fields; where fields are given, any such."""
        sets = await self._register.rows("list_fieldsets")
        fit = [str(each["id"]) for each in sets if _columns(each) >= fields.keys()]
        if fields and not fit:
            labels = await self._register.labels(*fields)
            names = ", ".join(sorted(labels.get(column, column) for column in fields))
            raise InvalidCall(f"No fieldset of Snipe-IT has all of {names}: put them into one first.")
        models = [row for row in await self._register.rows("list_models") if row.get("fieldset")]
        near = [row["fieldset"] for row in models if plain(row["category"]["name"]) == plain(category)]
        counted = Counter(id_ for fieldset in near if (id_ := str(fieldset["id"])) in fit)
        return next((id_ for id_, _ in counted.most_common(1)), fit[0] if fields else None)


def _among(rows: list[Json], name: str | None, number: str | None, category: str | None) -> Json | None:
    """The model of this number, else of this name, and of several the one in the category. Raises InvalidCall."""
    found = _candidates(rows, name, number)
    near = [row for row in found if category and plain(row["category"]["name"]) == plain(category)]
    some = near or found
    if len(some) > 1:
        raise InvalidCall(f"Snipe-IT has {len(some)} models {name or number}: give the model_number of one of them.")
    return some[0] if some else None


def _candidates(rows: list[Json], name: str | None, number: str | None) -> list[Json]:
    named = [row for row in rows if name and plain(row["name"]) == plain(name)]
    if number:
        numbered = [row for row in rows if plain(row.get("model_number")) == plain(number)]
        both = [row for row in named if row in numbered]
        return both or numbered or [row for row in named if not row.get("model_number")]
    return named or [row for row in rows if name and plain(row.get("model_number")) == plain(name)]


def _columns(fieldset: Json) -> set[str]:
    return {row["db_column_name"] for row in (fieldset.get("fields") or {}).get("rows") or []}
