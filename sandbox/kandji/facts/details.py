"""The sections of `details`, which differ by platform; what can change comes from the record."""

from random import Random
from typing import Any

from sandbox.kandji.facts.fleet import Device, Fleet, Person
from sandbox.kandji.facts.machine import hardware, network, volumes
from sandbox.kandji.facts.mix import MIX
from sandbox.kandji.facts.words import COLORS, OS_NAMES

Section = dict[str, Any]


def details(fleet: Fleet, device: Device, record: Section, lost_mode: Section, *, has_remote_desktop: bool) -> Section:
    """Every section in Kandji's order."""
    random = fleet.random(device.index, "details")
    is_mac = device.platform == "Mac"
    return {
        "general": _general(fleet, device, record),
        "mdm": _mdm(fleet, device, record),
        "activation_lock": _activation_lock(device),
        "filevault": _filevault(fleet.has_filevault(device.index)),
        "lost_mode": lost_mode,
        "automated_device_enrollment": _enrollment(device),
        "kandji_agent": _agent(device, record),
        "hardware_overview": hardware(device, random),
        "volumes": volumes(device, random),
        "network": network(fleet, device, record, random),
        "recovery_information": _recovery(device),
        "users": {"regular_users": _accounts(fleet, device), "system_users": SYSTEM_USERS if is_mac else []},
        "installed_profiles": [_profile(device, random)] if is_mac else [],
        "apple_business_manager": _business_manager(device, random),
        "security_information": {"remote_desktop_enabled": has_remote_desktop if is_mac else None},
        "cellular": _cellular(device),
        "tags": record["tags"],
    }


def local_user(fleet: Fleet, device: Device) -> Person | None:
    """Whose account is on the Mac: the person it was set up for."""
    return fleet.person(device.owner) if device.platform == "Mac" and device.owner is not None else None


FROM_THE_RECORD = (
    "device_id",
    "device_name",
    "last_enrollment",
    "first_enrollment",
    "model",
    "platform",
    "os_version",
    "supplemental_build_version",
    "supplemental_os_version_extra",
)
SYSTEM_USERS = [{"username": "_lp", "uid": "26", "path": "/var/spool/cups", "admin": "No"}]


def _general(fleet: Fleet, device: Device, record: Section) -> Section:
    is_mac = device.platform == "Mac"
    user = local_user(fleet, device)
    return {
        **{key: record[key] for key in FROM_THE_RECORD},
        "system_version": f"{device.release.version} ({device.release.build})" if is_mac else "",
        "boot_volume": "Macintosh HD" if is_mac else "",
        "time_since_boot": f"{device.index % 9 + 2} days ago" if is_mac else "",
        "last_user": user.login if user else "",
        "asset_tag": record["asset_tag"],
        "assigned_user": record["user"],
        "blueprint_name": record["blueprint_name"],
        "blueprint_uuid": record["blueprint_id"],
    }


def _mdm(fleet: Fleet, device: Device, record: Section) -> Section:
    user = local_user(fleet, device)
    return {
        "mdm_enabled": str(record["mdm_enabled"]),
        "supervised": str(fleet.is_supervised(device.index)),
        "install_date": f"{device.enrolled}.500000+00:00",
        "last_check_in": record["last_check_in"].replace("T", " ").replace("Z", "+00:00"),
        "mdm_enabled_user": [user.login] if user else [],
    }


def _activation_lock(device: Device) -> Section:
    unknown_on_tv = None if device.platform == "AppleTV" else False
    return {
        "bypass_code_failed": False,
        "user_activation_lock_enabled": unknown_on_tv,
        "device_activation_lock_enabled": False,
        "activation_lock_allowed_while_supervised": unknown_on_tv,
        "activation_lock_supported": device.platform != "AppleTV",
    }


def _filevault(is_enabled: bool | None) -> Section:
    return {
        "filevault_enabled": is_enabled,
        "filevault_recoverykey_type": "Personal" if is_enabled else "",
        "filevault_prk_escrowed": bool(is_enabled),
        "filevault_next_rotation": "2027-02-01T00:00:00.000000Z" if is_enabled else "",
        "filevault_regen_required": False,
    }


def _enrollment(device: Device) -> Section:
    if device.platform == "AppleTV" or MIX[device.index % len(MIX)].integration is None:
        return {}
    return {"auto_enroll_eligible": True, "auto_enrolled": True}


def _agent(device: Device, record: Section) -> Section:
    is_mac = device.platform == "Mac"
    return {
        "agent_installed": str(is_mac and record["agent_installed"]),
        "install_date": f"{device.enrolled}+00:00" if is_mac else "",
        "last_check_in": record["last_check_in"],
        "agent_version": device.agent,
    }


def _recovery(device: Device) -> Section:
    is_mac = device.platform == "Mac"
    shared = {
        "recovery_lock_enabled": is_mac,
        "firmware_password_exist": False,
        "firmware_password_pending": False,
        "password_rotation_scheduled": "2027-02-10T11:48:00.000000Z" if is_mac else None,
    }
    return shared if device.platform == "AppleTV" else {**shared, "password_has_been_set": is_mac}


def _accounts(fleet: Fleet, device: Device) -> list[Section]:
    user = local_user(fleet, device)
    if user is None:
        return []
    path = f"/Users/{user.login}"
    return [{"username": user.login, "uid": "501", "path": path, "admin": "Yes", "name": user.name}]


def _profile(device: Device, random: Random) -> Section:
    digits = f"{random.getrandbits(128):032x}"
    return {
        "name": "MDM Profile",
        "uuid": f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
        "verified": "verified",
        "identifier": "com.kandji.profile.mdmprofile",
        "organization": "Kandji, Inc.",
        "payload_types": ["com.apple.mdm", "com.apple.security.scep"],
        "install_date": f"{device.enrolled} +0000",
    }


def _business_manager(device: Device, random: Random) -> Section:
    if device.platform == "AppleTV" or MIX[device.index % len(MIX)].integration is None:
        return {}
    color = random.choice(COLORS)
    return {
        "model": device.model.family,
        "color": color,
        "description": f"{device.model.family} {color}",
        "serial_number": device.serial,
        "device_family": device.platform,
        "os": OS_NAMES[device.platform],
        "device_assigned_date": "2025-01-02 10:00:00+00:00",
        "device_assigned_by": "abm@example.com",
    }


def _cellular(device: Device) -> Section:
    if device.platform not in ("iPhone", "iPad"):
        return {}
    is_phone = device.platform == "iPhone"
    return {
        "voice_roaming": False,
        "data_roaming": False,
        "cellular_technology": 3 if is_phone else 0,
        "subscriptions": [] if is_phone else None,
    }
