"""What a flow says it takes: which schemas are refused, and which cards and states do not fit."""

from typing import Any

import pytest

from connector.catalog.find import catalog
from connector.engine.flow_inputs import inputs_faults, stream_faults
from connector.sdk.errors import Fault

LIST_DEVICES = catalog().card("kandji.list_devices")
ONBOARD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"Record": {"$ref": "#/$defs/device"}, "State": {"$ref": "#/$defs/state"}},
    "required": ["Record", "State"],
    "$defs": {
        "device": {"type": "object", "required": ["serial_number", "tags"], "properties": {"tags": {"type": "array"}}},
        "state": {"required": ["manager"], "properties": {"manager": {"type": "string"}, "level": {"enum": [1, 2]}}},
    },
}
DOUBLING = {
    **{
        f"a{step}": {"allOf": [{"$ref": f"#/$defs/a{step + 1}"}, {"$ref": f"#/$defs/a{step + 1}"}]}
        for step in range(14)
    },
    "a14": {},
}


def deep(levels: int) -> dict[str, Any]:
    """A schema of so many levels."""
    found: dict[str, Any] = {}
    for _ in range(levels - 1):
        found = {"not": found}
    return found


def record(**schema: Any) -> dict[str, Any]:
    return {"properties": {"Record": schema}}


def state(**schema: Any) -> dict[str, Any]:
    return {"properties": {"State": schema}}


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        ONBOARD,
        deep(32),
        record(title="x" * 65_000),
        record(properties={"$ref": {"type": "string"}, "pattern": {"type": "string"}, "required": {}}),
        record(const={"$ref": "https://example.com/device"}),
        {"properties": {"Record": True, "State": {"additionalProperties": False}}},
    ],
)
def test_a_schema_of_record_and_state_is_taken(inputs: dict[str, Any]) -> None:
    """JSON Schema 2020-12 within the limits, with references into itself."""
    assert inputs_faults(inputs) == []


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"type": "device"}, "must be JSON Schema 2020-12, which they are not at type"),
        (record(required="serial"), "must be JSON Schema 2020-12, which they are not at properties/Record/required"),
        (record(properties={"a": {"pattern": "("}}), "not at properties/Record/properties/a/pattern"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "must be JSON Schema 2020-12"),
        ({"$schema": 2020}, "must be JSON Schema 2020-12"),
        (record(**{"$ref": "https://example.com/device"}), "must refer to places in themselves only"),
        (record(**{"$ref": "http://169.254.169.254/"}), "must refer to places in themselves only"),
        (record(**{"$ref": "file:///etc/passwd"}), "must refer to places in themselves only"),
        (record(**{"$ref": "#device"}), "must refer to places in themselves only"),
        (record(**{"$dynamicRef": "#device"}), "must refer to places in themselves only"),
        (record(**{"$id": "https://example.com/device"}), "must refer to places in themselves only"),
        (record(**{"$ref": "#/$defs/device"}), "refer to a place in themselves where there is no schema"),
        ({**record(**{"$ref": "#/x"}), "x": {"type": "device"}}, "must be JSON Schema 2020-12"),
        ({**record(**{"$ref": "#/x"}), "x": {"properties": 5, "$ref": 5}}, "must refer to places in themselves only"),
        ({"$ref": "#"}, "refer to themselves"),
        ({**state(**{"$ref": "#/$defs/a0"}), "$defs": DOUBLING}, "too large with all references followed"),
        (deep(33), "must be nested at most 32 levels deep"),
        (record(title="x" * 65_536), "must have at most 64 KiB"),
        ({"required": ["serial_number"]}, "which has Record and State and nothing else: not serial_number"),
        ({"properties": {"serial_number": {}}}, "which has Record and State and nothing else: not serial_number"),
        (record(type="array"), "must take objects as Record and State"),
    ],
)
def test_any_other_schema_is_refused_at_once(inputs: dict[str, Any], why: str) -> None:
    """One fault, at `inputs`; nothing is fetched, and nothing is followed without end."""
    [fault] = inputs_faults(inputs)

    assert fault.at == "inputs"
    assert why in fault.why


