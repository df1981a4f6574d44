"""What is installed on a device: apps, library items and parameters, picked from invented catalogues."""

from typing import Any, NamedTuple

from sandbox.kandji.facts.fleet import Device, Fleet
from sandbox.kandji.facts.ids import Uuids


class App(NamedTuple):
    name: str
    bundle_id: str
    version: str
    size: int
    source: str


class Item(NamedTuple):
    """A library item and the platforms it is for."""

    name: str
    type: str
    platforms: tuple[str, ...]
    statuses: tuple[str, ...]


APPS = (
    App("Lantern", "com.example.lantern", "3.2", 48_211_337, "Identified Developer"),
    App("Inkwell", "com.example.inkwell", "12.0.1", 230_114_902, "Identified Developer"),
    App("Tidepool Chat", "com.example.tidepool", "4.41.2", 310_220_115, "Identified Developer"),
    App("Cartograph", "com.example.cartograph", "2026.1", 1_204_118_220, "Identified Developer"),
    App("Ledgerline", "com.example.ledgerline", "7.8", 96_400_120, "Mac App Store"),
    App("Calendar", "com.apple.iCal", "15.0", 12_004_224, "Apple"),
    App("Notes", "com.apple.Notes", "4.12", 31_222_110, "Apple"),
    App("Kiteboard", "com.example.kiteboard", "1.9.4", 77_120_004, "Identified Developer"),
    App("Sundial", "com.example.sundial", "0.9", 8_411_020, "Unidentified Developer"),
    App("Switchyard VPN", "com.example.switchyard", "5.5.0", 64_990_811, "Identified Developer"),
)

AUDITED = ("PASS", "PASS", "PASS", "PENDING", "ERROR")
INSTALLED = ("INSTALLING", "AVAILABLE", "CACHED", "PENDING")
PUSHED = ("success", "success", "success", "pending", "failed")

ITEMS = (
    Item("Lantern", "automatic-app", ("Mac",), AUDITED),
    Item("Tidepool Chat", "custom-app", ("Mac",), AUDITED),
    Item("Collect logs", "custom-script", ("Mac",), AUDITED),
    Item("Ledgerline", "vpp-app", ("Mac", "iPhone", "iPad"), INSTALLED),
    Item("Office Wi-Fi", "profile", ("Mac", "iPhone", "iPad", "AppleTV"), PUSHED),
    Item("Passcode", "profile", ("Mac", "iPhone", "iPad"), PUSHED),
    Item("macOS Sequoia", "macos-release", ("Mac",), ("CHANGE_PENDING", "DOWNLOADING", "PASS", "INCOMPATIBLE")),
    Item("Setup", "kandji-setup", ("Mac",), ("PASS",)),
    Item("Avert", "threat-security-policy", ("Mac",), ("PASS", "PENDING", "EXCLUDED")),
)

PARAMETERS = (
    ("Disable guest login", "User Accounts & Authentication", "User Accounts"),
    ("Require a password after sleep", "User Accounts & Authentication", "Login Window"),
    ("Turn on the firewall", "Network", "Firewall"),
    ("Turn off file sharing", "Sharing", "Services"),
    ("Set the clock automatically", "System", "Date & Time"),
)
PARAMETER_STATUSES = ("PASS", "PASS", "PASS", "REMEDIATED", "WARNING", "PENDING", "ERROR", "INCOMPATIBLE")

REPORTED = "2026-11-02T09:15:00Z"
AUDITED_AT = "2026-11-02T09:10:00.000001Z"


