"""What a helper flow says it takes: the JSON Schema of the body it is sent, `{"Record": {…}, "State": {…}}`.

A schema is judged when it is given, a card and a state against it before a stream starts; no record is ever checked.
It is read with its references followed, so that what it costs to use it is known when it is given.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from connector.catalog.schema import DIALECT, record_schema
from connector.sdk.card import Card
from connector.sdk.errors import Fault
from connector.sdk.kinds import Json

LARGEST = 64 * 1024  # bytes
DEEPEST = 32  # levels
DEEPEST_FOLLOWED = 64  # a schema that refers to itself is deeper than any limit
MOST_FOLLOWED = 10_000  # objects: references can double a schema at every step

_PARTS = ("Record", "State")
_BY_NAME = frozenset({"properties", "$defs", "dependentSchemas"})  # keywords that hold schemas by a name
_VALUES = frozenset({"const", "enum", "default", "examples", "dependentRequired"})  # keywords that hold no schemas
_FREE = frozenset({"patternProperties", "additionalProperties", "unevaluatedProperties"})


class _Unusable(Exception):
    """Says what is wrong with a schema."""


def inputs_faults(inputs: Json) -> list[Fault]:
    """What is wrong with a schema that a flow is to be given."""
    try:
        _judge(inputs)
    except _Unusable as error:
        return [Fault("inputs", f"Inputs {error}.")]
    return []


def stream_faults(inputs: Json, card: Card, state: Json) -> list[Fault]:
    """Why a flow would not take what a stream of this card would send.

    Checked: every field that the schema requires of Record is one that the card's record documents, with a type in
    common, null aside; and State, in full but for `format`, `pattern` and `patternProperties` (a pattern can take for
    ever). Not checked: fields of Record that are optional or deeper, and what the schema says otherwise than by
    `properties`, `required`, `type`, `allOf` and `$ref`. Records keep the keys that the card does not document.
    """
    wanted = _Followed(inputs).schema()
    return [*_record_faults(_property(wanted, "Record"), card), *_state_faults(_property(wanted, "State"), state)]


def _judge(inputs: Json) -> None:
    if len(orjson.dumps(inputs)) > LARGEST:
        raise _Unusable("must have at most 64 KiB")
    if _levels(inputs) > DEEPEST:
        raise _Unusable(f"must be nested at most {DEEPEST} levels deep")
    if inputs.get("$schema", DIALECT) not in (DIALECT, DIALECT + "#"):
        raise _Unusable("must be JSON Schema 2020-12")
    _refuse_other_than_schema(inputs)
    followed = _Followed(inputs).schema()
    _refuse_other_than_schema(followed)  # a reference may lead to what was not read as a schema before
    named = [*_required(followed), *(key for part in _combined(followed) for key in part.get("properties", {}))]
    if other := [key for key in named if key not in _PARTS]:
        raise _Unusable(f"describe the body, which has Record and State and nothing else: not {other[0]}")
    if any(_clash(_property(followed, part), {"type": "object"}) for part in _PARTS):
        raise _Unusable("must take objects as Record and State")


def _levels(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_levels, value.values() if isinstance(value, dict) else value), default=0)


def _refuse_other_than_schema(schema: Json) -> None:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.path)) or "the top"
        raise _Unusable(f"must be JSON Schema 2020-12, which they are not at {where}") from error


class _Followed:
    """Reads a schema with its references followed, and without what is not checked."""

    def __init__(self, root: Json) -> None:
        self._root = {key: value for key, value in root.items() if key not in ("$id", "$schema")}
        self._left = MOST_FOLLOWED

    def schema(self) -> Json:
        found: Json = self._read(self._root, 1)
        return found

    def _read(self, part: Any, depth: int) -> Any:
        if not isinstance(part, dict):
            return part
        self._left -= 1
        if depth > DEEPEST_FOLLOWED or self._left < 0:
            raise _Unusable("refer to themselves, or are too large with all references followed")
        if "$id" in part or "$dynamicRef" in part:
            raise _Unusable("must refer to places in themselves only, such as #/$defs/device")
        left_out = {"$ref", "$defs", "pattern"} | (_FREE if "patternProperties" in part else set())
        found = {key: self._value(key, value, depth + 1) for key, value in part.items() if key not in left_out}
        if "$ref" not in part:
            return found
        target = self._read(self._at(part["$ref"]), depth + 1)
        return {"allOf": [target, found]} if found else target

    def _value(self, key: str, value: Any, depth: int) -> Any:
        if key in _VALUES:
            return value
        if key in _BY_NAME and isinstance(value, dict):
            return {name: self._read(part, depth + 1) for name, part in value.items()}
        return [self._read(part, depth + 1) for part in value] if isinstance(value, list) else self._read(value, depth)

    def _at(self, reference: Any) -> Any:
        """The schema at a JSON pointer (RFC 6901)."""
        if not isinstance(reference, str) or not (reference + "/").startswith("#/"):
            raise _Unusable("must refer to places in themselves only, such as #/$defs/device")
        found: Any = self._root
        try:
            for step in unquote(reference).split("/")[1:]:
                key = step.replace("~1", "/").replace("~0", "~")
                found = found[int(key)] if isinstance(found, list) else found[key]
        except (LookupError, ValueError, TypeError):
            found = None
        if not isinstance(found, dict | bool):
            raise _Unusable("refer to a place in themselves where there is no schema")
        return found


def _record_faults(wanted: Json, card: Card) -> Iterator[Fault]:
    known: Json = record_schema(card.record)["properties"] if card.record else {}
    for key in _required(wanted):
        if key not in known:
            yield Fault("stream/flow", f"The helper flow needs {key}, which {card.title} does not have.")
        elif clash := _clash(_property(wanted, key), known[key]):
            yield Fault("stream/flow", f"The helper flow needs {key} as {clash[0]}; {card.title} has it as {clash[1]}.")


def _state_faults(wanted: Json, state: Json) -> list[Fault]:
    errors = Draft202012Validator(wanted).iter_errors(state)
    return list(dict.fromkeys(fault for error in errors for fault in _state_fault(error)))


def _state_fault(error: ValidationError) -> Iterator[Fault]:
    """The fault without the value; of `required`, one for each key that is missing."""
    at = ["stream", "state", *map(str, error.absolute_path)]
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield Fault("/".join([*at, key]), f"The helper flow needs {key}, which the state does not have.")
    elif error.validator == "type":
        yield Fault("/".join(at), f"The helper flow needs this as {_named(_types(error.schema))}.")
    else:
        yield Fault(
            "/".join(at), f"The helper flow does not take this: see {error.validator or 'false'} in its inputs."
        )


def _combined(schema: Any) -> Iterator[Json]:
    """A schema, and those that it is combined with by allOf."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.get("allOf", ()):
            yield from _combined(part)


def _required(schema: Any) -> list[str]:
    return list(dict.fromkeys(key for part in _combined(schema) for key in part.get("required", ())))


def _property(schema: Any, key: str) -> Json:
    """All that a schema says of one property, as one schema."""
    found = [part["properties"][key] for part in _combined(schema) if key in part.get("properties", {})]
    return {"allOf": found}


def _clash(wanted: Json, given: Json) -> tuple[str, str] | None:
    """The types that are wanted and given, where no value but null can be of both."""
    there = _types(given)
    for part in _combined(wanted):
        asked = _types(part)
        if asked and there and not _spread(asked) & _spread(there) - {"null"}:
            return _named(asked), _named(there - {"null"})
    return None


def _types(schema: Json) -> frozenset[str]:
    """The types that a schema names; empty where any will do."""
    named = schema.get("type", ())
    return frozenset([named] if isinstance(named, str) else named)


def _spread(types: frozenset[str]) -> frozenset[str]:
    """A number may be an integer."""
    return types | {"integer"} if "number" in types else types


def _named(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))