def test_a_stream_that_has_what_the_flow_requires_has_no_faults() -> None:
    """References and allOf are followed."""
    assert stream_faults(ONBOARD, LIST_DEVICES, {"manager": "kim@example.com", "level": 1}) == []


def test_every_fault_of_a_stream_is_told_at_once() -> None:
    """A field that the card lacks, one of another type, and the state; no fault repeats a value."""
    wanted = {"required": ["serial", "tags"], "properties": {"tags": {"type": ["string", "null"]}}}
    inputs = {"properties": {"Record": wanted, "State": ONBOARD["$defs"]["state"]}}  # type: ignore[index]  # it is an object

    faults = stream_faults(inputs, LIST_DEVICES, {"level": "s3cret"})

    assert faults == [
        Fault("stream/flow", "The helper flow needs serial, which List Devices does not have."),
        Fault("stream/flow", "The helper flow needs tags as null or string; List Devices has it as array."),
        Fault("stream/state/manager", "The helper flow needs manager, which the state does not have."),
        Fault("stream/state/level", "The helper flow does not take this: see enum in its inputs."),
    ]


@pytest.mark.parametrize(
    ("key", "type_"), [("serial_number", "string"), ("mdm_enabled", ["boolean", "string"]), ("user", "object")]
)
def test_a_type_in_common_is_enough(key: str, type_: Any) -> None:
    """A field that may be empty still fits, and so does one whose type the card leaves open."""
    wanted = record(required=[key], properties={key: {"type": type_}})

    assert stream_faults(wanted, LIST_DEVICES, {}) == []


@pytest.mark.parametrize(("type_", "faults"), [("number", 0), ("integer", 0), ("string", 1), ("null", 1)])
def test_an_integer_is_a_number(type_: str, faults: int) -> None:
    """The count of a Blueprint's devices fits both."""
    wanted = record(required=["computers_count"], properties={"computers_count": {"type": type_}})

    assert len(stream_faults(wanted, catalog().card("kandji.list_blueprints"), {})) == faults


def test_what_the_flow_does_not_require_may_be_missing() -> None:
    """An optional field that the card does not document is no fault, whatever its type."""
    wanted = record(properties={"serial": {"type": "string"}, "tags": {"type": "string"}})

    assert stream_faults(wanted, LIST_DEVICES, {}) == []


def test_required_is_collected_over_all_of() -> None:
    """What schema generators write: parts put together."""
    wanted = record(allOf=[{"required": ["serial"]}, {"$ref": "#/$defs/more"}]) | {
        "$defs": {"more": {"required": ["asset"]}}
    }

    assert [fault.why.split()[4] for fault in stream_faults(wanted, LIST_DEVICES, {})] == ["serial,", "asset,"]


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({"additionalProperties": False}, "stream/state"),
        ({"properties": {"team": {"required": ["lead"]}}}, "stream/state/team/lead"),
        ({"properties": {"days": {"items": {"type": "integer"}}}}, "stream/state/days/1"),
        ({"properties": {"team": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, "stream/state/team"),
    ],
)
def test_a_fault_of_the_state_has_its_path(schema: dict[str, Any], at: str) -> None:
    """Down to the key or the position."""
    [fault] = stream_faults(state(**schema), LIST_DEVICES, {"team": {}, "days": [1, "2"]})

    assert fault.at == at


def test_a_flow_may_take_no_state_at_all() -> None:
    """`false` is a schema too."""
    [fault] = stream_faults({"properties": {"State": False}}, LIST_DEVICES, {})

    assert fault == Fault("stream/state", "The helper flow does not take this: see false in its inputs.")


def test_patterns_are_not_run() -> None:
    """A pattern that would take for ever does not, and what it would have let through is not refused."""
    for_ever = "^(a+)+$"
    schema = {"properties": {"a": {"pattern": for_ever}}, "patternProperties": {for_ever: {}}}

    faults = stream_faults(state(**schema, additionalProperties=False), LIST_DEVICES, {"a": "a" * 40 + "b"})

    assert faults == []
