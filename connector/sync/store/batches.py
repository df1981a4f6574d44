"""Many rows, some at a time: databases limit a statement, and a large fleet is not to be held once more as rows."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

MANY = 1000  # of one statement

T = TypeVar("T")


def batches(all_: Iterable[T]) -> Iterator[list[T]]:
    """Lists of as many as one statement takes."""
    left = iter(all_)
    while some := list(islice(left, MANY)):
        yield some


def execute_for(db: sa.Connection, statement: sa.Executable, rows: Iterable[Mapping[str, Any]]) -> None:
    """The statement for each of these."""
    for some in batches(rows):
        db.execute(statement, some)
