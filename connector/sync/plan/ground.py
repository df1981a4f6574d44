"""What every line of a plan stands on: both sides, what is remembered, the mapping, and who is who."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from connector.sdk.inventory import Asset, Capabilities, Device, Person, User, Value
from connector.sync.entities import NEW, Base, Change, Link, Lock, Side
from connector.sync.mapping.mapping import FieldRow, Scope
from connector.sync.mapping.mapping import Mapping as MappingFile
from connector.sync.mapping.values import Steps, cut, looked_up, normal, steps, transformed, walk
from connector.sync.plan.matching import Devices, match_devices
from connector.sync.plan.people import People, match_people
from connector.sync.plan.three_way import Rule

ABLE = Capabilities()


@dataclass(frozen=True, slots=True)
class Sides:
    """Both systems as they were read; `columns` are the asset system's fields, where it tells."""

    devices: tuple[Device, ...] = ()
    users: tuple[User, ...] = ()
    assets: tuple[Asset, ...] = ()
    people: tuple[Person, ...] = ()
    mdm_can: Capabilities = ABLE
    asset_can: Capabilities = ABLE
    columns: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier runs left: who is linked, what was agreed, what is locked, how much there was.

    `begun` are lines that an apply started and never confirmed: it was killed on the way.
    """

    links: tuple[Link, ...] = ()
    bases: tuple[Base, ...] = ()
    locks: tuple[Lock, ...] = ()
    begun: tuple[Change, ...] = ()
    devices_before: int | None = None
    assets_before: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the mapping, ready to be read from both sides."""

    to: str
    source: str
    steps: Steps
    in_details: bool
    field: FieldRow
    rule: Rule
    asset_length: int | None
    mdm_length: int | None

    @classmethod
    def of(cls, field: FieldRow, sides: Sides) -> "Row":
        source, to = field.from_ or "", field.to or ""
        lengths = sides.asset_can.max_lengths.get(to), sides.mdm_can.max_lengths.get(source)
        return cls(to, source, steps(source), field.in_details, field, field.rule(*lengths), *lengths)

    def is_read(self, device: Device) -> bool:
        """Whether this run knows the MDM's value; details are read for some devices only."""
        return not self.in_details or device.details is not None

    def mdm(self, device: Device) -> Value:
        """The MDM's value in the form of the asset system."""
        raw = walk(device.details, self.steps[1:]) if self.in_details else walk(device.fields, self.steps)
        value = normal(raw, "text" if self.field.transform or self.field.values else self.field.type)
        value = looked_up(transformed(value, self.field.transform), self.field.values)
        return normal(value, self.field.type)

    def asset(self, asset: Asset) -> Value:
        return normal(asset.at(self.to), self.field.type)

    def kept_by_asset(self, value: Value) -> Value:
        """A value as the asset system keeps it."""
        return cut(value, self.asset_length)

    def kept_by_mdm(self, value: Value) -> Value:
        return cut(transformed(value, self.field.transform), self.mdm_length)


