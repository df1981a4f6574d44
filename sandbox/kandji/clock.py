"""The tenant's time, and the two ways Kandji writes a moment."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """The machine's time plus what the admin call has skipped."""

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._skipped = 0.0

    def now(self) -> float:
        return self._read() + self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds


def iso(moment: float) -> str:
    """`2026-02-03T09:15:00.123456Z`."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def spaced(moment: float) -> str:
    """`2026-02-03 09:15:00.123456+00:00`."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S.%f}+00:00"
