"""What happened to a device lately, as `activity` tells it; memory is bounded for every device."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from sandbox.clock import Clock

KEPT = 200


@dataclass(frozen=True)
class Event:
    number: int
    action_type: str
    at: float
    details: dict[str, Any]


class Activity:
    """Events by device index, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = count(50_000)
        self._events: dict[int, list[Event]] = {}

    def of(self, index: int) -> list[Event]:
        return self._events.get(index, [])

    def note(self, index: int, action_type: str, **details: Any) -> None:
        event = Event(next(self._numbers), action_type, self._clock.now(), details)
        self._events[index] = [*self.of(index)[1 - KEPT :], event]
