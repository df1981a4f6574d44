"""Cards in OpenAPI 3.1: one operation a card, with its own typed body and answer, and the callback of its stream."""

from typing import Any

from connector.catalog.schema import given_schema, options_schema, outputs_schema, record_schema, variant_title
from connector.sdk.card import Card
from connector.sdk.kinds import Json
from connector.sdk.results import Stream
from connector.sdk.tables import CardInputs, Table, rows

PROBLEMS = {
    "400": "The call is not valid",
    "401": "The key is missing or wrong",
    "403": "The key, the connection's policy or the kill switch does not allow this",
    "404": "There is no such thing",
    "405": "The address does not take this method",
    "408": "The request did not come in time",
    "409": "The service is not connected, or the name is taken",
    "413": "The body is larger than 1 MiB",
    "415": "The body is not plain JSON",
    "422": "The Idempotency-Key was used for another call",
    "429": "Too many calls, or the safety cap is reached",
    "431": "The headers are larger than 32 KiB",
    "500": "Our fault",
    "502": "The service refused, answered out of shape, or the outcome is not known",
    "503": "The service is not available, or asks to slow down",
}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def media(schema: Json, media_type: str = "application/json") -> Json:
    return {media_type: {"schema": schema}}


def problems(*statuses: str) -> Json:
    """The error answers of an operation: one model everywhere."""
    wanted = statuses or tuple(PROBLEMS)
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in wanted}


def titled(name: str, schema: Json) -> Json:
    """A component: its title is its name, which generated clients make a class of."""
    return {"title": name, **{key: value for key, value in schema.items() if key != "title"}}


def asks(table: type[Table]) -> bool:
    """Whether nobody can do without giving this table."""
    return any(row.required for row in rows(table)) or (issubclass(table, CardInputs) and bool(table.any_of))


def class_name(card: Card, part: str) -> str:
    """`KandjiLockDeviceInputs`."""
    return "".join(word.capitalize() for word in [card.connector, *card.name.split("_")]) + part


def card_operation(card: Card, tag: str) -> Json:
    """The operation of one card."""
    body = _body(card)
    operation: Json = {
        "operationId": f"{card.connector}_{card.name}",
        "summary": card.title,
        "description": card.description,
        "tags": [tag],
        "x-effect": card.effect,
        "x-disruptive": card.disruptive,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in ("Prefer", "IdempotencyKey")],
        "requestBody": {"required": bool(body["required"]), "content": media(body)},
        "responses": {
            "200": {"description": "The card ran", "content": _answers(card)},
            "202": {"description": "The run goes on", "content": media(ref("Accepted"))},
            **problems(),
        },
    }
    if card.record:
        handed = handover(f"{card.connector}_{card.name}_record", ref(_record_name(card)), tag)
        operation["callbacks"] = {"record": {"{$request.body#/stream/url}": {"post": handed}}}
    return operation


def card_components(card: Card) -> Json:
    """The schemas that a card's operation refers to."""
    found = {
        class_name(card, "Options"): options_schema(card.options),
        class_name(card, "Inputs"): given_schema(card.inputs),
        **{_outputs_name(card, table): outputs_schema(card, table) for table in card.outputs},
    }
    if card.record:
        found[_record_name(card)] = record_schema(card.record)
    return {name: titled(name, schema) for name, schema in found.items()}


def handover(operation: str, record: Json, tag: str) -> Json:
    """What a helper flow is sent for each record."""
    body = {"type": "object", "properties": {"Record": record, "State": {"type": "object"}}}
    return {
        "operationId": operation,
        "summary": "Take one record",
        "description": "Sent once for each record, signed as Standard Webhooks say. 2xx takes it, 410 ends the stream.",
        "tags": [tag],
        "security": [],
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"}
            for name in ("WebhookId", "WebhookTimestamp", "WebhookSignature")
        ],
        "requestBody": {"required": True, "content": media({**body, "required": ["Record", "State"]})},
        "responses": {
            "2XX": {"description": "The record is taken"},
            "410": {"description": "The flow is gone: nothing more is sent"},
            "429": {"description": "Slow down; Retry-After is heeded"},
        },
    }


def _body(card: Card) -> Json:
    parts: tuple[tuple[str, type[Table]], ...] = (("options", card.options), ("inputs", card.inputs))
    return {
        "type": "object",
        "properties": {
            "connection": {
                "type": ["string", "null"],
                "description": "Name of the connection, where there are several",
            },
            **{part: ref(class_name(card, part.capitalize())) for part, _ in parts},
            **({"stream": ref("Stream")} if card.results else {}),
            "dry_run": {"type": "boolean", "default": False, "description": "Check everything, but send nothing"},
            "confirm": {
                "type": ["string", "null"],
                "maxLength": 200,
                "description": "Name of the target, such as its serial number, where the policy asks for it",
            },
            "reason": {
                "type": ["string", "null"],
                "maxLength": 1000,
                "description": "Why, for the second person who has to approve it",
            },
        },
        "required": [part for part, table in parts if asks(table)],
        "additionalProperties": False,
    }


def _answers(card: Card) -> Json:
    outputs: list[Json] = [ref(_outputs_name(card, table)) for table in card.outputs]
    answer = {
        "type": "object",
        "properties": {
            "run": {"type": "string", "description": "ID of the run"},
            "outputs": outputs[0] if len(outputs) == 1 else {"anyOf": outputs},
            "dry_run": {
                "type": "boolean",
                "description": "True where nothing was sent; outputs then say why the target cannot be looked at",
            },
            "would_send": {"oneOf": [ref("WouldSend"), {"type": "null"}]},
        },
        "required": ["run"],
    }
    lines = media({"type": "string", "x-item-schema": ref(_record_name(card))}, "application/x-ndjson")
    return {**media(answer), **(lines if card.record else {})}


def _outputs_name(card: Card, table: type[Any]) -> str:
    return class_name(card, "Outputs" + "".join(variant_title(card, table).title().split()))


def _record_name(card: Card) -> str:
    return class_name(card, "Record")


STREAM = {"Stream": titled("Stream", given_schema(Stream))}