@dataclass(frozen=True)
class Ground:
    """One run's facts, looked up in one step each."""

    sides: Sides
    mapping: MappingFile
    rows: tuple[Row, ...]
    devices: Devices
    people: People
    users: Mapping[str, User]
    wanted: frozenset[str]
    bases: Mapping[tuple[str, str], Base]
    locks: Mapping[tuple[str, str], Lock]
    begun: Mapping[tuple[str, str], list[tuple[Side, Base]]]

    @classmethod
    def of(cls, sides: Sides, memory: Memory, mapping: MappingFile) -> "Ground":
        there = [device for device in sides.devices if not device.is_removed]
        scoped = [device for device in there if in_scope(device, mapping.scope)]
        present = frozenset(device.mdm_id for device in there)
        devices = match_devices(scoped, sides.assets, memory.links, rules=mapping.match.device, present=present)
        users = _users(sides.users, there)
        wanted = frozenset(key for device in _synced(devices, mapping) if (key := user_key(device)))
        people = match_people(users.values(), sides.people, memory.links, rules=mapping.match.person, wanted=wanted)
        rows = tuple(Row.of(field, sides) for field in mapping.mapped)
        bases = {(base.link, base.field): base for base in memory.bases}
        locks = {(lock.link, lock.field): lock for lock in memory.locks}
        begun: dict[tuple[str, str], list[tuple[Side, Base]]] = {}
        for line in memory.begun:
            for base in line.bases:
                begun.setdefault((base.link, base.field), []).append((line.side, base))
        return cls(sides, mapping, rows, devices, people, users, wanted, bases, locks, begun)

    def base(self, key: tuple[str, str], mdm: Value, asset: Value) -> Base | None:
        """What both sides last agreed on; a write of ours that was done and never confirmed is no edit of theirs."""
        for side, begun in reversed(self.begun.get(key, [])):
            if asset == begun.asset_value if side == "asset" else mdm == begun.mdm_value:
                return begun
        return self.bases.get(key)

    def agreed(self, base: Base | None) -> Iterator[Base]:
        """The base to record, where it is new."""
        if base and self.bases.get((base.link, base.field)) != base:
            yield base

    @cached_property
    def usable(self) -> tuple[Row, ...]:
        """The rows whose column there is, or will be."""
        there, can = self.sides.columns, self.sides.asset_can.create_fields
        return tuple(row for row in self.rows if there is None or row.to in there or (row.field.create and can))

    def has_category(self, name: str) -> bool:
        """Whether an asset can be given it."""
        return self.sides.asset_can.makes_categories or name.casefold() in self.categories

    @cached_property
    def categories(self) -> frozenset[str]:
        return frozenset(asset.category.casefold() for asset in self.sides.assets if asset.category)

    @cached_property
    def created_users(self) -> frozenset[str]:
        """Users whose person is created in this run."""
        if self.mapping.create.people != "yes" or not self.sides.asset_can.create_people:
            return frozenset()
        return frozenset(user.mdm_id for user in self.people.new)

    @cached_property
    def names(self) -> dict[str, str]:
        """What people know each person by, those included who are created."""
        new = {NEW + key: f"{self.users[key].label} (new)" for key in self.created_users}
        return new | {person.sys_id: person.label for person in self.sides.people}

    def knows_person(self, device: Device) -> bool:
        """Whether it is clear who in the asset system has it, be it nobody."""
        key = user_key(device)
        return not key or key in self.people.person_of or key in self.created_users

    def person(self, device: Device) -> str | None:
        """The id of the person who has it by the MDM; `new:` and the user's id where they are created first."""
        key = user_key(device)
        if not key:
            return None
        found = self.people.person_of.get(key)
        return found.sys_id if found else NEW + key


def user_key(device: Device) -> str:
    """What tells its user from others."""
    return device.user_id or device.user_email or ""


def in_scope(device: Device, scope: Scope) -> bool:
    """Whether the mapping has anything to say about it."""
    out = scope.exclude
    named = (out.blueprint, device.blueprint), (out.name, device.name), (out.model, device.model)
    every = (*named, (out.serial, device.serial))
    excluded = any(fnmatchcase(value or "", pattern) for patterns, value in every for pattern in patterns)
    missing = out.is_missing and device.is_missing
    return not (excluded or missing) and (not scope.platforms or device.platform in scope.platforms)


def _users(users: tuple[User, ...], devices: list[Device]) -> dict[str, User]:
    """The directory, and who is known only from a device: a token may not read the directory."""
    seen = {key: User(key, device.user_email, device.user_name) for device in devices if (key := user_key(device))}
    return seen | {user.mdm_id: user for user in users}


def _synced(devices: Devices, mapping: MappingFile) -> list[Device]:
    new = devices.new if mapping.create.assets == "yes" else ()
    return [*(pair.device for pair in devices.pairs), *new]
