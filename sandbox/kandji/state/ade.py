"""Automated Device Enrollment: integrations with Apple, and the devices assigned to them, enrolled or awaiting."""

from collections.abc import Iterator
from typing import NamedTuple, TypedDict

from sandbox.kandji.facts.fleet import FIRST, Fleet
from sandbox.kandji.facts.ids import Uuids
from sandbox.kandji.facts.mix import AWAITING, MIX, Slot, pattern

AWAITING_SERIALS = 1 << 32  # beyond the index of any device, so that no serial number occurs twice


class Integration(NamedTuple):
    """One MDM server of Apple Business Manager, by its number."""

    number: int
    id: str
    server: str
    status: str
    reason: str | None
    last_sync: str | None


class AdeChange(TypedDict, total=False):
    asset_tag: str | None
    blueprint_id: str | None
    user_id: str | None


class AdeDevice(NamedTuple):
    """A device assigned in Apple Business Manager; `device` is its index in the fleet once it enrolled."""

    number: int
    id: str
    serial: str
    slot: Slot
    device: int | None


class Ade:
    """Numbers below the fleet's size are its devices, in order; the ones awaiting enrolment follow."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._ids = Uuids(fleet.seed, "ade device")
        self.awaiting = fleet.size // 20 + 3
        self.changes: dict[int, AdeChange] = {}
        self.integrations = _integrations(fleet.seed)

    def find(self, ade_id: str) -> AdeDevice | None:
        number = self._ids.index(ade_id)
        if number is None or number >= self._fleet.size + self.awaiting:
            return None
        found = self.device(number)
        return found if found.slot.integration is not None else None

    def device(self, number: int) -> AdeDevice:
        waiting = number - self._fleet.size
        if waiting < 0:
            index = FIRST + number
            return AdeDevice(number, self._ids.of(number), self._fleet.serials.of(index), MIX[index % len(MIX)], index)
        serial = self._fleet.serials.of(AWAITING_SERIALS + waiting)
        return AdeDevice(number, self._ids.of(number), serial, AWAITING[waiting % len(AWAITING)], None)

    def count(self, integration: int | None = None, platform: str | None = None) -> int:
        """How many devices an integration (or all together) has, of one platform or of any."""
        enrolled = pattern(MIX, platform=platform, integration=integration, in_abm=True)
        waiting = pattern(AWAITING, platform=platform, integration=integration)
        return enrolled.count(self._fleet.size) + waiting.count(self.awaiting)

    def page(self, integration: int | None, offset: int, limit: int) -> Iterator[AdeDevice]:
        enrolled = pattern(MIX, integration=integration, in_abm=True)
        waiting = pattern(AWAITING, integration=integration)
        here = enrolled.count(self._fleet.size)
        for position in range(offset, min(offset + limit, self.count(integration))):
            number = enrolled.at(position) if position < here else self._fleet.size + waiting.at(position - here)
            yield self.device(number)


def _integrations(seed: int) -> list[Integration]:
    ids = Uuids(seed, "ade integration")
    synced = "2026-11-02T09:00:00.000001Z"
    return [
        Integration(0, ids.of(0), "example-mdm", "SUCCESS", None, synced),
        Integration(1, ids.of(1), "example-studio", "SUCCESS", None, synced),
        Integration(2, ids.of(2), "example-old", "BROKEN", "FORBIDDEN", "2026-05-02T09:00:00.000001Z"),
        Integration(3, ids.of(3), "example-new", "SUCCESS", None, None),
    ]
