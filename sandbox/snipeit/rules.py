"""What the server checks of a body before it takes it. Problems are told by key; they come with HTTP 200."""

import re
from collections.abc import Iterator
from typing import Any

from sandbox.snipeit.database import Asset, Database

Json = dict[str, Any]

ASSET = ("name", "asset_tag", "serial", "model_id", "status_id", "notes", "order_number", "purchase_date")
PLACES = ("rtd_location_id", "location_id")
USER = ("first_name", "last_name", "username", "email", "employee_num", "jobtitle", "location_id", "activated")
TARGETS = {"user": "assigned_user", "location": "assigned_location", "asset": "assigned_asset"}
FORMATS = {
    "MAC": re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}"),
    "NUMERIC": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "EMAIL": re.compile(r"[^@\s]+@[^@\s]+"),
}
ELEMENTS = ("text", "textarea", "listbox", "checkbox", "radio")
CATEGORY_TYPES = ("asset", "accessory", "consumable", "component", "license")
LEAST_PASSWORD = 8


class Invalid(Exception):
    """A body that is refused: what is wrong, by key; or a sentence."""

    def __init__(self, messages: dict[str, list[str]] | str, payload: Any = None) -> None:
        super().__init__(str(messages))
        self.messages = messages
        self.payload = payload


def asset(database: Database, body: Json, found: Asset | None = None) -> Json:
    """The columns that a body sets of an asset. Keys that nobody knows are ignored, but not custom fields."""
    before = found.own if found else {}
    own = {key: body[key] for key in (*ASSET, *PLACES) if key in body}
    custom = {key: value for key, value in body.items() if key.startswith("_snipeit_")}
    if found is None and not own.get("asset_tag") and database.settings.auto_increment:
        own["asset_tag"] = f"{max(database.assets, default=0) + 1:05}"
    after = {**before, **own}
    problems: dict[str, list[str]] = {}
    for key, rows in (("model_id", database.models), ("status_id", database.status_labels)):
        own |= {key: _known(after, key, rows, problems)} if key in own or found is None else {}
    for key in PLACES:
        own |= {key: _known(after, key, database.places, problems)} if own.get(key) is not None else {}
    if not after.get("asset_tag"):
        problems["asset_tag"] = ["The asset tag field is required."]
    for key in ("asset_tag", *(("serial",) if database.settings.unique_serial else ())):
        if any(each.own.get(key) == after.get(key) for each in _others(database, found)) and after.get(key):
            problems[key] = [f"The {key.replace('_', ' ')} must be unique."]
    for key, why in [] if "model_id" in problems else _custom_problems(database, own.get("model_id"), before, custom):
        problems[key] = [why]
    if problems:
        raise Invalid(problems)
    return {"rtd_location_id": None, **own, **custom} if found is None else {**own, **custom}


def user(database: Database, body: Json, id_: int | None = None) -> Json:
    """The columns that a body sets of a user. An email address is not unique."""
    own = {key: body[key] for key in USER if key in body}
    after = {**(database.users[id_].own if id_ else {}), **own}
    problems = {
        key: [f"The {key.replace('_', ' ')} field is required."]
        for key in ("first_name", "username")
        if not after.get(key)
    }
    same = (other for other in database.users.values() if other.id != id_ and other.deleted is None)
    if any(other.own["username"] == after.get("username") for other in same):
        problems["username"] = ["The username has already been taken."]
    if id_ is None and not body.get("ldap_import"):
        word = body.get("password")
        if not isinstance(word, str) or len(word) < LEAST_PASSWORD:
            problems["password"] = [f"The password field must be at least {LEAST_PASSWORD} characters."]
        elif word != body.get("password_confirmation"):
            problems["password"] = ["The password field confirmation does not match."]
    if own.get("email") and not FORMATS["EMAIL"].fullmatch(str(own["email"])):
        problems["email"] = ["The email field must be a valid email address."]
    if problems:
        raise Invalid(problems)
    return {key: int(value) if key.endswith("_id") and value is not None else value for key, value in own.items()}


