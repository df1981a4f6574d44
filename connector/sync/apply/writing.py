"""Carry out lines of a plan: each target is read again first, and what moved since the plan was made is left alone.

So a line may be carried out again after an interruption: what is done already is found done, and recorded.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.sdk.errors import OutcomeUnknown, UpcardError
from connector.sdk.inventory import Asset, Person, Value
from connector.sdk.systems import Values
from connector.sync.apply.handing import Hands, signed
from connector.sync.apply.outcomes import GONE, MOVED, THERE, Item, Made, Outcome
from connector.sync.entities import CREATES, NEW, Base, Change, Side
from connector.sync.mapping.mapping import Mapping as MappingFile
from connector.sync.plan.ground import Row, Sides
from connector.sync.systems.systems import Both


class Writer:
    """Writes to both systems, for one run."""

    def __init__(self, both: Both, mapping: MappingFile, run: str, made: Made) -> None:
        self._made = made
        self._assets, self._run = both.assets, run
        self._hands = Hands(both, made, run)
        self._labels = mapping.people
        sides = Sides(mdm_can=both.mdm.can, asset_can=both.assets.can)
        rows = [Row.of(field, sides) for field in mapping.mapped]
        self._ends = {
            "update_asset": End("asset", {row.to: row for row in rows}, both.assets.asset, both.assets.update_asset),
            "update_device": End("mdm", {row.source: row for row in rows}, both.mdm.device, both.mdm.update),
        }

    async def write(self, item: Item, *, again: bool) -> AsyncIterator[Outcome]:
        """Carry lines out. `again`: it was begun before, and nobody knows how far it came. Raises UpcardError."""
        if missing := [id_ for id_ in _needs(item) if id_.startswith(NEW) and id_ not in self._made.ids]:
            for line in item:
                yield Outcome(line, "stale", f"what it needs was not created ({missing[0].removeprefix(NEW)})")
            return
        match item[0].op:
            case "create_field":
                yield await self._create_field(item[0])
            case "create_person" | "create_asset":
                yield await self._create(item[0], again=again)
            case "update_person":
                for outcome in await self._complete(item):
                    yield outcome
            case "update_asset" | "update_device":
                for outcome in await self._update(item, self._ends[item[0].op]):
                    yield outcome
            case "check_in" | "check_out":
                async for outcome in self._hands.over(item, again=again):
                    yield outcome
            case "assign":
                yield await self._hands.assign(item[0])
            case _:
                yield await self._keep(item[0], again=again)

    async def _create_field(self, line: Change) -> Outcome:
        if line.target not in {column.name for column in await self._assets.columns() or ()}:
            await self._assets.create_column(line.target)
        return self._made.done(line)

    async def _create(self, line: Change, *, again: bool) -> Outcome:
        """A new asset or person, unless it is there meanwhile: look just before, and after no answer came."""
        if found := await self._there(line, anew=again):
            return self._new(line, found[0]) if again and len(found) == 1 else Outcome(line, "stale", THERE)
        values: Any = line.after
        create = self._assets.create_asset if line.op == "create_asset" else self._assets.create_person
        try:
            return self._new(line, await create(values))
        except OutcomeUnknown as error:
            try:
                found = await self._there(line, anew=True)
            except UpcardError:
                raise error from None  # it is not tried again: it may have been done
            if len(found) != 1:
                raise
            return self._new(line, found[0])

    async def _there(self, line: Change, *, anew: bool) -> Sequence[Asset | Person]:
        values: Any = line.after
        if line.op == "create_asset":
            return await self._assets.find_assets(values["serial"], anew=anew)
        email, name = values.get(self._labels.email), values.get(self._labels.name)
        return await self._assets.find_people(email, name, anew=anew)

    def _new(self, line: Change, created: Asset | Person) -> Outcome:
        """A new record, with what the system made of the values that it was given."""
        bases = line.bases
        if isinstance(created, Asset):
            rows = self._ends["update_asset"].rows
            bases = tuple(replace(base, asset_value=rows[base.field].asset(created)) for base in bases)
        return self._made.done(line, bases, created.sys_id)

    async def _complete(self, item: Item) -> list[Outcome]:
        """What a person lacks; what somebody gave them meanwhile stays."""
        now = await self._assets.person(item[0].target)
        if now is None:
            return [Outcome(line, "stale", GONE) for line in item]
        has = {self._labels.email: now.email, self._labels.name: now.name}
        done = [line for line in item if has[str(line.field)] == line.after]
        todo = [line for line in item if not has[str(line.field)]]
        if todo:
            await self._assets.update_person(now.sys_id, {str(line.field): _single(line.after) for line in todo})
        moved = [Outcome(line, "stale", MOVED) for line in item if line not in done and line not in todo]
        return [*moved, *(self._made.done(line) for line in (*done, *todo))]

    async def _update(self, item: Item, end: "End") -> list[Outcome]:
        """Fields of one record: those that hold what they held when the plan was made are written, in one request."""
        target = self._made.id(item[0].target)
        if (now := await end.read(target)) is None:
            return [Outcome(line, "stale", GONE) for line in item]
        item = tuple([await self._tagged(line, end) for line in item])
        done = [line for line in item if end.value(line, now) == line.after]
        todo = [line for line in item if line not in done and end.equal(line, now, line.before)]
        if todo:
            now = await end.write(target, {str(line.field): _single(line.after) for line in todo})
        moved = [Outcome(line, "stale", MOVED) for line in item if line not in done and line not in todo]
        return [*moved, *(self._made.done(line, end.bases(line, now)) for line in (*done, *todo))]

    async def _tagged(self, line: Change, end: "End") -> Change:
        """With the tag that the asset system made for a new asset, where that is what is written."""
        if not line.takes_made_tag:
            return line
        made = await self._assets.asset(self._made.id(str(line.after)))
        tag = made.tag if made else None
        bases = tuple(replace(base, asset_value=tag) for base in line.bases)
        return replace(line, after=end.rows[str(line.field)].kept_by_mdm(tag), bases=bases)

    async def _keep(self, line: Change, *, again: bool) -> Outcome:
        """An asset whose device is gone, or is there again."""
        now = await self._assets.asset(line.target)
        if now is None:
            return Outcome(line, "stale", GONE)
        if line.op == "archive" and not now.archived:
            await self._assets.archive(line.target)
        if line.op == "restore" and now.archived and self._assets.can.archive:
            await self._assets.restore(line.target)
        if not again:
            await self._assets.note(line.target, signed(line, self._run))
        return self._made.done(line)


@dataclass(frozen=True)
class End:
    """One side, to read and write fields of its records there."""

    side: Side
    rows: Mapping[str, Row]
    read: Callable[[str], Awaitable[Any]]
    write: Callable[[str, Values], Awaitable[Any]]

    def value(self, line: Change, record: Any) -> Value:
        row = self.rows[str(line.field)]
        return row.asset(record) if self.side == "asset" else row.mdm(record)

    def equal(self, line: Change, record: Any, value: Any) -> bool:
        return self.rows[str(line.field)].rule.equal(self.value(line, record), value)

    def bases(self, line: Change, record: Any) -> Iterator[Base]:
        """What is recorded: with what this side really keeps of the value."""
        kept = self.value(line, record)
        for base in line.bases:
            yield replace(base, asset_value=kept) if self.side == "asset" else replace(base, mdm_value=kept)


def _needs(item: Item) -> Iterator[str]:
    """The IDs that a line writes to or writes."""
    for line in item:
        if line.op not in CREATES:
            yield line.target
        if line.op == "check_out" or line.takes_made_tag:
            yield str(line.after)


def _single(value: Any) -> Value:
    """The value of a line that writes one field."""
    found: Value = value
    return found
