"""The machine itself, as `details` shows it: hardware, volumes, network."""

from collections.abc import Mapping
from random import Random
from typing import Any

from sandbox.kandji.facts.fleet import Device, Fleet

Section = dict[str, Any]


def hardware(device: Device, random: Random) -> Section:
    return _mac_hardware(device, random) if device.platform == "Mac" else _mobile_hardware(device, random)


def _mac_hardware(device: Device, random: Random) -> Section:
    return {
        "model_name": device.model.family,
        "model_identifier": device.model.identifier,
        "processor_name": device.model.chip,
        "processor_speed": "",
        "number_of_processors": "1",
        "total_number_of_cores": str(random.choice((8, 10, 12))),
        "memory": f"{random.choice((8, 16, 24, 36))} GB LPDDR5",
        "udid": _udid(random),
        "serial_number": device.serial,
    }


def _mobile_hardware(device: Device, random: Random) -> Section:
    return {"uuid": _udid(random), "serial_number": device.serial, "model_identifier": device.model.identifier}


def _udid(random: Random) -> str:
    return f"{random.getrandbits(32):08X}-{random.getrandbits(64):016X}"


def volumes(device: Device, random: Random) -> list[Section]:
    if device.platform == "AppleTV":
        return []
    used = random.randint(10, 95)
    capacity = 460.43 if device.platform == "Mac" else 128.0
    sizes = {
        "percent_used": f"{used}%",
        "capacity": f"{capacity:.2f} GB",
        "available": f"{capacity * (100 - used) / 100:.2f} GB",
    }
    if device.platform != "Mac":
        return [{**dict.fromkeys(("name", "format", "identifier", "encrypted"), ""), **sizes}]
    return [{"name": "Macintosh HD - Data", "format": "APFS", "identifier": "disk3s1", "encrypted": "Yes", **sizes}]


def network(fleet: Fleet, device: Device, record: Mapping[str, str], random: Random) -> Section:
    if device.platform == "AppleTV":
        return {}
    is_mac = device.platform == "Mac"
    hostname = record["device_name"].replace("'", "").replace(" ", "-")
    return {
        "local_hostname": hostname if is_mac else "",
        "mac_address": fleet.macs.of(device.index),
        "ip_address": f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randint(2, 254)}" if is_mac else "",
        "public_ip": f"203.0.113.{random.randint(2, 254)}" if is_mac else "",
    }