class Inventory:
    """The inventory of one tenant; item ids are the tenant's own."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._items = Uuids(fleet.seed, "library item")
        self._parameters = Uuids(fleet.seed, "parameter")
        self._apps = Uuids(fleet.seed, "app")

    def apps(self, device: Device) -> list[dict[str, str]]:
        if device.platform == "AppleTV":
            return []
        random = self._fleet.random(device.index, "apps")
        chosen = sorted(random.sample(range(len(APPS)), random.randint(4, len(APPS))))
        shown = self._mac_app if device.platform == "Mac" else self._mobile_app
        return [shown(number) for number in chosen if device.platform == "Mac" or APPS[number].source != "Apple"]

    def library_items(self, device: Device, computer_name: str, blueprint: dict[str, str]) -> list[dict[str, Any]]:
        random = self._fleet.random(device.index, "library")
        return [
            {
                "id": device.index * len(ITEMS) + number,
                "status": random.choice(item.statuses),
                **_reported(item),
                "item_id": self._items.of(number),
                "name": item.name,
                "type": item.type,
                "computer": {"id": device.id, "name": computer_name},
                "blueprint": blueprint,
                "rules_present": item.type == "automatic-app",
                **({"edr_status": EDR_STATUS} if item.type == "threat-security-policy" else {}),
            }
            for number, item in enumerate(ITEMS)
            if device.platform in item.platforms
        ]

    def parameters(self, device: Device) -> list[dict[str, str]]:
        if device.platform != "Mac":
            return []
        random = self._fleet.random(device.index, "parameters")
        return [
            {
                "status": random.choice(PARAMETER_STATUSES),
                "item_id": self._parameters.of(number),
                "name": name,
                "category": category,
                "subcategory": subcategory,
            }
            for number, (name, category, subcategory) in enumerate(PARAMETERS)
        ]

    def blueprint_items(self) -> list[dict[str, str]]:
        """Every blueprint of the sandbox holds the whole library."""
        return [{"id": self._items.of(number), "name": item.name} for number, item in enumerate(ITEMS)]

    def is_profile(self, item_id: str) -> bool:
        """Whether that library item is a profile, as Return to Service asks for one."""
        number = self._items.index(item_id)
        return number is not None and number < len(ITEMS) and ITEMS[number].type == "profile"

    def _mac_app(self, number: int) -> dict[str, str]:
        app = APPS[number]
        return {
            "app_id": str(90_000 + number),
            "app_name": app.name,
            "bundle_id": app.bundle_id,
            "bundle_size": str(app.size),
            "app_store_vendable": "",
            "device_based_vpp": "",
            "source": app.source,
            "process": app.name,
            "signature": "Software Signing"
            if app.source == "Apple"
            else f"Developer ID Application: {app.name} (AAAA{number:06})",
            "creation_date": "2025-10-02T10:00:00.000001Z",
            "modification_date": "2025-10-02T10:00:00.000009Z",
            "path": f"/Applications/{app.name}.app",
            "version": app.version,
        }

    def _mobile_app(self, number: int) -> dict[str, str]:
        app = APPS[number]
        blank = dict.fromkeys(("source", "process", "signature", "creation_date", "modification_date", "path"), "")
        return {
            "app_id": self._apps.of(number),
            "app_name": app.name,
            "bundle_id": app.bundle_id,
            "bundle_size": str(app.size),
            "app_store_vendable": "True",
            "device_based_vpp": "True" if number % 2 else "False",
            **blank,
            "version": app.version,
        }


EDR_STATUS = {
    "status": "enabled",
    "malware_posture": "Protect",
    "pup_posture": "Detect",
    "last_baseline_scan": "Nov 2, 2026 at 7:34:21 AM",
    "next_baseline_scan": "Nov 30, 2026 at 5:48:10 AM",
    "baseline_scan_runtime": "Kandji checked 339,254 files in 3 minutes, 41 seconds.",
}


def _reported(item: Item) -> dict[str, str | None]:
    """Apps and scripts are audited and leave logs, profiles are only reported."""
    is_audited = item.statuses is AUDITED
    return {
        "reported_at": REPORTED if item.type != "threat-security-policy" else None,
        "log": "Installed." if is_audited else None,
        "last_audit_run": AUDITED_AT if is_audited else None,
        "last_audit_log": "Up to date." if is_audited else None,
        "control_log": None,
        "control_reported_at": None,
    }
