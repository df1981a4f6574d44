"""The time of a simulated service."""

import time
from collections.abc import Callable


class Clock:
    """The machine's time plus what the admin call has skipped."""

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._skipped = 0.0

    def now(self) -> float:
        return self._read() + self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds
