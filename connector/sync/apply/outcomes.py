"""What became of a line, and the IDs of what was created on the way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from connector.sync.entities import Base, Change, Link
from connector.sync.store.lines import Done

MOVED = "it changed since the plan was made"
GONE = "it is not there any more"
THERE = "one is there meanwhile"

Item = tuple[Change, ...]  # lines that are carried out together


@dataclass(frozen=True)
class Outcome:
    """What became of a line, and what is recorded then."""

    line: Change
    status: Done
    error: str | None = None
    made: str | None = None
    link: Link | None = None
    bases: tuple[Base, ...] = ()


def items(lines: Sequence[Change]) -> list[Item]:
    """The lines in order; fields of one record together, and a check-in with the checkout that follows it."""
    handed = {line.target: line for line in lines if line.op == "check_out"}
    returned = {line.target for line in lines if line.op == "check_in"}
    found: list[Item] = []
    for (op, target), some in groupby(lines, key=lambda line: (line.op, line.target)):
        if op == "check_in" and target in handed:
            found.append((*some, handed[target]))
        elif op != "check_out" or target not in returned:
            found.append(tuple(some))
    return found


@dataclass(frozen=True)
class Made:
    """The IDs that new records got, by what stands for them in the lines of a plan."""

    ids: dict[str, str] = field(default_factory=dict)

    def id(self, id_: str) -> str:
        return self.ids.get(id_, id_)

    def done(self, line: Change, bases: Iterable[Base] | None = None, made: str | None = None) -> Outcome:
        """A line that was carried out, with the real IDs in what is recorded."""
        if made:
            self.ids[line.target] = made
        link = replace(line.link, sys_id=self.id(line.link.sys_id)) if line.link else None
        real = tuple(self.real(base) for base in (line.bases if bases is None else bases))
        return Outcome(line, "done", None, made, link, real)

    def real(self, base: Base) -> Base:
        """With the IDs that new records got."""
        kind, _, id_ = base.link.partition("/")
        values = base.mdm_value, base.asset_value
        mdm, asset = (self.id(value) if isinstance(value, str) else value for value in values)
        return Base(f"{kind}/{self.id(id_)}", base.field, mdm, asset)
