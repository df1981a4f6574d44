"""How Snipe-IT's records look on the wire, and how they are read and written. Knows no request.

GET gives texts HTML-escaped and custom fields as `{label: {field, value}}`; a body has them plain, by their column, at
the top. What POST and PATCH answer of an asset is its row, which is neither escaped nor nested.
"""

import re
from html import unescape
from typing import Any

from connector import InvalidCall, Json

COLUMN = re.compile(r"_snipeit_\w+")
DEEPEST = 50
NUMBERS = re.compile(r".+_id|assigned_.+")
EMPTY = {
    **{key: key for key in ("name", "serial", "notes", "order_number", "purchase_date", "last_name", "email")},
    **{"employee_number": "employee_num", "job_title": "jobtitle"},
}


def unescaped(value: Any, depth: int = DEEPEST) -> Any:
    """Every text as it was before it was escaped, once. Keys are left: labels of custom fields are not escaped."""
    if isinstance(value, str):
        return unescape(value)
    if depth and isinstance(value, dict):
        return {key: unescaped(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list):
        return [unescaped(item, depth - 1) for item in value]
    return value


def with_fields(record: Json) -> Json:
    """The record with `fields`: its custom fields by their column, as they are written."""
    nested = record.get("custom_fields")
    entries = [each for each in nested.values() if isinstance(each, dict)] if isinstance(nested, dict) else []
    columns = {key: value for key, value in record.items() if COLUMN.fullmatch(key)}
    return {**record, "fields": {**columns, **{each.get("field"): each.get("value") for each in entries}}}


def changed(payload: Json) -> Json:
    """What a change answers, as GET gives it: a row has the IDs only."""
    if "available_actions" in payload:  # only what was made for display has them, and that is escaped
        payload = unescaped(payload)
    names = {"model": "model_id", "status_label": "status_id", "category": "category_id"}
    related = {name: {"id": payload[key]} for name, key in names.items() if key in payload}
    return with_fields({**payload, **related})


def body_of(inputs: Json) -> Json:
    """Inputs as a body: what is under `fields` at the top, IDs as numbers, null for what is named in `empty`.

    Raises InvalidCall for columns that are none, and for what cannot be empty.
    """
    fields: Json = inputs.get("fields", {})
    if wrong := sorted(key for key in fields if not COLUMN.fullmatch(key)):
        raise InvalidCall(
            f"Fields holds {', '.join(wrong)}: a custom field has a column such as _snipeit_os_version_3."
        )
    own = {key: value for key, value in inputs.items() if key not in ("fields", "empty")}
    empty = inputs.get("empty", [])
    if wrong := sorted(str(key) for key in empty if key not in EMPTY):
        raise InvalidCall(f"Empty holds {', '.join(wrong)}, which cannot be emptied; {', '.join(EMPTY)} can.")
    emptied = dict.fromkeys((EMPTY[key] for key in empty), None)
    return emptied | {key: int(value) if NUMBERS.fullmatch(key) else value for key, value in own.items()} | fields
