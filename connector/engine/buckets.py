"""Token buckets, one for each name: who is quick for a moment is let through, who is quick for long is not (AU-7).

They are kept in the memory of one process, so that a look costs no query: each host counts for itself.
"""

from collections import OrderedDict

MOST = 10_000  # names that are remembered


class Buckets:
    """So many at once, refilled with so many a second. Knows no clock; forgets who came longest ago."""

    def __init__(self, per_second: float, burst: float, most: int = MOST) -> None:
        self._each = 1 / per_second
        self._burst = burst / per_second
        self._most = most
        self._full: OrderedDict[str, float] = OrderedDict()  # when each bucket is full again

    def take(self, name: str, now: float) -> float:
        """Take one; 0, or the seconds until there is one again, and then none is taken."""
        full = max(self._full.get(name, now), now) + self._each
        if (wait := full - now - self._burst) > 0:
            return wait
        self._full[name] = full
        self._full.move_to_end(name)
        if len(self._full) > self._most:
            self._full.popitem(last=False)
        return 0.0
