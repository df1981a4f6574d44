"""The blueprints of the tenant. Enrollment codes stay taken when their blueprint is gone."""

from dataclasses import dataclass
from random import Random

from sandbox.clock import Clock
from sandbox.kandji.facts.fleet import Fleet
from sandbox.kandji.facts.ids import Uuids
from sandbox.kandji.facts.words import BLUEPRINTS, Plan

STARTED = 1_735_700_000.0  # when the blueprints of the seed were made
TAKEN = "This field must be unique."


@dataclass
class Blueprint:
    id: str
    name: str
    icon: str
    color: str
    description: str
    type: str
    code: str
    is_active: bool
    created_at: float
    updated_at: float


class Blueprints:
    """In the order they were made; the first ones come from the seed."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._ids = Uuids(fleet.seed, "blueprint")
        self._random = Random(f"{fleet.seed}/enrollment codes")
        self._clock = clock
        self._codes: set[str] = set()
        self.all: dict[str, Blueprint] = {}
        self.deleted: dict[str, Blueprint] = {}
        self.revision = 0
        for number in range(len(fleet.blueprints)):
            plan = BLUEPRINTS[number] if number < len(BLUEPRINTS) else _team(number)
            self.create(plan, code=None, is_active=True, at=STARTED)

    def create(self, plan: Plan, *, code: str | None, is_active: bool, at: float | None = None) -> Blueprint:
        when = self._clock.now() if at is None else at
        blueprint_id = self._ids.of(len(self.all) + len(self.deleted))
        made = Blueprint(
            blueprint_id,
            **plan._asdict(),
            code=code or self._free_code(),
            is_active=is_active,
            created_at=when,
            updated_at=when,
        )
        self.all[made.id] = made
        self._codes.add(made.code)
        self.revision += 1
        return made

    def change(self, blueprint: Blueprint, **values: str | bool) -> None:
        for key, value in values.items():
            setattr(blueprint, key, value)
        blueprint.updated_at = self._clock.now()
        self._codes.add(blueprint.code)
        self.revision += 1

    def delete(self, blueprint: Blueprint) -> None:
        """Its devices keep naming it, unmanaged."""
        self.deleted[blueprint.id] = self.all.pop(blueprint.id)
        self.revision += 1

    def name_of(self, blueprint_id: str) -> str:
        return (self.all.get(blueprint_id) or self.deleted[blueprint_id]).name

    def has_name(self, name: str) -> bool:
        return any(each.name == name for each in self.all.values())

    def has_code(self, code: str) -> bool:
        return code in self._codes

    def _free_code(self) -> str:
        while (code := f"{self._random.randrange(1_000_000):06d}") in self._codes:
            pass
        return code


def _team(number: int) -> Plan:
    return Plan(f"Team {number + 1}", "ss-files", "aqua-800", "classic")
