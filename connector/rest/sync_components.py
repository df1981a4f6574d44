"""The shapes of what the host answers about syncs, as components of its OpenAPI document."""

from typing import get_args

from connector.catalog.openapi import ref
from connector.rest.components import NULLABLE, OBJECT, TEXT, TEXTS, record
from connector.sdk.inventory import Assignee, Kind
from connector.sdk.kinds import Json
from connector.sync.entities import LinkState, Op, Side
from connector.sync.mapping.mapping import Action
from connector.sync.store.runs import Mode, State
from connector.sync.systems.permissions import WORDS

COUNT: Json = {"type": "integer"}
COUNTS: Json = {**OBJECT, "additionalProperties": COUNT, "description": "How many lines there are of each status"}
NAMED: Json = {"type": "array", "items": record({"name": TEXT, "kind": {"enum": list(get_args(Kind))}})}

RUN: Json = {
    "run": TEXT,
    "sync": TEXT,
    "mode": {"enum": list(get_args(Mode))},
    "state": {"enum": list(get_args(State))},
    "by": {**TEXT, "description": "ID of the key that asked, or what began it by itself"},
    "started": TEXT,
    "finished": NULLABLE,
    "stopped": {**NULLABLE, "description": "Why there is no plan: a side was empty, or half of what it was"},
    "brakes": {**TEXTS, "description": "Limits that the plan exceeds, each as a sentence"},
    "held": {**COUNT, "description": "How many holds there are"},
    "holds": {"type": "array", "items": ref("Hold")},
    "warnings": {"type": "array", "items": record({"about": TEXT, "why": TEXT})},
    "counts": COUNTS,
    "exit_code": {
        "type": ["integer", "null"],
        "description": "Of the plan: 0 nothing to do, 2 changes, 3 something is held or stopped; null without one",
    },
    "error": ref("Problem"),
}
BRIEF = ("holds", "warnings", "error")

SYNC_SCHEMAS: Json = {
    "Sync": record(
        {
            "name": TEXT,
            "enabled": {"type": "boolean"},
            "created": TEXT,
            "changed": TEXT,
            "next_run": {**NULLABLE, "description": "When it runs by itself; null while it is off"},
            "at_work": {**NULLABLE, "description": "The run that is under way"},
            "last": {
                "oneOf": [ref("SyncRun"), {"type": "null"}],
                "description": "The last plan, apply or undo that ended, be it that it failed; no holds, no warnings",
            },
            "links": record({"active": COUNT, "missing": COUNT, "people": COUNT}),
            "holds": COUNT,
            "locks": COUNT,
            "outbox": COUNT,
        }
    ),
    "SyncMapping": record({"mapping": {**TEXT, "description": "YAML"}}),
    "ProposedMapping": record({"mapping": {**TEXT, "description": "YAML"}, "saved": {"const": False}}),
    "SyncPermissions": {
        "type": "object",
        "description": "By part of a sync: read, two_way, actions",
        "additionalProperties": record(dict.fromkeys(WORDS.values(), TEXTS)),
    },
    "Strangers": record({"properties": NAMED, "columns": NAMED}),
    "SyncRun": record(RUN, *BRIEF),
    "PlannedRun": record(
        {
            **RUN,
            "lines": {"type": "array", "items": ref("SyncChange"), "description": "The first 1000; see its changes"},
        },
        "error",
    ),
    "SyncChange": record(
        {
            "seq": COUNT,
            "op": {"enum": list(get_args(Op))},
            "side": {"enum": list(get_args(Side))},
            "target": {**TEXT, "description": "ID of the record; new: and the device where it is still to be made"},
            "name": {**TEXT, "description": "What people know it by"},
            "field": NULLABLE,
            "before": {},
            "after": {},
            "shown": {"type": ["array", "null"], "items": TEXT, "description": "Both values, where these are IDs"},
            "why": TEXT,
            "status": {
                **TEXT,
                "description": "planned, begun, done, stale or failed; waiting, unsupported or refused are not done",
            },
            "at": NULLABLE,
            "made": {**NULLABLE, "description": "ID of the record that was created"},
            "error": NULLABLE,
        }
    ),
    "Hold": record({"kind": TEXT, "about": TEXTS, "why": TEXT, "todo": TEXT, "field": NULLABLE}),
    "Lock": record({"link": TEXT, "field": TEXT, "reason": TEXT, "by": TEXT, "since": TEXT}),
    "OutboxEntry": record(
        {
            "asset": TEXT,
            "created": TEXT,
            "origin": {**TEXT, "description": "hook, a card, or the run that could not tell it"},
            "turn": {**COUNT, "description": "How often it was announced while it waited"},
            "attempts": COUNT,
            "due": {**NULLABLE, "description": "When it is tried again; null: at the next whole run"},
            "field": NULLABLE,
            "value": NULLABLE,
            "why": NULLABLE,
        }
    ),
    "Announced": record({"announced": {**TEXTS, "description": "IDs of the assets that are linked"}}),
    "LinkedAsset": record(
        {
            "asset": TEXT,
            "device": TEXT,
            "state": {"enum": list(get_args(LinkState))},
            "matched_by": TEXT,
            "since": TEXT,
            "view": {**TEXT, "description": "Where people look at the device"},
            "actions": {"type": "array", "items": {"enum": list(get_args(Action))}},
        }
    ),
    "Asset": record(
        {
            "asset": TEXT,
            "tag": NULLABLE,
            "serial": NULLABLE,
            "category": NULLABLE,
            "status": NULLABLE,
            "archived": {"type": "boolean"},
            "assignee": record({"kind": {"enum": list(get_args(Assignee.__annotations__["kind"]))}, "id": NULLABLE}),
        }
    ),
    "Acted": record({"run": {**TEXT, "description": "ID of the run of the card"}, "outputs": OBJECT}),
}
