"""Single values that all hosts of a store share; those named `sealed:…` are secret (SEC-1)."""

import sqlalchemy as sa

from connector.engine.seals import Seals
from connector.engine.store import inserting
from connector.engine.tables import controls

SEALED = "sealed:"


def read(db: sa.Connection, name: str) -> str | None:
    value: str | None = db.execute(sa.select(controls.c.value).where(controls.c.name == name)).scalar()
    return value


def write(db: sa.Connection, name: str, value: str) -> None:
    put = inserting(db)(controls).values(name=name, value=value)
    db.execute(put.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def read_sealed(db: sa.Connection, name: str, seals: Seals) -> str | None:
    """The value of `sealed:NAME`. Raises Broken."""
    value = read(db, SEALED + name)
    return value and seals.open(value, place(SEALED + name))


def write_sealed(db: sa.Connection, name: str, value: str, seals: Seals) -> None:
    write(db, SEALED + name, seals.seal(value, place(SEALED + name)))


def place(name: str) -> str:
    return f"controls/{name}"
