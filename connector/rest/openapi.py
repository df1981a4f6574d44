"""The OpenAPI 3.1 document of the whole host: the cards' operations, and the host's own."""

import re
from functools import cache

from connector.catalog.find import catalog
from connector.catalog.openapi import (
    PROBLEMS,
    STREAM,
    asks,
    card_components,
    card_operation,
    handover,
    media,
    problems,
    ref,
    titled,
)
from connector.catalog.schema import given_schema, row_schema
from connector.engine.calls import scopes
from connector.rest.components import NULLABLE, OBJECT, SCHEMAS, TEXT, record
from connector.rest.operation import Operation
from connector.rest.operations import CARD, OPERATIONS
from connector.rest.problems import PROBLEM
from connector.rest.sync_components import SYNC_SCHEMAS
from connector.sdk.card import Card
from connector.sdk.deeds import deed_of
from connector.sdk.kinds import Json
from connector.sdk.tables import Row, rows

TAGS = {
    "Catalogue": "What there is to call.",
    "Resources": "Connections and helper flows.",
    "Runs": "What was called, and control over streams.",
    "Syncs": "Syncs of an MDM with an asset system: mappings, plans, what became of them, and quick actions.",
    "Trust": "The audit, approvals by a second person, and the kill switch.",
    "Keys": "Who may call, and what.",
    "Documents": "Descriptions of the host, and its health.",
}

PARAMETERS = {
    "connector": "Key of the connector, such as kandji",
    "card": "Name of the card, such as lock_device",
    "field": "Key of the option or input",
    "name": "Name it was given",
    "run": "ID of the run",
    "approval": "ID of the approval",
    "id": "ID of the key, its public part",
    "sync": "Name of the sync",
    "asset": "ID of the asset in its asset system, or its serial number",
}


@cache
def openapi() -> Json:
    """The document; the same for every host of one version."""
    found = catalog()
    cards = [(card, found.connector(card.connector)) for card in found.cards.values()]
    tags = {**{connector.title: connector.description for connector in found.connectors.values()}, **TAGS}
    components = {name: part for card, _ in cards for name, part in card_components(card).items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Upcard",
            "version": "1.0.0",
            "description": "Run cards: single actions on services, and streams of records to helper flows.",
            "contact": {"name": "The operator of this host", "url": "http://127.0.0.1:8700"},
            "license": {"name": "See the repository", "url": "http://127.0.0.1:8700"},
        },
        "servers": [{"url": "http://127.0.0.1:8700", "description": "Where `upcard up` listens"}],
        "security": [{"bearer": []}, {"token": []}],
        "tags": [{"name": name, "description": says} for name, says in tags.items()],
        "paths": {**{_path(card.key): {"post": _call(card, by.title)} for card, by in cards}, **_own_paths()},
        "webhooks": {"record": {"post": handover("record", OBJECT, "Resources")}},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A caller's key"},
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-client-token",
                    "description": "The same key",
                },
            },
            "parameters": _shared_parameters(),
            "responses": {f"Problem{status}": _problem(says) for status, says in PROBLEMS.items()},
            "schemas": {
                **{name: titled(name, part) for name, part in {**SCHEMAS, **SYNC_SCHEMAS}.items()},
                **STREAM,
                **components,
            },
        },
    }


def _call(card: Card, tag: str) -> Json:
    """A card's operation, with what a key needs for it; for a card that is given by name, at most."""
    return {**card_operation(card, tag), "x-scopes": scopes(deed_of(card, None))}


def _path(key: str) -> str:
    connector, _, name = key.partition(".")
    return CARD.format(connector=connector, card=name)


def _own_paths() -> Json:
    found: Json = {}
    for tag, operations in OPERATIONS.items():
        for operation in operations:
            found.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, tag)
    return found


def _operation(operation: Operation, tag: str) -> Json:
    in_path = [_parameter(name, PARAMETERS[name], TEXT, "path") for name in re.findall(r"{(\w+)}", operation.path)]
    asked = rows(operation.query) if operation.query else ()
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": _description(operation),
        "tags": [tag],
        "parameters": [*in_path, *map(_asked, asked), *map(_shared, operation.headers)],
        **({"requestBody": _taken(operation)} if operation.takes else {}),
        **({"security": []} if operation.is_open else {}),
        "x-scopes": operation.scopes,
        "responses": {**_answers(operation), **problems(*_statuses(operation))},
    }


def _answers(operation: Operation) -> Json:
    content = _content(operation.gives) if operation.gives else {}
    content |= _content(operation.or_gives) if operation.or_gives else {}
    done = {str(operation.status): {"description": "Done", **({"content": content} if content else {})}}
    later = {"202": {"description": "It goes on", "content": media(ref(operation.later))}} if operation.later else {}
    return {**done, **later}


def _description(operation: Operation) -> str:
    return " ".join((operation.handler.__doc__ or operation.summary + ".").split())


def _statuses(operation: Operation) -> list[str]:
    found = ["405", "500"] if operation.is_open else ["401", "500"]
    found += ["404"] if "{" in operation.path or operation.takes else []  # a body may name what is not there
    found += [] if operation.is_open else ["400", "429"]
    found += ["403"] if operation.scopes else []
    found += ["408", "409", "413", "415"] if operation.takes else []
    return sorted({*found, *operation.fails})


def _taken(operation: Operation) -> Json:
    table = operation.takes
    return {"required": asks(table), "content": media(given_schema(table))} if table else {}


def _content(gives: str) -> Json:
    return media({"type": "string"}, gives) if "/" in gives else media(_given(gives))


def _given(name: str) -> Json:
    if not name.startswith("["):
        return ref(name)
    return record({"items": {"type": "array", "items": ref(name.strip("[]"))}, "next": NULLABLE})


def _parameter(name: str, says: str, schema: Json, place: str, *, required: bool = True) -> Json:
    """One in the path has to be given; one in the query may be left out, or left empty, unless it is required."""
    how = {} if required else {"allowEmptyValue": True}
    return {"name": name, "in": place, "required": required, **how, "description": says, "schema": schema}


def _asked(row: Row) -> Json:
    return _parameter(row.key, row.says, _plain(row), "query", required=row.required)


def _shared(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _plain(row: Row) -> Json:
    """A row as a parameter has it: given or left out, never null."""
    found = {**dict(row.kind.schema), **({"enum": list(row.choices)} if row.choices else {})}
    limits = {key: value for key, value in row_schema(row).items() if key in ("minimum", "maximum", "default")}
    return found | limits


def _problem(says: str) -> Json:
    return {"description": says, "content": media(ref("Problem"), PROBLEM)}


def _shared_parameters() -> Json:
    headers = {
        "IdempotencyKey": (
            "Idempotency-Key",
            False,
            "1 to 255 visible ASCII characters: the same key and call is done once, and answered alike for 24 hours",
        ),
        "Prefer": ("Prefer", False, "`wait=N`: seconds to wait for the answer; `respond-async`: do not wait"),
        "WebhookId": ("webhook-id", True, "The record's ID: the run and its position, the same in every attempt"),
        "WebhookTimestamp": ("webhook-timestamp", True, "Seconds since 1970 of this attempt"),
        "WebhookSignature": (
            "webhook-signature",
            True,
            "v1, and the signature as Standard Webhooks 1.0.0 says; one for each secret while it rotates",
        ),
    }
    return {
        key: {"name": name, "in": "header", "required": required, "description": says, "schema": TEXT}
        for key, (name, required, says) in headers.items()
    }
