"""Lost Mode of phones and tablets: pending, enabled, sounding, located, and off again."""

from dataclasses import asdict, dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.kandji.clock import iso
from sandbox.kandji.facts.fleet import Fleet

PENDING = "PENDING"  # a guess: Kandji publishes no value but ENABLED and ""
ENABLED = "ENABLED"
STARTED = 1_792_400_000.0  # when the devices that are lost from the start were


@dataclass
class LostMode:
    """The object of `details/lostmode`, key for key."""

    lost_mode_status: str
    enabled_by: str
    enable_status_at: str
    lock_screen_message: str = ""
    lock_screen_phone_number: str = ""
    lock_screen_footnote: str = ""
    disable_status: str = ""
    disabled_by: str = ""
    disable_status_at: str = ""
    last_location_status: str = ""
    last_location_status_at: str = ""
    last_location: dict[str, str] | None = None
    last_location_at: str = ""
    sound_status: str = ""
    sound_status_at: str = ""

    def shown(self) -> dict[str, Any]:
        return asdict(self) | {"last_location": self.last_location or {}}


class LostModes:
    """Lost Mode by device index; devices nobody touched follow the seed."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._changed: dict[int, LostMode | None] = {}

    def of(self, index: int) -> LostMode | None:
        if index in self._changed:
            return self._changed[index]
        return self._from_the_start(index) if self._fleet.starts_lost(index) else None

    def status(self, index: int) -> str:
        mode = self.of(index)
        return mode.lost_mode_status if mode else ""

    def request(self, index: int, by: str, *, message: str, phone: str, footnote: str) -> None:
        self._changed[index] = LostMode(PENDING, by, iso(self._clock.now()), message, phone, footnote)

    def enable(self, index: int) -> None:
        mode = self._kept(index)
        mode.lost_mode_status, mode.enable_status_at = ENABLED, iso(self._clock.now())

    def request_off(self, index: int, by: str) -> None:
        mode = self._kept(index)
        mode.disable_status, mode.disabled_by, mode.disable_status_at = PENDING, by, iso(self._clock.now())

    def off(self, index: int) -> None:
        self._changed[index] = None

    def sound(self, index: int) -> None:
        mode = self._kept(index)
        mode.sound_status, mode.sound_status_at = "SUCCESS", iso(self._clock.now())

    def locate(self, index: int) -> None:
        mode, now = self._kept(index), iso(self._clock.now())
        mode.last_location = self._place(index)
        mode.last_location_status, mode.last_location_status_at, mode.last_location_at = "SUCCESS", now, now

    def _kept(self, index: int) -> LostMode:
        """The device's own object, kept so that it can change; one cancelled meanwhile is changed in vain."""
        mode = self.of(index) or LostMode("", "", "")
        if self.of(index) is not None:
            self._changed[index] = mode
        return mode

    def _from_the_start(self, index: int) -> LostMode:
        at = iso(STARTED + index % 80_000)
        mode = LostMode(ENABLED, "Sandbox Admin", at, "Please return this device", "5550100")
        mode.last_location, mode.last_location_status = self._place(index), "SUCCESS"
        mode.last_location_status_at = mode.last_location_at = at
        return mode

    def _place(self, index: int) -> dict[str, str]:
        random = self._fleet.random(index, "place")
        return {"latitude": f"{random.uniform(47, 55):.6f}", "longitude": f"{random.uniform(7, 14):.6f}"}
