"""Assets and people as the sync has them, from what the cards answer and back. Knows no request."""

import secrets
from collections.abc import Mapping
from typing import Any

from connector import NOBODY, Asset, Assignee, InvalidCall, Json, Named, Person, Values, is_blank

INPUTS = {"tag": "asset_tag", "serial": "serial", "name": "name", "notes": "notes", "order_number": "order_number"}
"""Columns that are written as they are, and the inputs of the cards."""
COLUMNS = (
    *map(Named, ("tag", "serial", "category", "status", "name", "notes", "model", "model_number", "order_number")),
    Named("purchase_date", "date"),
)
OWN = {column.name for column in COLUMNS}
HANGING = ("model", "model_number", "category")  # columns that follow from the model of an asset
LENGTHS = dict.fromkeys(("tag", "serial", "name", "order_number"), 191)  # of the columns; more is an error
NEEDED = ("tag", "category", "status", "model")
PEOPLE = ("username", "employee_number", "job_title")
STRONG = "-aA1"  # what a server may ask of a password besides its length


def asset_of(found: Json, labels: Mapping[str, str]) -> Asset:
    """An asset by the outputs of Get Asset; `labels` are those of custom fields by their columns."""
    own = {key: found[key] for key in ("name", "notes", "model", "model_number", "order_number", "purchase_date")}
    fields = {labels.get(key, key): value for key, value in (found["fields"] or {}).items()}
    return Asset(
        sys_id=found["asset_id"],
        tag=found["asset_tag"],
        serial=found["serial"],
        category=found["category"],
        status=found["status"],
        fields={key: None if is_blank(value) else value for key, value in {**fields, **own}.items()},
        assignee=_assignee(found["assigned_type"], found["assigned_id"]),
        archived=found["status_type"] == "archived",
    )


def own_inputs(values: Values) -> Json:
    """Columns that are written as they are, as inputs of a card; what is to be empty by its name."""
    given = {key: text_of(values[label]) for label, key in INPUTS.items() if label in values}
    if "purchase_date" in values:
        given["purchase_date"] = (text_of(values["purchase_date"]) or "")[:10] or None  # of a time, the day
    return _with_empty(given)


def person_of(found: Json) -> Person:
    name = " ".join(part for part in (found["first_name"], found["last_name"]) if part)
    return Person(found["user_id"], name or None, found["email"], {key: found[key] for key in PEOPLE})


def person_inputs(values: Values) -> Json:
    """Columns of a person as inputs of a card; what is to be empty by its name."""
    if unknown := sorted(values.keys() - {"name", "email", *PEOPLE}):
        raise InvalidCall(f"A user of Snipe-IT has no {', '.join(unknown)}; but name, email, {', '.join(PEOPLE)}.")
    given = {key: text_of(value) for key, value in values.items() if key != "name"}
    if "name" in values:
        first, _, last = " ".join((text_of(values["name"]) or "").split()).partition(" ")
        if not first:
            raise InvalidCall("A person needs a name in Snipe-IT.")
        given |= {"first_name": first, "last_name": last or None}
    if "username" in given and given["username"] is None:
        raise InvalidCall("A person needs a username in Snipe-IT.")
    return _with_empty(given)


def password() -> str:
    """One that nobody knows, and that no server finds too weak."""
    return secrets.token_urlsafe(32) + STRONG


def text_of(value: Any) -> str | None:
    """A value as Snipe-IT keeps it, which is text; None for what is empty."""
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return None if is_blank(value) else str(value)


def plain(text: Any) -> str:
    """As it is compared: case and blanks do not count."""
    return " ".join(str(text or "").split()).casefold()


def _with_empty(given: Json) -> Json:
    empty = sorted(key for key, value in given.items() if value is None)
    inputs = {key: value for key, value in given.items() if value is not None}
    return {**inputs, "empty": empty} if empty else inputs


def _assignee(kind: str | None, id_: str | None) -> Assignee:
    if kind == "user":
        return Assignee("person", id_)
    if kind == "location":
        return Assignee("location", id_)
    return Assignee("asset", id_) if kind == "asset" else NOBODY
