"""Single values that all hosts of a store share; those named `sealed:…` are secret (SEC-1)."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from connector.engine.seals import Seals
from connector.engine.store import INSERTS
from connector.engine.tables import controls

SEALED = "sealed:"


READ = sa.select(controls.c.value).where(controls.c.name == sa.bindparam("of"))


def read(db: sa.Connection, name: str) -> str | None:
    value: str | None = db.execute(READ, {"of": name}).scalar()
    return value


def write(db: sa.Connection, name: str, value: str) -> None:
    db.execute(_put(db.dialect.name), {"name": name, "value": value})


@cache
def _put(dialect: str) -> Any:
    put = INSERTS[dialect](controls)
    return put.on_conflict_do_update(index_elements=["name"], set_={"value": put.excluded.value})


def read_sealed(db: sa.Connection, name: str, seals: Seals) -> str | None:
    """The value of `sealed:NAME`. Raises Broken."""
    value = read(db, SEALED + name)
    return value and seals.open(value, place(SEALED + name))


def write_sealed(db: sa.Connection, name: str, value: str, seals: Seals) -> None:
    write(db, SEALED + name, seals.seal(value, place(SEALED + name)))


def place(name: str) -> str:
    return f"controls/{name}"
