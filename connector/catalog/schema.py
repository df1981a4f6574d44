"""Card -> JSON Schema 2020-12: one self-contained document that describes a whole call, asked and answered.

An instance is `{"options": {...}, "inputs": {...}, "outputs": {...}}`, with `stream` beside them for a streamed list.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from annotated_types import Ge, Le, MaxLen, MinLen

from connector.sdk.card import Card
from connector.sdk.errors import InvalidCall
from connector.sdk.kinds import LIST, Json
from connector.sdk.reading import read
from connector.sdk.results import STREAM, Stream
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, Row, Table, rows

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def schema(card: Card) -> Json:
    """The card's published document."""
    properties: Json = {"options": options_schema(card.options), "inputs": given_schema(card.inputs)}
    document: Json = {
        "$schema": DIALECT,
        "$id": f"/schemas/{card.connector}/{card.name}.json",
        "title": card.title,
        "description": card.description,
        "type": "object",
        "properties": properties,
        "required": ["options", "inputs", "outputs"],
        "x-card": card.key,
        "x-effect": card.effect,
        "x-disruptive": card.disruptive,
        "x-list": card.results is not None,
        "x-keywords": list(card.keywords),
    }
    if card.record:
        properties["stream"] = given_schema(Stream)
        document["x-record"] = record_schema(card.record)
    if len(card.outputs) == 1 and not card.outputs[0].when:
        properties["outputs"] = outputs_schema(card, card.outputs[0])
    else:
        document["oneOf"] = [_variant(card, table) for table in card.outputs]
    return document


def _variant(card: Card, table: type[CardOutputs]) -> Json:
    chosen = {key: {"const": value} for key, value in table.when.items()}
    properties: Json = {"options": {"properties": chosen}, "outputs": outputs_schema(card, table)}
    if card.results and table.when.get("result_set") != STREAM:
        properties["stream"] = False
    return {"title": variant_title(card, table), "properties": properties}


def variant_title(card: Card, table: type[CardOutputs]) -> str:
    """The guide's words for the choice that makes this table appear."""
    labels = {row.key: row for row in rows(card.options)}
    return ", ".join(labels[key].label_of_choice(value) for key, value in table.when.items())


def options_schema(options: type[CardOptions]) -> Json:
    return _object(rows(options), closed=True)


def given_schema(table: type[Table]) -> Json:
    """What a caller gives: inputs, a stream, a connection."""
    wanted = table.any_of if issubclass(table, CardInputs) else ()
    some = [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in wanted]
    return {**_object(rows(table), closed=True), **({"anyOf": some} if some else {})}


def outputs_schema(card: Card, table: type[CardOutputs]) -> Json:
    """What a card answers: every key is there, null where it is empty."""
    found = _outputs(table)
    if card.results and card.record and card.results.into in found["properties"]:
        found["properties"][card.results.into]["items"] = record_schema(card.record)
    return found


def _outputs(table: type[CardOutputs]) -> Json:
    return _object(rows(table), closed=True, required=[row.key for row in rows(table)])


def record_schema(record: type[Record]) -> Json:
    """A record as the service sends it: known keys are described, others are let through."""
    return _object(rows(record), closed=False, required=[])


def _object(some: Iterable[Row], *, closed: bool, required: list[str] | None = None) -> Json:
    some = tuple(some)
    needed = [row.key for row in some if row.required] if required is None else required
    return {
        "type": "object",
        "properties": {row.key: row_schema(row) for row in some},
        "required": needed,
        "additionalProperties": not closed,
    }


def row_schema(row: Row) -> Json:
    """One row: its label and words, its type (nullable unless required), its limits and choices."""
    if row.group:
        return {"title": row.label, **_outputs(row.group)}  # type: ignore[arg-type]  # groups hold outputs
    kind: Json = dict(row.kind.schema)
    if not row.required and "type" in kind:
        kind["type"] = [kind["type"], "null"]
    found = {"title": row.label, "description": row.says, **kind, **_limits(row), **_choices(row)}
    if row.kind is LIST:
        plain = dict(row.item.schema) if row.item else {}
        found["items"] = record_schema(row.mark.items) if row.mark.items else plain
    return {**found, "x-kind": "Dropdown" if row.choices else row.kind.name, **_marks(row)}


def _limits(row: Row) -> Json:
    found: Json = {"minLength": 1} if row.required and row.kind.name == "Text" and not row.choices else {}
    for limit in row.limits:
        match limit:
            case MinLen():
                found["minItems" if row.kind is LIST else "minLength"] = limit.min_length
            case MaxLen():
                found["maxItems" if row.kind is LIST else "maxLength"] = limit.max_length
            case Ge():
                found["minimum"] = limit.ge
            case Le():
                found["maximum"] = limit.le
            case _ if pattern := getattr(limit, "pattern", None):
                found["pattern"] = pattern
    if row.mark.digits:
        found["pattern"] = f"^[0-9]{{{row.mark.digits.count}}}$"
    return found | ({"default": row.default} if row.default is not None and not row.mark.at else {})


def _choices(row: Row) -> Json:
    if not row.choices:
        return {}
    labels = {choice: row.label_of_choice(choice) for choice in row.choices}
    return {"enum": [*row.choices, *([] if row.required else [None])], "x-labels": labels}


def _marks(row: Row) -> Json:
    found: Mapping[str, Any] = {"x-secret": row.mark.secret, "x-choices": row.mark.choices}
    return {key: value for key, value in found.items() if value}


def resolved(card: Card, chosen: Json) -> Json:
    """The tables for the options chosen so far, flat: no oneOf, no conditions. Raises InvalidCall for a wrong choice.

    `options` are those still open; `outputs` is null until they are all chosen.
    """
    chosen = {key: value for key, value in chosen.items() if str(value or "").strip()}
    options = read(card.options, chosen, "options", "option")
    still_open = [row for row in rows(card.options) if row.required and row.key not in chosen]
    if isinstance(options, list):
        places = {f"options/{row.key}" for row in still_open}
        if wrong := [fault for fault in options if fault.at not in places]:
            raise InvalidCall.of(wrong)
    table = None if isinstance(options, list) else card.outputs_for(options)
    streams = table is not None and table.when.get("result_set") == STREAM
    return {
        "card": card.key,
        "options": _object(still_open, closed=True),
        "inputs": _flat(card.inputs),
        "stream": _flat(Stream) if streams else None,
        "outputs": outputs_schema(card, table) if table else None,
    }


def _flat(table: type[CardInputs]) -> Json:
    """The table without its rule across rows, which is named instead."""
    return {**_object(rows(table), closed=True), **({"x-any-of": list(table.any_of)} if table.any_of else {})}
