"""Faults on demand: which request is to go wrong, how, and how often."""

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal, get_args

Kind = Literal["latency", "status", "drop", "lost_answer", "cut", "html", "repeat"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class Fault:
    """What goes wrong with requests of a method and path, after some and for so many, or by chance.

    `drop` closes the connection before anything is done, `lost_answer` after it was done; `cut` ends the
    answer in the middle; `html` and `status` answer instead of the API; `repeat` gives the page before again.
    """

    kind: Kind
    id: int = 0
    method: str = "*"
    path: str = "*"  # after /api/v1, with * as a wildcard
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    milliseconds: int = 0
    status: int | None = None  # 500 for `status`, 200 for `html`
    retry_after: str | None = None  # seconds or an HTTP date, as the header will say it

    def matches(self, method: str, path: str) -> bool:
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)


class Faults:
    """The faults that are set, in order; chance is seeded."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}/faults")
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, fault: Fault) -> Fault:
        self._made += 1
        fault.id = self._made
        self._faults.append(fault)
        return fault

    def remove(self, fault_id: int | None) -> None:
        """One of them, or all."""
        self._faults = [fault for fault in self._faults if fault_id not in (None, fault.id)]

    def strike(self, method: str, path: str) -> list[Fault]:
        """The faults this request meets: every latency, and the first one of another kind."""
        met: list[Fault] = []
        for fault in sorted(self._faults, key=lambda fault: fault.kind != "latency"):
            is_free = not met or met[-1].kind == "latency"
            if is_free and fault.matches(method, path) and self._takes(fault):
                met.append(fault)
        return met

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]

    def _takes(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.times == 0 or self._random.random() >= fault.probability:
            return False
        if fault.times is not None:
            fault.times -= 1
        return True
