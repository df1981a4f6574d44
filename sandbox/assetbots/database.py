"""A whole workspace ("database", as its API says): its settings, its records, and who has what."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from time import time
from typing import Any, Literal

from sandbox.assetbots.facts import CATEGORIES, PLACES, asset_facts, assignments, new_id, person_facts
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.log import RequestLog


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a workspace is started with. The switches are what nobody has written down of the service.

    custom_fields: `{"brand": "Apple"}` or `{"brand": {"value": "Apple"}}`, read and written.
    updates: what an update does not name is left alone, or cleared. unknown_fields: what becomes of a key nobody knows.
    check_ins: their answer, of which only the status is documented: empty, or the check-ins.
    asset_limit: of the plan. per_second: requests taken; any number when not given. retry_after: of a 429.
    """

    assets: int = 200
    people: int = 60
    seed: int = 7
    key: str | None = None
    name: str = "Acme IT"
    custom_fields: Literal["bare", "wrapped"] = "bare"
    updates: Literal["merge", "replace"] = "merge"
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    check_ins: Literal["empty", "listed"] = "empty"
    asset_limit: int | None = None
    per_second: int | None = None
    retry_after: str | None = "1"
    clock: Callable[[], float] = time


@dataclass
class Thing:
    """An asset, a person or a location. `fields` are its custom fields, `own` what else it has."""

    id: str
    created: float
    updated: float
    own: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    checkout: str | None = None
    is_reserved: bool = False
    is_in_repair: bool = False

    @property
    def is_free(self) -> bool:
        """Whether it can be checked out."""
        return not (self.checkout or self.is_reserved or self.is_in_repair)


@dataclass
class Checkout:
    """Stays open until all of its assets are back."""

    id: str
    created: float
    asset_ids: list[str]
    out: set[str]
    person_id: str | None
    location_id: str | None
    date: str
    due: str | None
    note: str | None

    @property
    def status(self) -> str:
        return "CheckedOut" if self.out else "CheckedIn"  # the first was seen, the second is a guess


@dataclass
class Note:
    id: str
    target_id: str
    value: str
    created: float


class Limits:
    """So many requests in a second."""

    def __init__(self, clock: Clock, per_second: int | None) -> None:
        self._clock = clock
        self._per_second = per_second
        self._taken: deque[float] = deque()

    def take(self) -> bool:
        now = self._clock.now()
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if self._per_second is not None and len(self._taken) >= self._per_second:
            return False
        self._taken.append(now)
        return True


class Database:
    """The state behind the API."""

    def __init__(self, settings: Settings) -> None:
        seed = settings.seed
        self.settings = settings
        self.id = new_id(seed, "database", 0)
        self.key = settings.key or f"ab_{Random(f'{seed}/key').getrandbits(160):040x}"
        self.clock = Clock(settings.clock)
        self.faults = Faults(seed)
        self.log = RequestLog()
        self.limits = Limits(self.clock, settings.per_second)
        self.categories = {new_id(seed, "category", index): name for index, name in enumerate(CATEGORIES)}
        self.assets: dict[str, Thing] = {}
        self.people: dict[str, Thing] = {}
        self.locations: dict[str, Thing] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.notes: dict[str, Note] = {}
        self._made = 0
        self._began = self.clock.now() - 86_400
        self._fill()

    def new_id(self, kind: str) -> str:
        self._made += 1
        return new_id(self.settings.seed, kind, self._made)

    def new_thing(self, kind: str, own: dict[str, Any], fields: dict[str, Any], at: float | None = None) -> Thing:
        """A record that is not kept yet."""
        now = self.clock.now() if at is None else at
        return Thing(self.new_id(kind), now, now, own, fields)

    def add_assets(self, count: int) -> list[Thing]:
        """More of the same kind, at the end of the list."""
        have = len(self.assets)
        added = [self._new_asset(index, self.clock.now()) for index in range(have, have + count)]
        self.assets |= {asset.id: asset for asset in added}
        return added

    def check_out(self, assets: Iterable[Thing], **more: Any) -> Checkout:
        ids = [asset.id for asset in assets]
        found = Checkout(self.new_id("checkout"), self.clock.now(), ids, set(ids), **more)
        self.checkouts[found.id] = found
        for asset_id in ids:
            self.assets[asset_id].checkout = found.id
        return found

    def check_in(self, asset: Thing) -> Checkout:
        """Take one back; the checkout that it belonged to."""
        assert asset.checkout is not None  # noqa: S101
        found = self.checkouts[asset.checkout]
        found.out.discard(asset.id)
        asset.checkout = None
        return found

    def remove(self, asset_id: str) -> None:
        """As if it had never been there."""
        del self.assets[asset_id]
        for checkout in self.checkouts.values():
            checkout.out.discard(asset_id)
            checkout.asset_ids = [other for other in checkout.asset_ids if other != asset_id]

    def knows(self, record_id: str) -> bool:
        return any(record_id in kind for kind in (self.assets, self.people, self.locations, self.checkouts))

    def _fill(self) -> None:
        for index in range(self.settings.people):
            facts = person_facts(self.settings.seed, index)
            person = self.new_thing("person", {"name": facts["name"]}, facts["fields"], self._began)
            self.people[person.id] = person
        for name in PLACES:
            place = self.new_thing("location", {"name": name, "address": None}, {}, self._began)
            self.locations[place.id] = place
        assets = [self._new_asset(index, self._began) for index in range(self.settings.assets)]
        self.assets = {asset.id: asset for asset in assets}
        people = list(self.people)
        for asset, person_index in assignments(self.settings.seed, len(assets), len(people)):
            whom = {"person_id": people[person_index], "location_id": None}
            self.check_out([assets[asset]], **whom, date="2026-01-15T09:00:00Z", due=None, note=None)

    def _new_asset(self, index: int, at: float) -> Thing:
        facts = asset_facts(self.settings.seed, index)
        category = next(id_ for id_, name in self.categories.items() if name == facts["category"])
        own = {"tag": facts["tag"], "description": facts["description"], "category": category}
        return self.new_thing("asset", own, facts["fields"], at)
