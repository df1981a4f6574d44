"""Lists: a page for a cursor, the Result Set option with its output shapes, and what a stream is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import create_model

from connector.sdk.kinds import Integer, Json, List, Number, Object, Text
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, field

R = TypeVar("R", bound=Record)

FIRST, STREAM = "first", "stream"


@dataclass(frozen=True)
class Cursor:
    """Where a page starts (None: at the beginning), and how many records are wanted of it at most (None: all)."""

    at: str | None = None
    limit: int | None = None

    def size(self, largest: int) -> int:
        """How many records to ask for, where the service gives `largest` at most."""
        return largest if self.limit is None else min(largest, self.limit)


@dataclass(frozen=True)
class Page(Generic[R]):
    """Some records as the service sent them, and where the next page starts; None after the last."""

    records: Sequence[Json]
    next: str | None = None


class Stream(CardInputs, any_of=("flow", "url")):
    """How a stream hands its records over."""

    flow: Text = field("Name of the registered helper flow that takes each record", max_length=64)
    url: Text = field(
        "Address of an unregistered helper flow, if the operator allows these", label="URL", max_length=2048
    )
    state: Object = field("Handed over with every record, unchanged")
    concurrency: int = field("Records in flight at once; 1 keeps the order of the service", ge=1, le=200, default=16)
    batch: Integer = field("Records in one request, as Records; empty for one Record a request", ge=1, le=1000)
    record_limit: Integer = field("Most records to hand over; empty for all, 0 for none", ge=0)
    on_failure: Literal["continue", "stop"] = field(
        "What to do after a record that the flow does not take", default="continue"
    )


class Counted(CardOutputs, when={"result_set": STREAM}):
    """What a stream answers."""

    record_count: Number = field("Number of records the helper flow has taken")


@dataclass(frozen=True)
class ResultSet:
    """What a list card offers: the first record (`one`, for search cards), the first N, or a stream of all.

    first: N, at most one page of the service.
    into: the output that holds the first N.
    one: the outputs of First Matching Record; a card without it is a plain list.
    """

    first: int
    into: str
    one: type[CardOutputs] | None = None

    @property
    def first_n(self) -> str:
        return f"first_{self.first}"

    @cached_property
    def choices(self) -> dict[str, str]:
        """Slug -> label, in the guide's words."""
        if self.one:
            one = {FIRST: "First Matching Record"}
            return {**one, self.first_n: f"First {self.first} Matching Records", STREAM: "Stream Matching Records"}
        return {self.first_n: f"First {self.first} Records", STREAM: "Stream All Records"}

    @cached_property
    def options(self) -> type[CardOptions]:
        choice: Any = Literal[tuple(self.choices)]
        row = field("Return records in the answer, or stream them to a helper flow", labels=self.choices)
        return create_model("Options", __base__=CardOptions, result_set=(choice, row))

    @cached_property
    def outputs(self) -> tuple[type[CardOutputs], ...]:
        row = (List, field(f"The first {self.first} records, as the service sends them"))
        rows: dict[str, Any] = {self.into: row}
        when = {"when": {"result_set": self.first_n}}
        many = create_model("FirstRecords", __base__=CardOutputs, __cls_kwargs__=when, **rows)
        if self.one is None:
            return many, Counted
        when = {"when": {"result_set": FIRST}}
        one = create_model("FirstRecord", __base__=self.one, __cls_kwargs__=when)
        return cast(type[CardOutputs], one), many, Counted
