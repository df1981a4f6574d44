"""The rate limit: 50 a second and 10,000 an hour for all tokens together, with the headers of Kong's plugin."""

from dataclasses import dataclass
from math import ceil

from sandbox.clock import Clock


@dataclass
class Window:
    """A fixed window, as Kong counts: it begins with the clock's second or hour."""

    name: str
    seconds: int
    limit: int
    number: int = -1
    used: int = 0

    def remaining(self, now: float) -> int:
        number = int(now // self.seconds)
        if number != self.number:
            self.number, self.used = number, 0
        return self.limit - self.used

    def reset(self, now: float) -> int:
        return max(1, ceil(self.seconds - now % self.seconds))


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass, and what the headers say about it."""

    is_over: bool
    headers: dict[str, str]


class Limits:
    """The two windows. A refused request is not counted, as Kong does not."""

    def __init__(self, clock: Clock, *, per_second: int, per_hour: int, is_on: bool) -> None:
        self._clock = clock
        self._windows = [Window("Second", 1, per_second), Window("Hour", 3600, per_hour)]
        self.is_on = is_on

    def take(self) -> Verdict:
        if not self.is_on:
            return Verdict(is_over=False, headers={})
        now = self._clock.now()
        is_over = any(window.remaining(now) <= 0 for window in self._windows)
        for window in self._windows:
            window.used += not is_over
        return Verdict(is_over, self._headers(now, is_over=is_over))

    def _headers(self, now: float, *, is_over: bool) -> dict[str, str]:
        tightest = min(self._windows, key=lambda window: window.remaining(now))
        headers = {
            "RateLimit-Limit": str(tightest.limit),
            "RateLimit-Remaining": str(tightest.remaining(now)),
            "RateLimit-Reset": str(tightest.reset(now)),
        }
        for window in self._windows:
            headers[f"X-RateLimit-Limit-{window.name}"] = str(window.limit)
            headers[f"X-RateLimit-Remaining-{window.name}"] = str(window.remaining(now))
        return headers | ({"Retry-After": str(tightest.reset(now))} if is_over else {})
