"""How records look on the wire, and how bodies are read: the only place that knows the form of custom fields."""

from datetime import UTC, datetime
from typing import Any

from sandbox.assetbots.database import Checkout, Database, Note, Thing
from sandbox.assetbots.facts import ASSET_FIELDS, PERSON_FIELDS

Json = dict[str, Any]
READ_ONLY = {
    "id",
    "type",
    "checkout",
    "repair",
    "reservation",
    "createDate",
    "updateDate",
}  # sent back as read: ignored
OWN: dict[str, tuple[str, ...]] = {
    "asset": ("tag", "description", "category", "labels", "archived", "deleted"),
    "person": ("name", "labels", "archived", "deleted"),
}
FIELDS = {"asset": ASSET_FIELDS, "person": PERSON_FIELDS}
LENGTHS = {"tag": (0, 48), "description": (0, 256), "name": (2, 64), "email": (0, 128), "title": (0, 64)}


class Invalid(Exception):
    """A body that is refused: what is wrong, by key. Only 400 of notes is documented; that of others is a guess."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(str(problems))
        self.problems = problems


def moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}Z"


def asset(database: Database, thing: Thing) -> Json:
    category = thing.own.get("category")
    checkout = database.checkouts[thing.checkout] if thing.checkout else None
    return {
        **_dated(thing, "Asset"),
        "tag": thing.own.get("tag"),
        "description": thing.own.get("description"),
        "category": related("Category", category, database.categories[category]) if category else None,
        "labels": thing.own.get("labels") or [],
        "archived": bool(thing.own.get("archived")),
        "deleted": bool(thing.own.get("deleted")),
        "checkout": related("Checkout", checkout.id, _checkout_value(database, checkout)) if checkout else None,
        "repair": related("Repair", f"r-{thing.id}", {"status": "InRepair"}) if thing.is_in_repair else None,
        "reservation": related("Reservation", f"v-{thing.id}", {"status": "Reserved"}) if thing.is_reserved else None,
        **_custom(database, thing),
    }


def person(database: Database, thing: Thing) -> Json:
    return {
        **_dated(thing, "Person"),
        "name": thing.own["name"],
        "labels": thing.own.get("labels") or [],
        "archived": bool(thing.own.get("archived")),
        "deleted": bool(thing.own.get("deleted")),
        **_custom(database, thing),
    }


def location(database: Database, thing: Thing) -> Json:
    flags = {"archived": False, "deleted": False, "labels": []}
    return {**_dated(thing, "Location"), "name": thing.own["name"], "address": thing.own.get("address"), **flags}


def checkout(database: Database, found: Checkout) -> Json:
    return {
        "id": found.id,
        "type": "Checkout",
        "createDate": moment(found.created),
        "assets": [_related_asset(database, asset_id) for asset_id in found.asset_ids],
        **_checkout_value(database, found),
    }


def check_in(database: Database, found: Checkout, asset_ids: list[str], date: str) -> Json:
    return {
        "id": database.new_id("check-in"),
        "type": "CheckIn",
        "checkoutId": found.id,
        "status": "CheckedIn",
        "date": date,
        "assets": [_related_asset(database, asset_id) for asset_id in asset_ids],
    }


def note(found: Note) -> Json:
    about = {"targetId": found.target_id, "value": found.value, "userId": None}
    return {"id": found.id, "type": "Note", **about, "createDate": moment(found.created)}


def related(kind: str, id_: str, value: Any) -> Json:
    return {"id": id_, "type": kind, "value": value}


def read(database: Database, kind: str, body: Json) -> tuple[Json, Json]:
    """The keys of its own and the custom fields that a body gives. Raises Invalid with all that is wrong."""
    own = {key: value for key, value in body.items() if key in OWN[kind]}
    given = {key: value for key, value in body.items() if key in FIELDS[kind]}
    unknown = body.keys() - own.keys() - given.keys() - READ_ONLY
    refused = unknown if database.settings.unknown_fields == "refuse" else set()
    problems = dict.fromkeys(sorted(refused), "There is no field of this key.")
    fields = {key: _plain(database, key, value, problems) for key, value in given.items()}
    for key, value in {**own, **fields}.items():
        least, most = LENGTHS.get(key, (0, 10_000))
        if key in LENGTHS and value is not None and not (isinstance(value, str) and least <= len(value) <= most):
            problems[key] = f"Must be text of {least} to {most} characters."
    if "category" in own:
        own["category"] = _category(database, own["category"], problems)
    if problems:
        raise Invalid(problems)
    return own, fields


def _dated(thing: Thing, type_: str) -> Json:
    return {"id": thing.id, "type": type_, "createDate": moment(thing.created), "updateDate": moment(thing.updated)}


def _custom(database: Database, thing: Thing) -> Json:
    wrapped = database.settings.custom_fields == "wrapped"
    return {key: {"value": value} if wrapped else value for key, value in thing.fields.items()}


def _plain(database: Database, key: str, value: Any, problems: dict[str, str]) -> Any:
    """A custom field out of its form; the other form is refused."""
    is_wrapped = isinstance(value, dict) and value.keys() == {"value"}
    if value is not None and is_wrapped != (database.settings.custom_fields == "wrapped"):
        problems[key] = "The value has the wrong form."
        return None
    return value["value"] if is_wrapped else value


def _category(database: Database, value: Any, problems: dict[str, str]) -> str | None:
    id_ = value.get("id") if isinstance(value, dict) else value
    if id_ is not None and (not isinstance(value, dict) or id_ not in database.categories):
        problems["category"] = "There is no such category."
    return id_


def _checkout_value(database: Database, found: Checkout) -> Json:
    whom: Json = {"person": None, "location": None}
    if found.person_id:
        thing = database.people[found.person_id]
        value = {"name": thing.own["name"], **{key: thing.fields.get(key) for key in ("email", "title")}}
        whom["person"] = related("Person", thing.id, value)
    if found.location_id:
        place = database.locations[found.location_id]
        whom["location"] = related("Location", place.id, {"name": place.own["name"], "address": None})
    return {"status": found.status, "date": found.date, "dueDate": found.due, **whom}


def _related_asset(database: Database, asset_id: str) -> Json:
    own = database.assets[asset_id].own
    return related("Asset", asset_id, {"tag": own.get("tag"), "description": own.get("description")})
