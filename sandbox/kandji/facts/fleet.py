"""Devices and people of a tenant, each computed from the seed and its index."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from sandbox.kandji.facts.ids import Macs, Serials, Uuids
from sandbox.kandji.facts.mix import MIX
from sandbox.kandji.facts.words import (
    AGENTS,
    BLUEPRINTS,
    FIRST_NAMES,
    LAST_NAMES,
    MODELS,
    RELEASES,
    TAGS,
    Model,
    Release,
)

FIRST = 1_000_000  # the first device's index; the room before it is for devices added at the front later

PAIRS = len(FIRST_NAMES) * len(LAST_NAMES)
STEP = 2_654_435_761  # odd, so that every pair of names comes once before any comes again
EMAIL = re.compile(r"([a-z]+)\.([a-z]+)([1-9][0-9]{0,8})?@example\.com")


class Person(NamedTuple):
    """Somebody from the directory."""

    number: int
    id: str
    name: str
    email: str
    login: str


@dataclass(frozen=True, slots=True)
class Device:
    """What a device is when nobody has touched it."""

    index: int
    id: str
    serial: str
    platform: str
    model: Model
    release: Release
    name: str
    owner: int | None
    blueprint: str
    asset_tag: str
    tags: tuple[str, ...]
    agent: str
    is_missing: bool
    checked_in: str
    enrolled: str


class Fleet:
    """The untouched fleet: any index gives a device, any identifier gives the index."""

    def __init__(self, *, seed: int, devices: int, blueprints: int = len(BLUEPRINTS)) -> None:
        self.seed = seed
        self.size = devices
        self.people = max(1, devices * 4 // 5)
        self.device_ids = Uuids(seed, "device")
        self.user_ids = Uuids(seed, "user")
        self.serials = Serials(seed)
        self.macs = Macs(seed)
        plans = max(blueprints, len(BLUEPRINTS))
        self.blueprints = [Uuids(seed, "blueprint").of(number) for number in range(plans)]
        self.tags = [Uuids(seed, "tag").of(number) for number in range(len(TAGS))]
        self._key = f"{seed}/device".encode()[:64]

    def device(self, index: int) -> Device:
        slot = MIX[index % len(MIX)]
        dice = self.dice(index)
        models, releases = MODELS[slot.platform], RELEASES[slot.platform]
        model = models[dice[0] % len(models)]
        serial = self.serials.of(index)
        owner = self.owner(index, dice)
        is_missing = dice[6] < 8
        return Device(
            index,
            self.device_ids.of(index),
            serial,
            slot.platform,
            model,
            releases[dice[1] % len(releases)],
            f"{model.family} {serial[-4:]}" if owner is None else f"{self.first_name(owner)}'s {model.family}",
            owner,
            self.blueprints[slot.blueprint],
            f"IT-{index % FIRST:06d}" if dice[2] > 50 else "",
            self._tags(dice),
            _agent(dice) if slot.platform == "Mac" else "",
            is_missing,
            _check_in(dice, is_missing=is_missing),
            _enrolled(dice),
        )

    def dice(self, index: int) -> bytes:
        """Thirty-two throws for one device: byte 0 picks the model, and so on."""
        return blake2b(index.to_bytes(8, "big"), key=self._key, digest_size=32).digest()

    def owner(self, index: int, dice: bytes) -> int | None:
        """Person `n` owns the devices `n`, `n + people`, ... of the fleet: no search either way."""
        return None if dice[3] < 26 or MIX[index % len(MIX)].platform == "AppleTV" else (index - FIRST) % self.people

    def has_filevault(self, index: int) -> bool | None:
        """Whether the disk is encrypted; nothing for what has no FileVault."""
        return self.dice(index)[18] > 20 if MIX[index % len(MIX)].platform == "Mac" else None

    def is_supervised(self, index: int) -> bool:
        """Devices from Apple Business Manager always are, others sometimes."""
        return MIX[index % len(MIX)].integration is not None or self.dice(index)[19] < 100

    def starts_lost(self, index: int) -> bool:
        """A few supervised phones and tablets are in Lost Mode from the start."""
        return (
            MIX[index % len(MIX)].platform in ("iPhone", "iPad")
            and self.dice(index)[20] < 10
            and self.is_supervised(index)
        )

    def random(self, index: int, about: str) -> Random:
        """A source of further facts about one device: slower than dice, and endless."""
        return Random(f"{self.seed}/{index}/{about}")

    def person(self, number: int) -> Person:
        first, last, again = self._names(number)
        login = f"{first}.{last}{again}".lower()
        return Person(number, self.user_ids.of(number), f"{first} {last}", f"{login}@example.com", login)

    def number_of(self, email: str) -> int | None:
        """The person behind an address, or nothing when it was not made here."""
        matched = EMAIL.fullmatch(email)
        first, last, again = matched.groups() if matched else ("", "", "")
        if first.title() not in FIRST_NAMES or last.title() not in LAST_NAMES:
            return None
        mixed = LAST_NAMES.index(last.title()) * len(FIRST_NAMES) + FIRST_NAMES.index(first.title())
        number = (mixed - self.seed) * pow(STEP, -1, PAIRS) % PAIRS + PAIRS * (int(again or 1) - 1)
        return number if number < self.people and self.person(number).email == email else None

    def first_name(self, number: int) -> str:
        return self._names(number)[0]

    def _names(self, number: int) -> tuple[str, str, str]:
        mixed = (number * STEP + self.seed) % PAIRS
        again = number // PAIRS
        return (
            FIRST_NAMES[mixed % len(FIRST_NAMES)],
            LAST_NAMES[mixed // len(FIRST_NAMES)],
            str(again + 1) if again else "",
        )

    def _tags(self, dice: bytes) -> tuple[str, ...]:
        return (self.tags[dice[5] % len(self.tags)],) if dice[4] < 100 else ()


def _agent(dice: bytes) -> str:
    version, build = AGENTS[dice[7] % len(AGENTS)]
    return f"{version} ({build})"


def _enrolled(dice: bytes) -> str:
    time = f"{dice[15] % 12 + 7:02}:{dice[16] % 60:02}:{dice[17] % 60:02}"
    return f"2025-{dice[13] % 12 + 1:02}-{dice[14] % 28 + 1:02} {time}"


def _check_in(dice: bytes, *, is_missing: bool) -> str:
    if dice[8] < 2:
        return ""
    day = f"2026-08-{dice[9] % 28 + 1:02}" if is_missing else f"2026-11-{dice[9] % 10 + 1:02}"
    micro = int.from_bytes(dice[21:24], "big") % 1_000_000
    return f"{day}T{dice[10] % 24:02}:{dice[11] % 60:02}:{dice[12] % 60:02}.{micro:06}Z"
