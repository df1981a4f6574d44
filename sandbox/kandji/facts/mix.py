"""What a fleet is made of: every block of twenty devices holds the same mix, so that counting is arithmetic."""

from bisect import bisect_left
from typing import NamedTuple


class Slot(NamedTuple):
    """One device of a block: its platform, the blueprint it is in, the ADE integration that owns it."""

    platform: str
    blueprint: int
    integration: int | None


MIX = (
    Slot("Mac", 0, 0),
    Slot("Mac", 1, 0),
    Slot("iPhone", 3, 0),
    Slot("Mac", 0, None),
    Slot("Mac", 2, 0),
    Slot("Mac", 0, 1),
    Slot("iPad", 4, 0),
    Slot("Mac", 1, 0),
    Slot("Mac", 7, 0),
    Slot("iPhone", 3, None),
    Slot("Mac", 0, 0),
    Slot("Mac", 2, 1),
    Slot("AppleTV", 5, 0),
    Slot("Mac", 1, 0),
    Slot("Mac", 0, 0),
    Slot("iPhone", 3, 0),
    Slot("Mac", 7, 0),
    Slot("iPad", 4, 1),
    Slot("Mac", 0, None),
    Slot("Mac", 1, 0),
)

# Devices assigned in Apple Business Manager that have not enrolled yet, in blocks of four.
AWAITING = (Slot("Mac", 0, 0), Slot("iPhone", 3, 0), Slot("Mac", 0, 1), Slot("Mac", 1, 2))


class Pattern(NamedTuple):
    """The members of a repeating block, counted and found without walking through them."""

    period: int
    members: tuple[int, ...]

    def count(self, size: int) -> int:
        return size // self.period * len(self.members) + bisect_left(self.members, size % self.period)

    def at(self, position: int) -> int:
        return position // len(self.members) * self.period + self.members[position % len(self.members)]


def pattern(
    block: tuple[Slot, ...],
    *,
    platform: str | None = None,
    blueprint: int | None = None,
    integration: int | None = None,
    in_abm: bool = False,
) -> Pattern:
    """Where the slots of that description are in every block."""
    members = tuple(
        at
        for at, slot in enumerate(block)
        if platform in (None, slot.platform)
        and blueprint in (None, slot.blueprint)
        and integration in (None, slot.integration)
        and not (in_abm and slot.integration is None)
    )
    return Pattern(len(block), members)