def model(database: Database, body: Json) -> Json:
    own: Json = {key: body[key] for key in ("name", "model_number", "category_id", "fieldset_id") if key in body}
    problems = {} if own.get("name") else {"name": ["The name field is required."]}
    own["category_id"] = _known(own, "category_id", database.categories, problems)
    if own.get("fieldset_id") is not None:
        own["fieldset_id"] = _known(own, "fieldset_id", database.fieldsets, problems)
    if problems:
        raise Invalid(problems)
    return own


def category(database: Database, body: Json) -> Json:
    own = {key: body.get(key) for key in ("name", "category_type")}
    problems: dict[str, list[str]] = {}
    if not own["name"]:
        problems["name"] = ["The name field is required."]
    elif any(own == {key: row.own[key] for key in own} for row in database.categories.values()):
        problems["name"] = ["The name must be unique across asset categories."]
    if own["category_type"] not in CATEGORY_TYPES:
        problems["category_type"] = ["The selected category type is invalid."]
    if problems:
        raise Invalid(problems)
    return own


def field(database: Database, body: Json) -> Json:
    own = {key: body.get(key) for key in ("name", "element", "format", "field_values", "help_text")}
    problems: dict[str, list[str]] = {}
    if not own["name"]:
        problems["name"] = ["The name field is required."]
    elif any(own["name"] == row.own["name"] for row in database.fields.values()):
        problems["name"] = ["The name has already been taken."]
    if own["element"] not in ELEMENTS:
        problems["element"] = ["The selected element is invalid."]
    if problems:
        raise Invalid(problems)
    return own


def checkout(database: Database, body: Json) -> tuple[str, int]:
    """To whom. That the asset is free is looked at by the caller, after this."""
    kind, problems = body.get("checkout_to_type"), noted(database, body)
    if kind not in TARGETS:
        problems["checkout_to_type"] = ["The checkout to type field is required."]
    elif body.get(TARGETS[kind]) is None:
        problems[TARGETS[kind]] = [f"The {TARGETS[kind].replace('_', ' ')} field is required."]
    status = body.get("status_id")
    if status is not None and _type(database, status) != "deployable":
        problems["status_id"] = ["The selected status label is not deployable."]
    if kind not in TARGETS or problems:
        raise Invalid(problems)
    return kind, int(body[TARGETS[kind]])


def noted(database: Database, body: Json) -> dict[str, list[str]]:
    missing = database.settings.require_notes and not body.get("note")
    return {"note": ["The note field is required."]} if missing else {}


def _custom_problems(database: Database, model_id: int | None, before: Json, custom: Json) -> Iterator[tuple[str, str]]:
    mine = {row.own["db_column"]: row for row in database.fields_of(model_id or before["model_id"])}
    everywhere = {row.own["db_column"] for row in database.fields.values()}
    for key, value in custom.items():
        if key not in mine:
            yield (
                key,
                "The field is not in the fieldset of the model." if key in everywhere else "There is no such field.",
            )
            continue
        form = FORMATS.get(mine[key].own["format"])
        if value not in (None, "") and form and not form.fullmatch(str(value)):
            yield key, f"The {mine[key].own['name']} field does not have the form {mine[key].own['format']}."


def _known(own: Json, key: str, rows: dict[int, Any], problems: dict[str, list[str]]) -> int | None:
    value, name = own.get(key), key.replace("_", " ")
    if value in (None, ""):
        problems[key] = [f"The {name} field is required."]
    elif not str(value).isdecimal() or int(value) not in rows:
        problems[key] = [f"The selected {name} is invalid."]
    else:
        return int(value)
    return None


def _others(database: Database, found: Asset | None) -> Iterator[Asset]:
    return (each for each in database.assets.values() if each is not found and each.deleted is None)


def _type(database: Database, status: Any) -> str:
    row = database.status_labels.get(int(status)) if str(status).isdecimal() else None
    return str(row.own["type"]) if row else ""
