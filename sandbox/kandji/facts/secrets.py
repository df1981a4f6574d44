"""Secrets that Kandji keeps for a device. Without one: `null` as the vendor's text says, but an unlock PIN is `""`."""

from random import Random

from sandbox.kandji.facts.fleet import Device, Fleet
from sandbox.kandji.facts.ids import ALPHABET


def bypass_codes(fleet: Fleet, device: Device) -> dict[str, str | None]:
    """Only supervised devices hand over a bypass code."""
    random = fleet.random(device.index, "bypass")
    is_held = fleet.is_supervised(device.index)
    return {
        "user_based_albc": _groups(random, 5, 5) if is_held else None,
        "device_based_albc": _groups(random, 5, 5) if is_held else None,
    }


def filevault_key(fleet: Fleet, device: Device) -> str | None:
    return _groups(fleet.random(device.index, "filevault"), 6, 4) if fleet.has_filevault(device.index) else None


def recovery_password(fleet: Fleet, device: Device) -> str | None:
    is_mac = device.platform == "Mac"
    return _groups(fleet.random(device.index, "recovery"), 1, 12) if is_mac else None


def _groups(random: Random, groups: int, letters: int) -> str:
    return "-".join("".join(random.choices(ALPHABET, k=letters)) for _ in range(groups))
