"""An office: fills a workspace with what goes with one team's Macs of a tenant, in the mess that such records have."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from sandbox.assetbots.database import Database, Thing
from sandbox.assetbots.facts import DEPARTMENTS, new_id
from sandbox.kandji.facts.fleet import FIRST, Device
from sandbox.kandji.facts.mix import MIX, pattern
from sandbox.kandji.facts.words import BLUEPRINTS
from sandbox.kandji.state.tenant import Tenant

TEAM = "Studio"  # the blueprint of its Macs: one in ten devices of a tenant
MOST = 1000  # Macs that have an asset; a tenant of more than 10,000 devices has some without
HOLDING = "Kandji"  # the category for what is imported and not sorted yet
UNTAGGED = 5  # Macs whose tag only the workspace knows
OTHERS = (
    ("Displays", "Dell", "U2723QE"),
    ("Laptops", "Lenovo", "ThinkPad X1 Carbon"),
    ("Displays", "Eizo", "CG2700X"),
    ("Tablets", "Wacom", "Cintiq Pro 27"),
    ("Phones", "Samsung", "Galaxy S24"),
    ("Displays", "LG", "32UN880"),
) * 4
# What is odd about a Mac's asset, and about how many: of those that somebody uses, and of those that nobody does.
USED = (
    *("newcomer", "twice", "lent", "retagged", "placed", "handed over", "outdated", "holding"),
    *("recased",) * 3,
    *("blanks",) * 3,
)
UNUSED = ("stock", "stock", "contractor", "found")
MONTH = 30 * 86_400


def furnish(tenant: Tenant, database: Database) -> None:
    """Fill a workspace that is empty; the same tenant gives the same one.

    - newcomer: neither the Mac nor who uses it is known here; stock: nor is this Mac.
    - twice: two assets have its serial number. recased, blanks: the number is written another way.
    - lent: somebody else has it. found: nobody uses it, says the tenant, but somebody has it here.
    - contractor: checked out to somebody who is not in the directory.
    - placed: at a location. handed over: nobody has it here, but somebody uses it.
    - retagged: both sides gave it a tag. outdated: another system. holding: in the category for imports.
    """
    macs = [tenant.fleet.device(index) for index in islice(_team(tenant), MOST)]
    _Office(tenant, database, Random(f"{tenant.settings.seed}/office"), _cast(macs)).fill(macs)


def _team(tenant: Tenant) -> Iterator[int]:
    """The places of the team's Macs in the fleet."""
    block = pattern(MIX, blueprint=[plan.name for plan in BLUEPRINTS].index(TEAM))
    return (block.at(at) for at in range(block.count(FIRST), block.count(FIRST + tenant.fleet.size)))


def _cast(macs: list[Device]) -> dict[int, str]:
    """What is odd about which Mac; those with a tag come first, since one of them gets another one."""
    used = [mac.index for mac in sorted(macs, key=lambda mac: not mac.asset_tag) if mac.owner is not None]
    unused = [mac.index for mac in macs if mac.owner is None]
    return {**dict(zip(used, USED, strict=False)), **dict(zip(unused, UNUSED, strict=False))}


@dataclass(frozen=True)
class _Office:
    tenant: Tenant
    database: Database
    chance: Random
    odd: dict[int, str]

    def fill(self, macs: list[Device]) -> None:
        self._categories("Desktops", HOLDING)
        known = [mac for mac in macs if self.odd.get(mac.index) not in ("newcomer", "stock")]
        owners = dict.fromkeys(mac.owner for mac in known if mac.owner is not None)
        people = {number: self._user(number) for number in owners}
        self._namesake(next(iter(people.values()), None))
        contractor = self._person("Maeve O'Dell", "maeve.odell@freelance.example")
        active = [person for number, person in people.items() if not self.tenant.users.is_archived(number)]
        place = next(iter(self.database.locations.values()))
        tagged = {mac.index for mac in islice((mac for mac in known if not mac.asset_tag), UNTAGGED)}
        for mac in known:
            odd = self.odd.get(mac.index, "")
            user = people[mac.owner] if mac.owner is not None else None
            other = next((person for person in reversed(active) if person is not user), None)
            at = {"lent": other, "found": other, "contractor": contractor, "placed": place, "handed over": None}
            untagged = f"IT-9{mac.index % FIRST:05}" if mac.index in tagged else None
            self._hand(self._asset(mac, odd, untagged), at.get(odd, user))
            if odd == "twice":
                self._asset(mac, odd, None, suffix="-OLD")
        self._other_makes(list(people.values()))

    def _categories(self, *names: str) -> None:
        more = enumerate(names, start=len(self.database.categories))
        self.database.categories |= {new_id(self.database.settings.seed, "category", at): name for at, name in more}

    def _user(self, number: int) -> Thing:
        user = self.tenant.users.person(number)
        return self._person(user.name, user.email)

    def _namesake(self, person: Thing | None) -> None:
        """Somebody else of the same name."""
        if person:
            login, _, domain = person.fields["email"].partition("@")
            self._person(person.own["name"], f"{login}.b@{domain}")

    def _person(self, name: str, email: str) -> Thing:
        fields = {"email": email, "title": "Staff", "department": self.chance.choice(DEPARTMENTS)}
        person = self._kept("person", {"name": name}, fields)
        self.database.people[person.id] = person
        return person

    def _asset(self, mac: Device, odd: str, untagged: str | None, suffix: str = "") -> Thing:
        """`untagged`: the tag of a Mac that has none in the tenant."""
        tag = f"STUDIO-{mac.index % 100:02}" if odd == "retagged" else mac.asset_tag or untagged
        category = HOLDING if odd == "holding" else "Laptops" if mac.model.family.startswith("MacBook") else "Desktops"
        own = {"tag": tag and tag + suffix, "description": mac.name, "category": self._category(category)}
        written = {"recased": mac.serial.lower(), "blanks": f"  {mac.serial} "}.get(odd, mac.serial)
        fields = {
            "serialNumber": written,
            "brand": "Apple",
            "model": mac.model.name,
            "osVersion": "13.6" if odd == "outdated" else mac.release.version,
            "purchaseCost": self.chance.choice((1299, 1899.5, 2499)),
        }
        return self._stored(own, fields)

    def _other_makes(self, people: list[Thing]) -> None:
        for number, (category, brand, model) in enumerate(OTHERS):
            own = {"tag": f"IT-8{number:05}", "description": f"{brand} {model}", "category": self._category(category)}
            serial = f"{brand[:2].upper()}{self.chance.getrandbits(32):08X}"
            asset = self._stored(own, {"serialNumber": serial, "brand": brand, "model": model})
            self._hand(asset, self.chance.choice([None, *people]))

    def _stored(self, own: dict[str, Any], fields: dict[str, Any]) -> Thing:
        asset = self._kept("asset", own, fields)
        self.database.assets[asset.id] = asset
        return asset

    def _kept(self, kind: str, own: dict[str, Any], fields: dict[str, Any]) -> Thing:
        return self.database.new_thing(kind, own, fields, self.database.clock.now() - MONTH)

    def _category(self, name: str) -> str:
        return next(id_ for id_, known in self.database.categories.items() if known == name)

    def _hand(self, asset: Thing, whom: Thing | None) -> None:
        if whom is None:
            return
        is_place = whom.id in self.database.locations
        has = {"person_id": None if is_place else whom.id, "location_id": whom.id if is_place else None}
        self.database.check_out([asset], **has, date="2026-01-15T09:00:00Z", due=None, note=None)
