"""What a workspace holds at the start: the same seed gives the same assets, people and places."""

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

CATEGORIES = ("Laptops", "Phones", "Tablets", "Displays")
PLACES = ("Conference Room", "Warehouse", "Front Desk")
DEPARTMENTS = ("Engineering", "Sales", "Finance", "People", "IT")
FIRST = ("Nora", "Ilja", "Mei", "Tomas", "Aisha", "Piet", "Lucia", "Sven", "Ruth", "Omar")
LAST = ("Vale", "Okafor", "Lind", "Moreau", "Haddad", "Novak", "Quist", "Brandt", "Sato", "Reyes")
MODELS = {
    "Laptops": ("MacBook Pro (14-inch, 2023)", "MacBook Air (13-inch, M3)"),
    "Phones": ("iPhone 15", "iPhone 14 Pro"),
    "Tablets": ("iPad Air (5th generation)", "iPad (10th generation)"),
    "Displays": ("Studio Display", "Pro Display XDR"),
}
# Custom fields, by their keys: what every workspace here has of them, and what they hold.
ASSET_FIELDS = ("serialNumber", "brand", "model", "osVersion", "purchaseCost")
PERSON_FIELDS = ("email", "title", "department")


def new_id(seed: int, kind: str, index: int) -> str:
    return str(UUID(int=Random(f"{seed}/{kind}/{index}").getrandbits(128), version=4))


def asset_facts(seed: int, index: int) -> dict[str, Any]:
    chance = Random(f"{seed}/asset facts/{index}")
    category = chance.choices(CATEGORIES, (6, 3, 2, 1))[0]
    model = chance.choice(MODELS[category])
    return {
        "tag": f"IT-{index + 1:05}",
        "description": model,
        "category": category,
        "fields": {
            "serialNumber": "C02" + "".join(chance.choices("0123456789ABCDFGHJKLMNPQRSTVWXYZ", k=9)),
            "brand": "Apple",
            "model": model,
            "purchaseCost": chance.choice((899, 1299.5, 2499)),
        },
    }


def person_facts(seed: int, index: int) -> dict[str, Any]:
    chance = Random(f"{seed}/person facts/{index}")
    first, last = FIRST[index % 10], LAST[index // 10 % 10]
    number = f" {index // 100 + 1}" if index >= 100 else ""
    email = f"{first}.{last}{number.strip()}@example.com".lower()
    fields = {"email": email, "title": "Staff", "department": chance.choice(DEPARTMENTS)}
    return {"name": f"{first} {last}{number}", "fields": fields}


def assignments(seed: int, assets: int, people: int) -> Iterator[tuple[int, int]]:
    """Which asset is with whom at the start: about half of them."""
    chance = Random(f"{seed}/assignments")
    for asset in range(assets):
        if people and chance.random() < 0.5:
            yield asset, chance.randrange(people)
