"""Tables as JSON Schema 2020-12, and the flat tables for options that were chosen."""

import json
from typing import Any, Literal

import jsonschema
import pytest

from connector.catalog.find import catalog
from connector.catalog.schema import given_schema, options_schema, record_schema, resolved, row_schema, schema
from connector.sdk.errors import InvalidCall
from connector.sdk.kinds import AnyJson, Boolean, Date, Integer, List, Number, Object, Text
from connector.sdk.tables import CardInputs, CardOptions, Record, Row, field, rows

CARDS = list(catalog().cards.values())


class Item(Record):
    id: Text = field("ID")


class Inputs(CardInputs, any_of=("text", "number")):
    needed: str = field("Needed", max_length=9, pattern="^[a-z]+$")
    text: Text = field("Text", min_length=2)
    number: Number = field("Number", label="A Number", ge=1, le=5)
    whole: Integer = field("Whole")
    flag: Boolean = field("Flag")
    sure: bool = field("Sure", default=False)
    when: Date = field("When")
    thing: Object = field("Thing")
    items: List = field("Items", items=Item)
    names: list[str] | None = field("Names", min_length=1, max_length=3)
    pin: Text = field("PIN", digits=6, secret=True)
    kind: Literal["a", "b_c"] = field("Kind", labels={"a": "First"})
    other: Literal["a", "b"] = field("Other", default="b")
    live: Text = field("Live", choices="acme.list_things:id,name")
    any: AnyJson = field("Anything")


class Options(CardOptions):
    details: Literal["basic", "full"] = field("How much")


def row(key: str) -> Row:
    return next(row for row in rows(Inputs) if row.key == key)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("needed", {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+$", "x-kind": "Text"}),
        ("text", {"type": ["string", "null"], "minLength": 2, "x-kind": "Text"}),
        ("number", {"type": ["number", "null"], "minimum": 1, "maximum": 5, "x-kind": "Number"}),
        ("whole", {"type": ["integer", "null"], "x-kind": "Number"}),
        ("flag", {"type": ["boolean", "null"], "x-kind": "Boolean"}),
        ("sure", {"type": ["boolean", "null"], "default": False, "x-kind": "Boolean"}),
        ("when", {"type": ["string", "null"], "format": "date-time", "x-kind": "Date"}),
        ("thing", {"type": ["object", "null"], "x-kind": "Object"}),
        ("items", {"type": ["array", "null"], "items": record_schema(Item), "x-kind": "List"}),
        (
            "names",
            {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "x-kind": "List"},
        ),
        ("pin", {"type": ["string", "null"], "pattern": "^[0-9]{6}$", "x-secret": True, "x-kind": "Text"}),
        (
            "kind",
            {"type": "string", "enum": ["a", "b_c"], "x-labels": {"a": "First", "b_c": "B C"}, "x-kind": "Dropdown"},
        ),
        (
            "other",
            {
                **{"type": ["string", "null"], "enum": ["a", "b", None], "default": "b"},
                **{"x-labels": {"a": "A", "b": "B"}, "x-kind": "Dropdown"},
            },
        ),
        ("live", {"type": ["string", "null"], "x-choices": "acme.list_things:id,name", "x-kind": "Text"}),
        ("any", {"x-kind": "JSON"}),
    ],
)
def test_a_row_says_what_it_takes(key: str, expected: dict[str, Any]) -> None:
    """Its label, its words, its type (null where it may be empty), its limits and choices."""
    found = row_schema(row(key))

    assert (found.pop("title"), found.pop("description")) == (row(key).label, row(key).says)
    assert found == expected


def test_a_table_is_an_object_without_more() -> None:
    """What is required is named; what is not there is refused."""
    found = given_schema(Inputs)

    assert found["required"] == ["needed", "kind"]
    assert found["additionalProperties"] is False
    assert list(found["properties"]) == [row.key for row in rows(Inputs)]


@pytest.mark.parametrize(
    ("more", "valid"),
    [
        ({"text": "xy"}, True),
        ({"number": 1}, True),
        ({"text": None, "number": 2}, True),
        ({}, False),
        ({"text": None}, False),
    ],
)
def test_a_rule_across_rows_is_published(more: dict[str, Any], valid: bool) -> None:
    """At least one of them is there, and not null."""
    checker = jsonschema.Draft202012Validator(given_schema(Inputs))

    assert checker.is_valid({"needed": "x", "kind": "a", **more}) is valid


def test_a_record_lets_unknown_keys_through() -> None:
    """Services add keys; none is required."""
    checker = jsonschema.Draft202012Validator(record_schema(Item))

    assert checker.is_valid({"new": 1})
    assert not checker.is_valid({"id": 1})


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.key)
def test_a_document_stands_alone(card: Any) -> None:
    """One file describes a whole call: no references, and every part of it explains itself."""
    text = json.dumps(schema(card))

    assert "$ref" not in text
    assert schema(card)["$id"] == f"/schemas/{card.connector}/{card.name}.json"
    assert (schema(card)["x-card"], schema(card)["x-effect"]) == (card.key, card.effect)


def test_outputs_follow_the_options() -> None:
    """A document says which table appears for which choice, in the guide's words."""
    document = schema(catalog().card("kandji.list_devices"))
    call = {"options": {"result_set": "stream"}, "inputs": {}, "outputs": {"record_count": 3}}
    checker = jsonschema.Draft202012Validator(document)

    assert [variant["title"] for variant in document["oneOf"]] == [
        *("First Matching Record", "First 200 Matching Records", "Stream Matching Records"),
    ]
    assert checker.is_valid({**call, "stream": {"flow": "onboard"}})
    assert not checker.is_valid({**call, "outputs": {"devices": []}})
    assert not checker.is_valid({**call, "options": {"result_set": "first_200"}, "stream": {"flow": "onboard"}})


def test_options_are_closed() -> None:
    """A misspelt option is refused."""
    checker = jsonschema.Draft202012Validator(options_schema(Options))

    assert checker.is_valid({"details": "full"})
    assert not checker.is_valid({"details": "full", "detail": "full"})
    assert not checker.is_valid({})


def test_chosen_options_have_flat_tables() -> None:
    """Those still open are told; outputs are there when none is."""
    card = catalog().card("kandji.get_device")

    open_, chosen = resolved(card, {}), resolved(card, {"details": "Full"})

    assert (list(open_["options"]["properties"]), open_["outputs"]) == (["details"], None)
    assert (chosen["options"]["properties"], chosen["stream"]) == ({}, None)
    assert "general" in chosen["outputs"]["properties"]


@pytest.mark.parametrize("chosen", [{"details": "x"}, {"detail": "full"}, {"details": ["full"]}])
def test_a_wrong_choice_is_told(chosen: dict[str, Any]) -> None:
    """By its place."""
    with pytest.raises(InvalidCall) as raised:
        resolved(catalog().card("kandji.get_device"), chosen)

    assert {fault.at.partition("/")[0] for fault in raised.value.faults} == {"options"}
