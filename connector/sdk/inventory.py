"""What an asset sync reads of both sides: devices and users, assets and people, and what a system can do with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.sdk.tables import Table, rows

Value = str | int | float | bool | tuple[str, ...] | None
Kind = Literal["text", "number", "boolean", "date"]
KINDS: Mapping[str, Kind] = {"Text": "text", "Number": "number", "Boolean": "boolean", "Date": "date"}


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the MDM. `fields` has what the MDM calls its properties; `details` is None if not read."""

    mdm_id: str
    serial: str | None = None
    name: str | None = None
    model: str | None = None
    platform: str | None = None
    os_version: str | None = None
    asset_tag: str | None = None
    user_id: str | None = None
    user_email: str | None = None
    user_name: str | None = None
    blueprint: str | None = None
    mdm_enabled: bool = True
    is_missing: bool = False
    is_removed: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """What people know it by."""
        return " ".join(part for part in (self.name, self.serial and f"({self.serial})") if part) or self.mdm_id


@dataclass(frozen=True, slots=True)
class User:
    """A user of the MDM's directory."""

    mdm_id: str
    email: str | None = None
    name: str | None = None
    archived: bool = False

    @property
    def label(self) -> str:
        return self.email or self.name or self.mdm_id


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who or what has an asset."""

    kind: Literal["person", "location", "asset", "none"] = "none"
    id: str | None = None


NOBODY = Assignee()


@dataclass(frozen=True, slots=True)
class Asset:
    """A record of the asset system; `fields` has its columns by their labels."""

    sys_id: str
    tag: str | None = None
    serial: str | None = None
    category: str | None = None
    status: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    assignee: Assignee = NOBODY
    archived: bool = False

    def at(self, label: str) -> Any:
        """What stands in a column, be it the system's own or a custom one."""
        return getattr(self, label) if label in OWN_COLUMNS else self.fields.get(label)

    @property
    def label(self) -> str:
        return self.tag or self.serial or self.sys_id


OWN_COLUMNS = ("tag", "serial", "category", "status")


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the asset system."""

    sys_id: str
    name: str | None = None
    email: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    archived: bool = False

    @property
    def label(self) -> str:
        return self.email or self.name or self.sys_id


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do. `makes_tags`: an asset that is created without a tag gets one.

    `makes_categories`: an asset may be given a category that no other asset has.

    `writable`: the only fields it takes, where it does not take all.
    """

    create_assets: bool = True
    create_people: bool = True
    create_fields: bool = False
    makes_tags: bool = False
    makes_categories: bool = True
    assign: bool = True
    archive: bool = False
    max_lengths: Mapping[str, int] = field(default_factory=dict)
    writable: frozenset[str] | None = None

    def writes(self, name: str) -> bool:
        return self.writable is None or name in self.writable


@dataclass(frozen=True, order=True)
class Named:
    """A property of the MDM by its path, or a column of the asset system by its label."""

    name: str
    kind: Kind = "text"

    @classmethod
    def each(cls, table: type[Table], at: str = "") -> "Iterator[Named]":
        """The rows of a table that hold one value, by their keys below `at`; those of its groups below theirs."""
        for row in rows(table):
            if row.group:
                yield from cls.each(row.group, f"{at}{row.key}.")
            elif kind := KINDS.get(row.kind.name):
                yield cls(at + row.key, kind)
