"""A whole tenant: its settings, and everything that is built from them."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import time
from uuid import UUID

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.kandji.facts.fleet import Fleet
from sandbox.kandji.facts.inventory import Inventory
from sandbox.kandji.facts.words import BLUEPRINTS
from sandbox.kandji.state.activity import Activity
from sandbox.kandji.state.ade import Ade
from sandbox.kandji.state.blueprints import Blueprints
from sandbox.kandji.state.commands import Commands
from sandbox.kandji.state.devices import Devices
from sandbox.kandji.state.limits import Limits
from sandbox.kandji.state.locks import Locks
from sandbox.kandji.state.lostmode import LostModes
from sandbox.kandji.state.notes import Notes
from sandbox.kandji.state.records import Records
from sandbox.kandji.state.tags import Tags
from sandbox.kandji.state.tokens import Token, Tokens
from sandbox.kandji.state.users import Users
from sandbox.log import RequestLog


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a tenant is started with; resetting builds it again from these."""

    devices: int = 640
    seed: int = 7
    token: str | None = None
    blueprints: int = len(BLUEPRINTS)
    rate_limit: bool = True
    per_second: int = 50
    per_hour: int = 10_000
    command_seconds: float = 0.5
    lock_seconds: float | None = None
    forbidden_status: int = 403  # sources disagree: 403 seen live, 401 in the vendor's card text
    clock: Callable[[], float] = time


class Tenant:
    """The state behind the API."""

    def __init__(self, settings: Settings) -> None:
        seed = settings.seed
        self.settings = settings
        self.token = settings.token or str(UUID(int=Random(f"{seed}/token").getrandbits(128), version=4))
        self.clock = Clock(settings.clock)
        self.fleet = Fleet(seed=seed, devices=settings.devices, blueprints=settings.blueprints)
        self.inventory = Inventory(self.fleet)
        self.users = Users(self.fleet)
        self.blueprints = Blueprints(self.fleet, self.clock)
        self.tags = Tags(seed)
        self.lost = LostModes(self.fleet, self.clock)
        records = Records(self.users, self.blueprints, self.tags, self.lost)
        self.devices = Devices(self.fleet, records, self.blueprints, self.tags)
        self.locks = Locks(seed, self.clock, settings.lock_seconds)
        self.notes = Notes(self.fleet, self.clock)
        self.ade = Ade(self.fleet)
        self.activity = Activity(self.clock)
        self.commands = Commands(self.fleet, self.clock, self.activity, settings.command_seconds)
        self.tokens = Tokens()
        self.tokens.add(self.token, Token("Sandbox Token"))
        self.set_limits(is_on=settings.rate_limit, per_second=settings.per_second, per_hour=settings.per_hour)
        self.faults = Faults(seed)
        self.log = RequestLog()

    def set_limits(self, *, is_on: bool, per_second: int, per_hour: int) -> None:
        """Start counting anew, with these limits."""
        self.limits = Limits(self.clock, per_second=per_second, per_hour=per_hour, is_on=is_on)
