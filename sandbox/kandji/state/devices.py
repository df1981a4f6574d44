"""The devices as they are now: the seeded fleet, what was changed, what was removed or added."""

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from heapq import merge

from sandbox.kandji.facts.fleet import FIRST, Fleet
from sandbox.kandji.facts.mix import MIX, pattern
from sandbox.kandji.state.blueprints import Blueprints
from sandbox.kandji.state.records import Change, Record, Records
from sandbox.kandji.state.scan import Scan
from sandbox.kandji.state.tags import Tags

SCANS = 8  # so many searches are remembered

Test = Callable[[int, Record], bool]


class Devices:
    """Listed by position, found by index or id; memory grows only with the changes."""

    def __init__(self, fleet: Fleet, records: Records, blueprints: Blueprints, tags: Tags) -> None:
        self.fleet = fleet
        self._records = records
        self._blueprints = blueprints
        self._tags = tags
        self._first, self._end = FIRST, FIRST + fleet.size
        self._removed: list[int] = []
        self.changes: dict[int, Change] = {}
        self._scans: dict[Hashable, Scan] = {}

    def __len__(self) -> int:
        return self._end - self._first - len(self._removed)

    def __contains__(self, index: int) -> bool:
        return self._first <= index < self._end and not self._is_removed(index)

    def page(self, offset: int, limit: int) -> Iterator[int]:
        """The indexes at those positions."""
        start = self._first + offset
        for gone in self._removed:
            start += gone <= start
        return (index for index, _ in zip(self._from(start), range(limit), strict=False))

    def index(self, device_id: str) -> int | None:
        index = self.fleet.device_ids.index(device_id)
        return index if index is not None and index in self else None

    def select(self, name: Hashable, test: Test) -> Iterator[int]:
        """The indexes of the devices that pass, in order, found as they are asked for.

        Only the seeded fleet is remembered under the name: what changed since is few, and tested every time.
        """
        changed = set(self.changes)
        seeded = (index for index in self._scan(name, test) if index not in changed and not self._is_removed(index))
        live = [index for index in sorted(changed) if index in self and test(index, self.record(index))]
        return merge(seeded, live)

    def is_searched(self, name: Hashable, test: Test) -> bool:
        """Whether that search has been through the whole fleet."""
        return self._scan(name, test).is_complete

    def owned_by(self, number: int) -> list[int]:
        """The devices of one person."""
        seeded = range(FIRST + number, self._end, self.fleet.people)
        added = range(FIRST + number - self.fleet.people, self._first - 1, -self.fleet.people)
        candidates = {*seeded, *added, *self.changes}
        return sorted(index for index in candidates if index in self and self.owner(index) == number)

    def owner(self, index: int) -> int | None:
        change = self.changes.get(index, {})
        return change["owner"] if "owner" in change else self.fleet.owner(index, self.fleet.dice(index))

    def in_blueprint(self, blueprint_id: str) -> int:
        """How many devices a blueprint has, by arithmetic and the few changes."""
        block = pattern(MIX, blueprint=self._number(blueprint_id))
        seeded = block.count(self._end) - block.count(self._first) if block.members else 0
        moved = [index for index in self.changes if index in self and "blueprint" in self.changes[index]]
        left = [index for index in {*self._removed, *moved} if self._seeded_blueprint(index) == blueprint_id]
        came = [index for index in moved if self.changes[index]["blueprint"] == blueprint_id]
        return seeded - len(left) + len(came)

    def missing_in_blueprint(self, blueprint_id: str) -> int:
        """How many of those have not checked in for long; this one walks through the fleet."""
        test = partial(_is_missing_in, blueprint_id)
        return sum(1 for _ in self.select(("missing", blueprint_id), test))

    def of_platform(self, platform: str) -> int:
        block = pattern(MIX, platform=platform)
        gone = sum(MIX[index % len(MIX)].platform == platform for index in self._removed)
        return block.count(self._end) - block.count(self._first) - gone

    def has_remote_desktop(self, index: int) -> bool:
        return self.changes.get(index, {}).get("has_remote_desktop", self.fleet.dice(index)[26] > 127)

    def record(self, index: int) -> Record:
        """The device as lists and Get Device show it."""
        return self._records.of(self.fleet.device(index), self.changes.get(index))

    def change(self, index: int, change: Change) -> None:
        self.changes[index] = {**self.changes.get(index, {}), **change}

    def remove(self, index: int) -> None:
        insort(self._removed, index)

    def add(self, many: int, *, at_front: bool) -> list[int]:
        """New devices, seeded as the others are."""
        start = self._first - many if at_front else self._end
        self._first, self._end = min(self._first, start), max(self._end, start + many)
        return list(range(start, start + many))

    def _scan(self, name: Hashable, test: Test) -> Scan:
        key = (name, self._first, self._end, self._tags.revision, self._blueprints.revision)
        scan = self._scans.pop(key, None)
        if scan is None:
            scan = Scan(
                range(self._first, self._end), lambda index: test(index, self._records.of(self.fleet.device(index)))
            )
        self._scans = dict(list(self._scans.items())[1 - SCANS :]) | {key: scan}
        return scan

    def _from(self, start: int) -> Iterator[int]:
        return (index for index in range(start, self._end) if not self._is_removed(index))

    def _is_removed(self, index: int) -> bool:
        at = bisect_left(self._removed, index)
        return at < len(self._removed) and self._removed[at] == index

    def _number(self, blueprint_id: str) -> int:
        known = self.fleet.blueprints
        return known.index(blueprint_id) if blueprint_id in known else len(known)

    def _seeded_blueprint(self, index: int) -> str:
        return self.fleet.blueprints[MIX[index % len(MIX)].blueprint]


def _is_missing_in(blueprint_id: str, index: int, record: Record) -> bool:
    return bool(record["is_missing"]) and record["blueprint_id"] == blueprint_id
