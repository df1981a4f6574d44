"""Rows of the built-in asset system's file as assets and people, and what is written of them."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from connector.sdk.errors import Refused
from connector.sdk.inventory import OWN_COLUMNS, Asset, Assignee, Kind, Person
from connector.sdk.kinds import Json, is_blank


def columns_of(db: sqlite3.Connection) -> dict[str, Kind]:
    return {row["label"]: row["kind"] for row in db.execute("SELECT * FROM columns ORDER BY label")}


def assets_of(rows: Iterable[sqlite3.Row]) -> list[Asset]:
    return [
        Asset(
            sys_id=str(row["id"]),
            **{key: row[key] for key in OWN_COLUMNS},
            fields=json.loads(row["fields"]),
            assignee=Assignee(row["assignee_kind"], row["assignee_id"]),
            archived=bool(row["archived"]),
        )
        for row in rows
    ]


def people_of(rows: Iterable[sqlite3.Row]) -> list[Person]:
    return [
        Person(str(row["id"]), row["name"], row["email"], json.loads(row["fields"]), bool(row["archived"]))
        for row in rows
    ]


def the_asset(db: sqlite3.Connection, sys_id: str) -> Asset:
    if found := assets_of(db.execute("SELECT * FROM assets WHERE id=?", (sys_id,))):
        return found[0]
    raise Refused("There is no asset of this ID.")


def the_person(db: sqlite3.Connection, sys_id: str) -> Person:
    if found := people_of(db.execute("SELECT * FROM people WHERE id=?", (sys_id,))):
        return found[0]
    raise Refused("There is nobody of this ID.")


def written(fields: Json) -> str:
    """As JSON, without what is empty."""
    return json.dumps({key: value for key, value in fields.items() if not is_blank(value)}, ensure_ascii=False)


def text_of(value: Any) -> str | None:
    return None if is_blank(value) else str(value)
