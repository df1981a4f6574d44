"""A second's requests: never more than so many within any second, single ones before bulk. Knows no clock."""

from collections import deque

SECOND = 1.1  # what is sent within this may arrive within one second of the service's
SOON = 1e-6  # what is this near is now: sums of times are not exact
KEPT = 10  # one in so many requests is for single ones


def kept(requests: int) -> int:
    """How many of them bulk leaves alone."""
    return -(-requests // KEPT)


class Pace:
    """When requests may be sent. Single ones queue by booking a time; bulk comes back when its wait is over."""

    def __init__(self, per_second: float) -> None:
        self._sent: deque[float] = deque()
        self.allow(per_second)

    def allow(self, per_second: float) -> None:
        """From now on, so many a second: less than one is one in more than a second."""
        self._most = max(1, int(per_second))
        self._most_bulk = max(1, self._most - kept(self._most))
        self._span = SECOND * max(1.0, 1 / per_second)

    def wait(self, now: float, *, bulk: bool) -> float:
        """Seconds until one more may be sent."""
        sent, most = self._sent, self._most_bulk if bulk else self._most
        if len(sent) < most:
            return 0.0
        wait = max(sent[-most] + self._span, sent[-1]) - now
        return wait if wait > SOON else 0.0

    def book(self, at: float) -> None:
        """One is sent at this time, which is not before the last."""
        self._sent.append(at)
        if len(self._sent) > self._most:
            self._sent.popleft()
