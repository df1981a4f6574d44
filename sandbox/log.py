"""What was asked of the tenant: the last thousand requests, and counters that never grow long."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 1000


@dataclass
class Entry:
    """One request; `status` is that of the answer, sent or lost, and 0 when nothing was even done."""

    method: str
    path: str
    query: str
    at: float
    route: str = ""
    status: int = 0
    fault: str = ""


class RequestLog:
    """Entries are listed while the request is still going on."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._routes: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()

    def begin(self, entry: Entry) -> None:
        self._entries.append(entry)

    def end(self, entry: Entry) -> None:
        self._routes[f"{entry.method} {entry.route or '(no route)'}"] += 1
        self._statuses[entry.status] += 1

    def shown(self) -> dict[str, Any]:
        return {
            "total": self._routes.total(),
            "routes": dict(self._routes),
            "statuses": {str(status): times for status, times in self._statuses.items()},
            "requests": [asdict(entry) for entry in self._entries],
        }
