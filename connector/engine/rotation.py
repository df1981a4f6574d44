"""Rotation: what another key sealed is sealed with the first one, while hosts are at work (SEC-2).

A sealed value says its key, so what is left to do is seen by looking: a rotation that was killed is run again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from connector.engine import tables
from connector.engine.seals import Broken, Seals
from connector.engine.store import Store
from connector.sdk.kinds import Json

BATCH = 100  # values in a transaction: hosts that want to write wait no longer than for these
PASSES = 10  # over one column, where values change meanwhile


@dataclass(frozen=True)
class Sealed:
    """A column of sealed values, the place that each is bound to, and which rows have one."""

    column: sa.Column[Any]
    place: str
    rows: sa.ColumnElement[bool] = field(default_factory=sa.true)

    @property
    def name(self) -> str:
        return f"{self.column.table.name}.{self.column.name}"

    @property
    def key(self) -> tuple[sa.Column[Any], ...]:
        """The columns that name a row."""
        return tuple(self.column.table.primary_key.columns)

    def by(self, kid: str) -> sa.ColumnElement[bool]:
        """Whether this key sealed a value; null where there is none."""
        begins = f"{kid}." if isinstance(self.column.type, sa.Text) else f"{kid}.".encode()
        return sa.func.substr(self.column, 1, len(begins)) == begins


SEALED = (
    Sealed(tables.connections.c.fields, "connections/{name}/fields"),
    Sealed(tables.flows.c.target, "flows/{name}/target"),
    Sealed(tables.runs.c.job, "runs/{id}/job"),
    Sealed(tables.pages.c.records, "pages/{run}/{first}/records"),
    Sealed(tables.failures.c.body, "failures/{run}/{position}/body"),
    Sealed(tables.answers.c.answer, "answers/{id}"),
    Sealed(tables.approvals.c.call, "approvals/{id}/call"),
    Sealed(tables.controls.c.value, "controls/{name}", tables.controls.c.name.startswith("sealed:", autoescape=True)),
)


@dataclass(frozen=True)
class Rotated:
    """What became of a column: values sealed anew, values that are left, and the places of those that do not open."""

    name: str
    done: int
    left: int
    broken: list[str]


@dataclass(frozen=True)
class _Batch:
    done: int
    broken: list[str]
    last: tuple[Any, ...] | None  # primary key of its last row; None at the end of the table


def rotate(store: Store, seals: Seals) -> Iterator[Rotated]:
    """Seal every value with the first key, one column after the other."""
    for sealed in SEALED:
        done, broken = 0, set[str]()
        for _ in range(PASSES):
            found = list(_pass(store, seals, sealed))
            done += sum(batch.done for batch in found)
            broken = {place for batch in found for place in batch.broken}
            left = store.run_here(partial(_left, seals=seals, sealed=sealed))
            if left <= len(broken):
                break
        yield Rotated(sealed.name, done, left, sorted(broken))


def held(store: Store, seals: Seals) -> dict[str, Counter[str]]:
    """How many values each key seals, by column; "" is a key that is not at hand."""
    return {sealed.name: store.run_here(partial(_held, seals=seals, sealed=sealed)) for sealed in SEALED}


def _held(db: sa.Connection, seals: Seals, sealed: Sealed) -> Counter[str]:
    by_key = [sa.func.count().filter(sealed.by(kid)) for kid in seals.kids]
    found = db.execute(sa.select(sa.func.count(sealed.column), *by_key).where(sealed.rows)).one()
    counts = Counter(dict(zip(seals.kids, found[1:], strict=True)))
    return counts + Counter({"": found[0] - counts.total()})


def _left(db: sa.Connection, seals: Seals, sealed: Sealed) -> int:
    wanted = sa.select(sa.func.count()).select_from(sealed.column.table)
    return int(db.execute(wanted.where(sealed.rows, sa.not_(sealed.by(seals.kids[0])))).scalar_one())


def _pass(store: Store, seals: Seals, sealed: Sealed) -> Iterator[_Batch]:
    """Once over a column; what changes meanwhile is left to the next pass."""
    last: tuple[Any, ...] | None = ()
    while last is not None:
        batch = store.run_here(partial(_batch, seals=seals, sealed=sealed, after=last))
        last = batch.last
        yield batch


def _batch(db: sa.Connection, seals: Seals, sealed: Sealed, after: tuple[Any, ...]) -> _Batch:
    """Rows that somebody else holds are passed over, so that a host and a rotation never wait for each other."""
    wanted = sa.select(*sealed.key, sealed.column).where(sealed.rows, sa.not_(sealed.by(seals.kids[0])))
    wanted = wanted.where(sa.tuple_(*sealed.key) > after) if after else wanted
    rows = db.execute(wanted.order_by(*sealed.key).limit(BATCH).with_for_update(skip_locked=True)).mappings().all()
    done, broken = 0, []
    for row in rows:
        try:
            done += _again(db, seals, sealed, dict(row))
        except Broken:
            broken.append(sealed.place.format(**row))
    last = tuple(rows[-1][column.name] for column in sealed.key) if len(rows) == BATCH else None
    return _Batch(done, broken, last)


def _again(db: sa.Connection, seals: Seals, sealed: Sealed, row: Json) -> int:
    """Seal one value anew, if it is still what was read: 1, else 0."""
    anew = seals.again(row[sealed.column.name], sealed.place.format(**row))
    as_read = [column == row[column.name] for column in (*sealed.key, sealed.column)]
    return db.execute(sa.update(sealed.column.table).where(*as_read).values({sealed.column: anew})).rowcount
