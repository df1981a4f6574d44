"""MDM commands: queued at once, completed by the clock, with their effect on the device when they complete."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any
from uuid import UUID

from sandbox.clock import Clock
from sandbox.kandji.facts.fleet import Fleet
from sandbox.kandji.state.activity import Activity

PENDING, COMPLETED, FAILED = 1, 3, 4  # of Kandji's 1 pending, 2 running, 3 completed, 4 failed, 5 not now
KEPT = 200  # of each device, so that a long run does not fill the memory

Effect = Callable[[], None]


@dataclass
class Command:
    """One command; `action` is the API's word for what was asked, `type` is Apple's."""

    uuid: str
    action: str
    type: str
    request_type: str
    metadata: dict[str, Any]
    asked_at: float
    due_at: float
    effect: Effect | None = None
    failure: str | None = None
    status: int = PENDING


@dataclass(order=True)
class _Due:
    at: float
    number: int
    index: int = field(compare=False)
    command: Command = field(compare=False)


class Commands:
    """The queue of the whole fleet, and what every device was asked lately."""

    def __init__(self, fleet: Fleet, clock: Clock, activity: Activity, seconds: float) -> None:
        self._fleet = fleet
        self._clock = clock
        self._activity = activity
        self._seconds = seconds
        self._numbers = count()
        self._waiting: list[_Due] = []
        self._of: dict[int, list[Command]] = {}

    def of(self, index: int) -> list[Command]:
        """Oldest first."""
        return self._of.get(index, [])

    def is_running(self, index: int, action: str) -> bool:
        return any(each.action == action and each.status == PENDING for each in self.of(index))

    def queue(
        self,
        index: int,
        action: str,
        command_type: str,
        *,
        request_type: str = "",
        metadata: dict[str, Any] | None = None,
        effect: Effect | None = None,
        failure: str | None = None,
    ) -> None:
        now, number = self._clock.now(), next(self._numbers)
        uuid = UUID(int=self._fleet.random(number, "command").getrandbits(128), version=4)
        command = Command(
            str(uuid),
            action,
            command_type,
            request_type or command_type,
            metadata or {},
            now,
            now + self._seconds,
            effect,
            failure,
        )
        self._of[index] = [*self.of(index)[1 - KEPT :], command]
        heappush(self._waiting, _Due(command.due_at, number, index, command))

    def settle(self) -> None:
        """Complete what is due."""
        while self._waiting and self._waiting[0].at <= self._clock.now():
            self._complete(heappop(self._waiting))

    def settle_all(self) -> int:
        """Complete everything now, and say how many that were."""
        waiting = len(self._waiting)
        while self._waiting:
            due = heappop(self._waiting)
            due.command.due_at = self._clock.now()
            self._complete(due)
        return waiting

    def waiting(self) -> int:
        return len(self._waiting)

    def _complete(self, due: _Due) -> None:
        command = due.command
        command.status = FAILED if command.failure else COMPLETED
        if command.effect and not command.failure:
            command.effect()
        command.effect = None
        outcome = "mdm_command_failed" if command.failure else "mdm_command_completed"
        self._activity.note(due.index, outcome, command_type=command.type, command_uuid=command.uuid)
