"""What a server holds at the start: the same seed gives the same assets and users. IDs are places in these, from 1."""

from random import Random
from typing import Any

STATUS_LABELS = (  # name, type
    ("Pending", "pending"),
    ("Ready to Deploy", "deployable"),
    ("Archived", "archived"),
    ("Out for Repair", "undeployable"),
)
PENDING, READY, ARCHIVED = 1, 2, 3
CATEGORIES = (
    ("Laptops", "asset"),
    ("Phones", "asset"),
    ("Tablets", "asset"),
    ("Displays", "asset"),
    ("Mice & Keyboards", "accessory"),
)
PLACES = ("Head Office", "Warehouse & Dock")
FIELDSETS = ("Apple devices",)
MODELS: tuple[tuple[str, str, int, int | None], ...] = (  # name, number, category, fieldset
    ("MacBook Pro (14-inch, 2023)", "Mac14,9", 1, 1),
    ('MacBook Air 13" (M3)', "Mac15,12", 1, 1),
    ("iPhone 15", "iPhone15,4", 2, 1),
    ("iPad Air (5th generation)", "iPad13,16", 3, 1),
    ("Studio Display", "A2525", 4, None),
)
FIELDS: tuple[tuple[str, str, int | None], ...] = (  # label, format, fieldset; the last is in none
    ("OS Version", "ANY", 1),
    ("MAC Address", "MAC", 1),
    ("Owner's Department", "ANY", 1),
    ("Purchase Reason", "ANY", None),
)
FIRST = ("Nora", "Ilja", "Mei", "Tomas", "Aisha", "Piet", "Lucia", "Sven", "Ruth", "Omar")
LAST = ("Vale", "O'Brien", "Lind", "Moreau", "Haddad", "Novak", "Quist", "Brandt", "Sato", "Reyes")
DEPARTMENTS = ("Engineering", "Sales & Support", "Finance", "People", "IT")


def asset_facts(seed: int, index: int) -> dict[str, Any]:
    chance = Random(f"{seed}/asset facts/{index}")
    model = chance.choices(range(1, len(MODELS) + 1), (5, 4, 3, 2, 1))[0]
    status = ARCHIVED if index % 17 == 5 else PENDING if index % 23 == 7 else READY
    own = {
        "name": None,
        "asset_tag": f"IT-{index + 1:05}",
        "serial": "C02" + "".join(chance.choices("0123456789ABCDFGHJKLMNPQRSTVWXYZ", k=9)),
        "model_id": model,
        "status_id": status,
        "notes": None,
        "rtd_location_id": chance.choice((1, 2)),
    }
    department, version = chance.choice(DEPARTMENTS), chance.choice(("15.3", "14.7.2", "18.1"))
    columns = {"OS Version": version, "Owner's Department": department} if MODELS[model - 1][3] else {}
    return {"own": own, "labels": columns, "is_out": status == READY and chance.random() < 0.5}


def user_facts(index: int) -> dict[str, Any]:
    first, last = FIRST[index % 10], LAST[index // 10 % 10]
    number = str(index // 100 + 1) if index >= 100 else ""
    username = f"{first}.{last}{number}".lower().replace("'", "")
    return {
        "first_name": first,
        "last_name": f"{last}{number}",
        "username": username,
        "email": f"{username}@example.com",
        "employee_num": f"E{index + 1:04}",
        "jobtitle": None,
        "activated": False,
    }
