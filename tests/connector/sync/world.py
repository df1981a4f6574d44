"""Both systems and the sync's memory, in memory: plans are made and applied, people edit, and applies are cut short."""

from collections import Counter
from dataclasses import replace
from typing import Any

from connector.sdk.inventory import Asset, Assignee, Capabilities, Device, Person, User
from connector.sync.entities import Base, Change, Link, Lock
from connector.sync.mapping.mapping import Mapping
from connector.sync.plan.ground import Memory, Sides
from connector.sync.plan.plan import Plan, plan

HEAD: dict[str, Any] = {"version": 1, "mdm": {"kind": "kandji"}, "assets": {"kind": "file"}}
MDM = Capabilities(writable=frozenset({"asset_tag", "note", "user"}))
SAFETY = {"max_changes": 9999, "max_creates": 9999, "max_check_ins": 9999, "empty_source": "go"}


def mapping(*fields: dict[str, Any], **parts: Any) -> Mapping:
    """A mapping with these fields; the brake is off unless `safety` says otherwise."""
    rows = [{"from": field.pop("source"), **field} for field in map(dict, fields)]
    return Mapping.model_validate({**HEAD, "safety": SAFETY, **parts, "fields": rows})


class World:
    """What a tenant and an asset system hold; `writes` counts what the sync wrote where."""

    def __init__(self, how: Mapping, can: Capabilities | None = None) -> None:
        self.how, self.can = how, can or Capabilities()
        self.devices: dict[str, Device] = {}
        self.users: dict[str, User] = {}
        self.assets: dict[str, Asset] = {}
        self.people: dict[str, Person] = {}
        self.links: dict[str, Link] = {}
        self.bases: dict[tuple[str, str], Base] = {}
        self.locks: list[Lock] = []
        self.begun: list[Change] = []
        self.writes: Counter[tuple[str, str, str | None]] = Counter()
        self.ids: dict[str, str] = {}

    def plan(self) -> Plan:
        sides = Sides(
            tuple(self.devices.values()),
            tuple(self.users.values()),
            tuple(self.assets.values()),
            tuple(self.people.values()),
            MDM,
            self.can,
        )
        known = tuple(self.links.values()), tuple(self.bases.values()), tuple(self.locks), tuple(self.begun)
        return plan(sides, Memory(*known), self.how)

    def apply(self, some: Plan, steps: int | None = None, *, confirmed: bool = True) -> Plan:
        """Do the first `steps` lines; with `confirmed=False` the last is done and never recorded."""
        self.agree(some.agreed)
        self.links |= {link.id: link for link in some.counted}
        self.begun.clear()
        lines = some.changes[:steps]
        for place, line in enumerate(lines, start=1):
            self.write(line)
            if confirmed or place < len(lines):
                self.record(line)
            else:
                self.begun.append(line)
        return some

    def agree(self, bases: tuple[Base, ...]) -> None:
        for base in bases:
            base = self.real(base)
            self.bases[base.link, base.field] = base

    def real(self, base: Base) -> Base:
        """With the ids that new records got."""
        kind, _, key = base.link.partition("/")
        values = [
            self.ids.get(value, value) if isinstance(value, str) else value
            for value in (base.mdm_value, base.asset_value)
        ]
        return Base(f"{kind}/{self.ids.get(key, key)}", base.field, *values)

    def record(self, line: Change) -> None:
        if line.op == "lock" and line.link and line.field:
            self.locks.append(Lock(line.link.id, line.field, line.why))
        elif line.link:
            link = replace(line.link, sys_id=self.ids.get(line.link.sys_id, line.link.sys_id))
            self.links = {
                key: one for key, one in self.links.items() if (one.kind, one.mdm_id) != (link.kind, link.mdm_id)
            }
            self.links[link.id] = link
        self.agree(line.bases)

    def write(self, line: Change) -> None:
        """What the services do for one line."""
        target = self.ids.get(line.target, line.target)
        self.writes[line.op, target, line.field] += line.op not in ("link", "move_link", "lock")
        after: Any = self.ids.get(line.after, line.after) if isinstance(line.after, str) else line.after
        match line.op:
            case "create_asset" | "create_person":
                self.create(line)
            case "update_asset":
                self.edit_asset(target, str(line.field), after)
            case "check_in" | "check_out":
                self.hand(target, after)
            case "update_device":
                self.edit_device(target, str(line.field), after)
            case "assign":
                self.assign(target, after)
            case "update_person":
                self.people[target] = replace(self.people[target], **{str(line.field): after})
            case "archive" | "restore":
                self.assets[target] = replace(self.assets[target], archived=line.op == "archive")

    def create(self, line: Change) -> None:
        given: Any = line.after
        values: dict[str, Any] = dict(given)
        if line.op == "create_person":
            self.ids[line.target] = key = f"p{len(self.people) + 100}"
            self.people[key] = Person(key, **values)
            return
        self.ids[line.target] = key = f"a{len(self.assets) + 100}"
        own: dict[str, Any] = {name: values.pop(name, None) for name in ("tag", "serial", "category")}
        self.assets[key] = Asset(key, **own)
        for field, value in values.items():
            self.edit_asset(key, field, value)

    def edit_asset(self, key: str, field: str, value: Any) -> None:
        """Text is cut where the asset system keeps less."""
        kept = value[: self.can.max_lengths.get(field)] if isinstance(value, str) else value
        one = self.assets[key]
        own = field in ("tag", "serial", "category")
        self.assets[key] = replace(one, **({field: kept} if own else {"fields": {**one.fields, field: kept}}))

    def edit_device(self, key: str, field: str, value: Any) -> None:
        one = self.devices[key]
        self.devices[key] = replace(one, fields={**one.fields, field: value})

    def assign(self, key: str, user: Any) -> None:
        """As the MDM shows it afterwards: with the user's email and name."""
        one = self.users.get(user)
        email, name = (one.email, one.name) if one else (None, None)
        self.devices[key] = replace(self.devices[key], user_id=user, user_email=email, user_name=name)

    def hand(self, key: str, person: Any) -> None:
        """A real system checks out only what is free, so nobody may be skipped."""
        one = self.assets[key]
        assert person is None or one.assignee.kind == "none"
        assert person is not None or one.assignee.kind != "none"
        self.assets[key] = replace(one, assignee=Assignee("person", person) if person else Assignee())

    def settle(self) -> Plan:
        """Plan and apply; then a second plan, which is to be empty."""
        self.apply(self.plan())
        return self.plan()

    def add(self, *records: Device | User | Asset | Person) -> "World":
        for one in records:
            if isinstance(one, Device):
                self.devices[one.mdm_id] = one
            elif isinstance(one, User):
                self.users[one.mdm_id] = one
            elif isinstance(one, Asset):
                self.assets[one.sys_id] = one
            else:
                self.people[one.sys_id] = one
        return self
