"""The plan: what would be done, what is held, what is worth knowing. A pure function; nothing is read or written."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, get_args

import orjson

from connector.sync.entities import Base, Change, Hold, Link, Notice, Op
from connector.sync.mapping.mapping import Mapping
from connector.sync.plan.absence import absent, returned
from connector.sync.plan.assignment import assigned
from connector.sync.plan.brake import implausible, over_limits
from connector.sync.plan.creation import new_assets, not_created, people
from connector.sync.plan.fields import Item, another_machine, columns, pair_fields
from connector.sync.plan.ground import Ground, Memory, Sides
from connector.sync.plan.matching import Pair

ORDER = {op: place for place, op in enumerate(get_args(Op))}


@dataclass(frozen=True)
class Plan:
    """Lines in the order in which they are done; `agreed` and `counted` are recorded and change nothing outside."""

    inputs: str
    lines: tuple[Change, ...] = ()
    holds: tuple[Hold, ...] = ()
    warnings: tuple[Notice, ...] = ()
    agreed: tuple[Base, ...] = ()
    counted: tuple[Link, ...] = ()
    brakes: tuple[str, ...] = ()
    stopped: str | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """The lines that apply does."""
        return tuple(line for line in self.lines if line.status == "planned")

    @property
    def waiting(self) -> tuple[Change, ...]:
        """The lines for the outbox."""
        return tuple(line for line in self.lines if line.status == "waiting")

    @property
    def impossible(self) -> tuple[Change, ...]:
        """The lines that a system cannot do, or would do in part."""
        return tuple(line for line in self.lines if line.status in ("unsupported", "refused"))


def plan(sides: Sides, memory: Memory, mapping: Mapping) -> Plan:
    """What would make both sides what the mapping says, from what they hold and what they last agreed on."""
    inputs = fingerprint(sides, memory, mapping)
    if stopped := implausible(sides, memory, mapping):
        return Plan(inputs, stopped=stopped)
    items = list(_items(Ground.of(sides, memory, mapping)))
    lines = _ordered(item for item in items if isinstance(item, Change))
    return Plan(
        inputs=inputs,
        lines=lines,
        holds=tuple(item for item in items if isinstance(item, Hold)),
        warnings=tuple(item for item in items if isinstance(item, Notice)),
        agreed=tuple(item for item in items if isinstance(item, Base)),
        counted=tuple(item for item in items if isinstance(item, Link)),
        brakes=tuple(over_limits(lines, len(sides.assets), mapping)),
    )


def _items(ground: Ground) -> Iterator[Item]:
    yield from ground.devices.holds
    yield from ground.people.holds
    yield from columns(ground)
    yield from people(ground)
    if ground.mapping.create.assets == "yes":
        yield from new_assets(ground)
    else:
        yield from (not_created(device, ground) for device in ground.devices.new)
    for pair in ground.devices.pairs:
        yield from _linked(pair)
        yield from returned(pair)
        if held := another_machine(pair, ground):
            yield held
        else:
            yield from pair_fields(pair, ground)
            yield from assigned(pair, ground)
    for link, asset in ground.devices.gone:
        yield from absent(link, asset, ground)


def _linked(pair: Pair) -> Iterator[Item]:
    """A link that is found now, or that moves to a device enrolled again."""
    if not pair.is_new:
        return
    op: Op = "move_link" if pair.moved else "link"
    why = "enrolled again with a new id" if pair.moved else f"the same {pair.link.matched_by}"
    link = replace(pair.link, state="active", absent=0)
    yield Change(op, "asset", pair.asset.sys_id, f"{pair.asset.label} = {pair.device.label}", why, link=link)


def _ordered(lines: Iterable[Change]) -> tuple[Change, ...]:
    """By step, then by target, so that a plan reads the same whenever it is made."""
    return numbered(sorted(lines, key=lambda line: (ORDER[line.op], line.name, line.target, line.field or "")))


def numbered(lines: Iterable[Change]) -> tuple[Change, ...]:
    """Lines by their places in a plan."""
    return tuple(replace(line, seq=place) for place, line in enumerate(lines, start=1))


def fingerprint(sides: Sides, memory: Memory, mapping: Mapping) -> str:
    """The hash of all that the plan depends on, in whatever order it was read."""
    found = hashlib.sha256()
    for part in _parts(sides, memory, mapping):
        found.update(orjson.dumps(part, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
    return found.hexdigest()


def _parts(sides: Sides, memory: Memory, mapping: Mapping) -> Iterator[Any]:
    """Record by record: a whole fleet as one text would be as large as the fleet."""
    by_field = attrgetter("link", "field")
    for records in (sides.devices, sides.users):
        yield from ("mdm", *sorted(records, key=attrgetter("mdm_id")))
    for others in (sides.assets, sides.people):
        yield from ("asset", *sorted(others, key=attrgetter("sys_id")))
    yield from ("links", *sorted(memory.links, key=attrgetter("id")))
    yield from ("bases", *sorted(memory.bases, key=by_field))
    yield from ("locks", *sorted(memory.locks, key=by_field))
    yield from ("begun", *memory.begun)
    yield (sides.mdm_can, sides.asset_can, sides.columns, memory.devices_before, memory.assets_before)
    yield mapping.model_dump(mode="json")


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
