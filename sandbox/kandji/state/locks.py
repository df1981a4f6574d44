"""Locked Macs and their PINs. A locked Mac stays locked until an admin call unlocks it, or for a set time."""

from random import Random

from sandbox.clock import Clock


class Locks:
    """PINs by device index; the last PIN stays readable after the Mac was unlocked."""

    def __init__(self, seed: int, clock: Clock, seconds: float | None) -> None:
        self._random = Random(f"{seed}/pins")
        self._clock = clock
        self._seconds = seconds
        self._pins: dict[int, str] = {}
        self._locked: dict[int, float] = {}

    def lock(self, index: int) -> str:
        pin = f"{self._random.randrange(1_000_000):06d}"
        self._pins[index], self._locked[index] = pin, self._clock.now()
        return pin

    def pin(self, index: int) -> str:
        return self._pins.get(index, "")

    def is_locked(self, index: int) -> bool:
        since = self._locked.get(index)
        return since is not None and (self._seconds is None or self._clock.now() < since + self._seconds)

    def unlock(self, index: int) -> bool:
        """Whether there was something to unlock."""
        return self._locked.pop(index, None) is not None
