"""The shapes of what the host answers, as components of its OpenAPI document."""

from typing import get_args

from connector.catalog.openapi import ref
from connector.catalog.schema import given_schema
from connector.engine.approvals import ApprovalState
from connector.engine.callers import SCOPES
from connector.engine.policies import Policy
from connector.engine.runs import State
from connector.sdk.card import Effect
from connector.sdk.kinds import Json

TEXT: Json = {"type": "string"}
NULLABLE: Json = {"type": ["string", "null"]}
OBJECT: Json = {"type": "object"}
TEXTS: Json = {"type": "array", "items": TEXT}


def record(properties: Json, *optional: str) -> Json:
    return {**OBJECT, "properties": properties, "required": [key for key in properties if key not in optional]}


SCHEMAS: Json = {
    "Problem": record(
        {
            "type": {**TEXT, "description": "A documented slug, such as invalid_call"},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": {**TEXT, "description": "One plain sentence"},
            "retry": {"type": "boolean", "description": "Whether the same call may succeed later"},
            "retry_after": {"type": "integer", "description": "Seconds to wait, as in Retry-After"},
            "run": TEXT,
            "errors": {"type": "array", "items": record({"at": TEXT, "why": TEXT})},
            "service": record({"status": {"type": "integer"}, "said": TEXT}),
        },
        "retry_after",
        "run",
        "errors",
        "service",
    ),
    "Accepted": record({"run": TEXT, "state": TEXT}),
    "WouldSend": record(
        {"method": TEXT, "path": TEXT, "query": OBJECT, "headers": OBJECT, "body": {}}, "query", "headers"
    ),
    "Connector": record(
        {
            "key": TEXT,
            "title": TEXT,
            "description": TEXT,
            "connection": OBJECT,
            "cards": TEXTS,
        }
    ),
    "Card": record(
        {
            "key": TEXT,
            "connector": TEXT,
            "title": TEXT,
            "description": TEXT,
            "effect": {"enum": list(get_args(Effect))},
            "list": {"type": "boolean"},
        }
    ),
    "Document": {**OBJECT, "description": "A JSON document"},
    "Tables": record(
        {
            "card": TEXT,
            "options": OBJECT,
            "inputs": OBJECT,
            "stream": {"type": ["object", "null"]},
            "outputs": {"type": ["object", "null"]},
        }
    ),
    "Choice": record({"value": {}, "label": TEXT}),
    "Connection": record(
        {
            "name": TEXT,
            "connector": TEXT,
            "fields": OBJECT,
            "policy": ref("Policy"),
            "created": TEXT,
            "changed": TEXT,
            "budget": {
                **record({"per_hour": {"type": "integer"}, "left": {"type": "integer"}, "resets": TEXT}),
                "description": "What is left of the hour's requests, where one connection is asked for",
            },
        },
        "budget",
    ),
    "Checked": record(
        {
            "connection": TEXT,
            "connected": {"type": "boolean"},
            "granted": {**TEXTS, "description": "What the service lets the connection do"},
            "missing": {**TEXTS, "description": "What it does not"},
            "unknown": {**TEXTS, "description": "Of what no read can tell, such as cards that change something"},
        }
    ),
    "Flow": record(
        {
            "name": TEXT,
            "host": TEXT,
            "inputs": {"type": ["object", "null"], "description": "JSON Schema of the body that the flow takes"},
            "created": TEXT,
            "secret": {**TEXT, "description": "Only in the answer that makes it"},
            "rotating_until": {**TEXT, "description": "Until when the secret before this one signs as well"},
        },
        "secret",
        "rotating_until",
    ),
    "FlowTested": record(
        {
            "delivered": {"type": "boolean", "description": "Whether the flow took the record, with 2xx"},
            "status": {"type": ["integer", "null"], "description": "What it answered; null for no answer"},
            "milliseconds": {"type": "integer"},
        }
    ),
    "Run": record(
        {
            "run": TEXT,
            "card": TEXT,
            "connection": TEXT,
            "state": {"enum": list(get_args(State))},
            "started": TEXT,
            "finished": NULLABLE,
            "progress": OBJECT,
            "error": OBJECT,
        },
        "progress",
        "error",
    ),
    "Policy": given_schema(Policy),
    "Entry": {
        **record(
            {
                "seq": {"type": "integer"},
                "at": TEXT,
                "event": {**TEXT, "description": "call, outcome, approval, key_created, …"},
                "caller": {**TEXT, "description": "ID of the key"},
                "request": TEXT,
                "run": TEXT,
                "card": TEXT,
                "equals": {**TEXT, "description": "The card under whose policy a written request was sent"},
                "effect": TEXT,
                "connection": TEXT,
                "target": {**TEXT, "description": "What was acted on, such as the ID of a device"},
                "payload": {**TEXT, "description": "Fingerprint of options and inputs"},
                "decision": {**TEXT, "description": "allowed, refused, held, approved, expired"},
                "why": TEXT,
                "outcome": {**TEXT, "description": "succeeded, or the slug of the problem"},
                "status": {"type": "integer", "description": "Of the service's answer"},
                "previous": {**TEXT, "description": "Hash of the entry before"},
                "hash": {**TEXT, "description": "SHA-256 of this entry"},
            },
            *("run", "card", "equals", "effect", "connection", "target", "payload"),
            *("decision", "why", "outcome", "status"),
        ),
        "additionalProperties": True,
    },
    "Approval": record(
        {
            "id": TEXT,
            "run": TEXT,
            "caller": {**TEXT, "description": "ID of the key that asked"},
            "card": TEXT,
            "connection": TEXT,
            "target": {**NULLABLE, "description": "What it acts on, by the name that people know it by"},
            "reason": NULLABLE,
            "state": {"enum": list(get_args(ApprovalState))},
            "created": TEXT,
            "expires": TEXT,
            "decided_by": NULLABLE,
            "decided_at": NULLABLE,
            "decided_why": NULLABLE,
        }
    ),
    "KillSwitch": record(
        {
            "on": {"type": "boolean"},
            "by": {"type": "array", "items": {"enum": ["call", "file", "setting"]}},
            "reason": NULLABLE,
            "at": NULLABLE,
        }
    ),
    "Failure": record(
        {
            "position": {"type": "integer"},
            "records": {"type": "integer"},
            "status": {"type": ["integer", "null"]},
            "reason": TEXT,
            "at": TEXT,
        }
    ),
    "Key": record(
        {
            "id": TEXT,
            "label": TEXT,
            "scopes": {"type": "array", "items": {"enum": list(SCOPES)}},
            "cards": {**TEXTS, "description": "Keys of cards, `kandji.*` or `*`"},
            "connections": {"type": ["array", "null"], "items": TEXT, "description": "Their names; null for all"},
            "created": TEXT,
            "expires": NULLABLE,
            "last_used": {**NULLABLE, "description": "To within ten seconds"},
            "maker": {**TEXT, "description": "ID of the key that made it; empty where a host made it"},
            "key": {**TEXT, "description": "The key itself, only in the answer that makes it"},
        },
        "key",
    ),
    "Health": record({"status": TEXT}),
}
