"""Custom fields: the one place that knows how they look on the wire, which nobody has written down.

They are properties of a record beside its own, by their key, such as `serialNumber`. Clients of others read them bare
(`"C02X"`) and wrapped (`{"value": "C02X"}`), so both are read; in which of them they are written is the connection's.
"""

from typing import Any, Literal

from connector import InvalidCall, Json

Form = Literal["bare", "wrapped"]

RELATED = frozenset({"category", "checkout", "repair", "reservation", "labels", "address"})
OWN = RELATED | {"tag", "description", "name", "archived", "deleted"}
EMPTIABLE = frozenset({"tag", "description", "category"})
SERIAL = "serialNumber"
KEPT_BY_SERVICE = frozenset({"id", "type", "checkout", "repair", "reservation", "createDate", "updateDate"})


def read(record: Json) -> Json:
    """The record with its custom fields bare. Another record that a field refers to stays as it is."""
    return {key: value if key in RELATED else _bare(value) for key, value in record.items()}


def custom(record: Json) -> Json:
    """The custom fields of a record that was read."""
    return {key: value for key, value in record.items() if key not in OWN | KEPT_BY_SERVICE}


def given(body: Json) -> Json:
    """Inputs as a record: what is under `fields` beside the rest, and null for what is to be empty.

    Raises InvalidCall where one is no custom field, cannot be empty, or is given as well.
    """
    fields, empty = body.get("fields", {}), body.get("empty", [])
    own = {key: value for key, value in body.items() if key not in ("fields", "empty")}
    if wrong := sorted(fields.keys() & (OWN | KEPT_BY_SERVICE)):
        raise InvalidCall(f"Fields holds {', '.join(wrong)}, which every record has: it is no custom field.")
    if any(key not in EMPTIABLE or key in own for key in empty):
        raise InvalidCall(f"Empty names any of {', '.join(sorted(EMPTIABLE))}, and none that has a value here.")
    return {**own, **dict.fromkeys(empty), **fields}


def written(record: Json, form: Form) -> Json:
    """The record as a body: without what only the service sets, and with its custom fields in this form."""
    ours = {key: value for key, value in record.items() if key not in KEPT_BY_SERVICE}
    return {key: value if key in OWN else _formed(value, form) for key, value in ours.items()}


def _formed(value: Any, form: Form) -> Any:
    return value if form == "bare" or isinstance(value, dict) else {"value": value}  # an object is another record


def _bare(value: Any) -> Any:
    is_wrapped = isinstance(value, dict) and "value" in value and not isinstance(value["value"], dict)
    return value["value"] if is_wrapped else value
