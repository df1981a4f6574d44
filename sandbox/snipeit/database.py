"""A whole server: its settings, its records, who has what, and the log of what happened."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from time import time
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.log import RequestLog
from sandbox.snipeit import facts

MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a server is started with.

    unique_serial, auto_increment, require_notes, show_archived: of its admin settings. max_results: MAX_RESULTS.
    per_minute: API_THROTTLE_PER_MINUTE, any number when not given. retry_after: whether a 429 says when, which versions
    before 8.2 do not. hours: the server's time zone, from UTC.
    """

    assets: int = 200
    users: int = 60
    seed: int = 7
    token: str | None = None
    unique_serial: bool = False
    auto_increment: bool = False
    require_notes: bool = False
    show_archived: bool = False
    max_results: int = 500
    per_minute: int | None = None
    retry_after: bool = True
    hours: int = -5
    clock: Callable[[], float] = time


@dataclass
class Row:
    """Any record. `own` are its columns as the table has them, `_snipeit_…` among them."""

    id: int
    created: float
    updated: float
    own: dict[str, Any] = field(default_factory=dict)
    deleted: float | None = None


@dataclass
class Asset(Row):
    """Who or what has it: type and ID."""

    assigned: tuple[str, int] | None = None
    last_checkout: float | None = None
    expected_checkin: str | None = None


@dataclass
class Event:
    """A line of the activity report."""

    id: int
    action: str
    asset_id: int
    target: tuple[str, int] | None
    note: str | None
    created: float

    @property
    def updated(self) -> float:
        return self.created


class Throttle:
    """So many requests in a minute."""

    def __init__(self, clock: Clock, per_minute: int | None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._taken: deque[float] = deque()

    def take(self) -> float | None:
        """None where one more is taken, else the seconds until then."""
        now = self._clock.now()
        while self._taken and self._taken[0] <= now - MINUTE:
            self._taken.popleft()
        if self._per_minute is not None and len(self._taken) >= self._per_minute:
            return self._taken[0] + MINUTE - now
        self._taken.append(now)
        return None


class Database:
    """The state behind the API."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.token = settings.token or f"eyJ{Random(f'{settings.seed}/token').getrandbits(1024):0256x}"
        self.clock = Clock(settings.clock)
        self.faults = Faults(settings.seed)
        self.log = RequestLog()
        self.throttle = Throttle(self.clock, settings.per_minute)
        self.began = self.clock.now() - 86_400
        self.assets: dict[int, Asset] = {}
        self.users: dict[int, Row] = {}
        self.events: list[Event] = []
        self.places = self._rows({"name": name} for name in facts.PLACES)
        self.fieldsets = self._rows({"name": name} for name in facts.FIELDSETS)
        self.categories = self._rows({"name": name, "category_type": kind} for name, kind in facts.CATEGORIES)
        self.status_labels = self._rows({"name": name, "type": kind} for name, kind in facts.STATUS_LABELS)
        self.models = self._rows(
            {"name": name, "model_number": number, "category_id": category, "fieldset_id": fieldset}
            for name, number, category, fieldset in facts.MODELS
        )
        self.fields = self._rows(
            {"name": name, "format": form, "element": "text", "db_column": column(name, index)}
            for index, (name, form, _) in enumerate(facts.FIELDS, 1)
        )
        self.members: dict[int, list[int]] = {
            fieldset: [index for index, each in enumerate(facts.FIELDS, 1) if each[2] == fieldset]
            for fieldset in self.fieldsets
        }
        for index in range(settings.users):
            self.users[index + 1] = self._row(index + 1, facts.user_facts(index))
        self.add_assets(settings.assets, self.began)

    def new(self, rows: dict[int, Any], own: dict[str, Any], kind: type[Row] = Row) -> Any:
        """A record that is kept, with the next ID."""
        now, id_ = self.clock.now(), max(rows, default=0) + 1
        rows[id_] = kind(id_, now, now, own)
        return rows[id_]

    def add_assets(self, count: int, at: float | None = None) -> list[Asset]:
        """More of the same kind, about half of those that are ready with somebody."""
        have, when = max(self.assets, default=0), self.clock.now() if at is None else at
        columns = {row.own["name"]: row.own["db_column"] for row in self.fields.values()}
        for index in range(have, have + count):
            found = facts.asset_facts(self.settings.seed, index)
            extra = {columns[label]: value for label, value in found["labels"].items()}
            asset = Asset(index + 1, when, when, {**found["own"], **extra})
            asset.own["location_id"] = asset.own["rtd_location_id"]
            self.assets[asset.id] = asset
            if found["is_out"] and self.users:
                chance = Random(f"{self.settings.seed}/owner/{index}")
                self.check_out(asset, ("user", chance.randrange(len(self.users)) + 1), None)
        return [self.assets[id_] for id_ in range(have + 1, have + count + 1)]

    def check_out(self, asset: Asset, target: tuple[str, int], note: str | None) -> None:
        asset.assigned, asset.last_checkout = target, self.clock.now()
        self.happened("checkout", asset, target, note)

    def check_in(self, asset: Asset, note: str | None) -> None:
        target, asset.assigned, asset.expected_checkin = asset.assigned, None, None
        asset.own["location_id"] = asset.own["rtd_location_id"]
        self.happened("checkin from", asset, target, note)

    def happened(self, action: str, asset: Asset, target: tuple[str, int] | None = None, note: Any = None) -> None:
        asset.updated = self.clock.now()
        self.events.append(Event(len(self.events) + 1, action, asset.id, target, note, asset.updated))

    def status_type(self, asset: Asset) -> str:
        return str(self.status_labels[asset.own["status_id"]].own["type"])

    def is_free(self, asset: Asset) -> bool:
        """Whether it can be checked out."""
        return asset.deleted is None and asset.assigned is None and self.status_type(asset) == "deployable"

    def fields_of(self, model_id: int) -> list[Row]:
        """The custom fields that assets of this model have."""
        fieldset = self.models[model_id].own.get("fieldset_id")
        return [self.fields[id_] for id_ in self.members.get(fieldset, [])] if fieldset else []

    def _rows(self, owns: Any) -> dict[int, Row]:
        return {index: self._row(index, own) for index, own in enumerate(owns, 1)}

    def _row(self, id_: int, own: dict[str, Any]) -> Row:
        return Row(id_, self.began, self.began, own)


def same(one: Any, other: str) -> bool:
    """As the database compares text: case and blanks at the end do not count."""
    return isinstance(one, str) and one.rstrip().casefold() == other.rstrip().casefold()


def column(label: str, id_: int) -> str:
    """How a custom field is called in the table of assets."""
    words = re.sub(r"[^a-z0-9]+", "_", label.lower().replace("'", "")).strip("_")
    return f"_snipeit_{words}_{id_}"
