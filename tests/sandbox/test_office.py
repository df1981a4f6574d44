"""The office that goes with a tenant: its mess is there, by count."""

from collections import Counter

import pytest

from sandbox import assetbots, kandji
from sandbox.assetbots.database import Database, Thing
from sandbox.kandji.facts.fleet import FIRST, Device
from sandbox.kandji.facts.mix import MIX
from sandbox.kandji.state.tenant import Tenant
from sandbox.office import HOLDING, OTHERS, UNTAGGED, furnish

STUDIO = 2  # the blueprint's place in the mix


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return kandji.tenant(devices=640).tenant


@pytest.fixture(scope="module")
def office(tenant: Tenant) -> Database:
    return _office(tenant)


@pytest.fixture(scope="module")
def macs(tenant: Tenant) -> dict[str, Device]:
    """The team's Macs by their serial numbers."""
    indexes = [index for index in range(FIRST, FIRST + 640) if MIX[index % len(MIX)].blueprint == STUDIO]
    return {mac.serial: mac for mac in map(tenant.fleet.device, indexes)}


@pytest.fixture(scope="module")
def assets(office: Database, macs: dict[str, Device]) -> dict[str, Thing]:
    """The first asset of each Mac, by its serial number."""
    found = {_serial(asset): asset for asset in reversed(office.assets.values())}
    return {serial: asset for serial, asset in found.items() if serial in macs}


def test_the_same_tenant_gives_the_same_office(tenant: Tenant, office: Database) -> None:
    """IDs included, so that a demonstration that is started again finds what it knew."""
    again = _office(tenant)

    assert [(asset.id, asset.own, asset.fields) for asset in again.assets.values()] == [
        (asset.id, asset.own, asset.fields) for asset in office.assets.values()
    ]
    assert list(again.people) == list(office.people)


def test_most_macs_have_an_asset(macs: dict[str, Device], assets: dict[str, Thing]) -> None:
    """All but three of the team's 64."""
    assert (len(macs), len(assets)) == (64, 61)


def test_some_assets_are_of_other_makes(office: Database) -> None:
    """They are no business of the tenant."""
    assert sum(asset.fields["brand"] != "Apple" for asset in office.assets.values()) == len(OTHERS) == 24


def test_one_serial_number_is_there_twice(office: Database) -> None:
    """Of a Mac; every other one once."""
    count = Counter(_serial(asset) for asset in office.assets.values())

    assert sorted(count.values())[-2:] == [1, 2]


def test_serial_numbers_are_written_in_several_ways(assets: dict[str, Thing]) -> None:
    """In small letters, and with blanks around them."""
    written = [asset.fields["serialNumber"] for asset in assets.values()]

    assert sum(each != each.upper() for each in written) == 3
    assert sum(each != each.strip() for each in written) == 3


def test_two_people_have_one_name(tenant: Tenant, office: Database, macs: dict[str, Device]) -> None:
    """One of them is in the directory and has a Mac."""
    names = Counter(person.own["name"] for person in office.people.values())
    twice = [name for name, many in names.items() if many > 1]
    owners = [tenant.users.person(mac.owner) for mac in macs.values() if mac.owner is not None]
    emails = {person.fields["email"] for person in office.people.values() if person.own["name"] in twice}

    assert len(twice) == 1
    assert [owner.name for owner in owners if owner.email in emails] == twice


def test_tags_differ(macs: dict[str, Device], assets: dict[str, Thing]) -> None:
    """One was changed on both sides; some are known only here."""
    tags = [(macs[serial].asset_tag, asset.own["tag"]) for serial, asset in assets.items()]

    assert sum(bool(tenants and here and tenants != here) for tenants, here in tags) == 1
    assert sum(bool(here and not tenants) for tenants, here in tags) == UNTAGGED


def test_checkouts_differ(tenant: Tenant, office: Database, macs: dict[str, Device], assets: dict[str, Thing]) -> None:
    """Lent to another, found with somebody, not handed over, at a place, and with somebody whom nobody knows."""
    emails = {serial: _email(office, asset) for serial, asset in assets.items()}
    users = {serial: _user(tenant, mac) for serial, mac in macs.items()}
    lent = [serial for serial in assets if emails[serial] and users[serial] and emails[serial] != users[serial]]
    found = [email for serial, email in emails.items() if email and not users[serial]]
    free = [serial for serial, asset in assets.items() if users[serial] and not asset.checkout]
    placed = [one for one in office.checkouts.values() if one.location_id]

    assert (len(lent), len(found), len(free), len(placed)) == (1, 2, 1, 1)
    assert sum(not tenant.users.is_archived(tenant.fleet.number_of(email) or 0) for email in found) == 2
    assert [email for email in found if tenant.fleet.number_of(email or "") is None] == [
        "maeve.odell@freelance.example"
    ]


def test_names_have_apostrophes(office: Database) -> None:
    """Of a person, and of most Macs."""
    assert [person.own["name"] for person in office.people.values() if "'" in person.own["name"]] == ["Maeve O'Dell"]
    assert sum("'" in asset.own["description"] for asset in office.assets.values()) > 30


def test_something_is_in_the_category_for_imports(office: Database) -> None:
    """Assetbots tells no list of categories: one without an asset could not be found."""
    holding = next(id_ for id_, name in office.categories.items() if name == HOLDING)

    assert sum(asset.own["category"] == holding for asset in office.assets.values()) == 1


@pytest.mark.parametrize("devices", [1, 5, 20, 5_000, 20_000])
def test_any_tenant_has_an_office(devices: int) -> None:
    """A small one has less mess; a large one has Macs without an asset. Nobody is there twice."""
    database = _office(kandji.tenant(devices=devices).tenant)

    assert len(OTHERS) <= len(database.assets) <= len(OTHERS) + 1000
    assert len({person.fields["email"] for person in database.people.values()}) == len(database.people)


def _office(tenant: Tenant) -> Database:
    database = assetbots.workspace(assets=0, people=0).database
    furnish(tenant, database)
    return database


def _serial(asset: Thing) -> str:
    return str(asset.fields["serialNumber"]).strip().upper()


def _email(office: Database, asset: Thing) -> str | None:
    person = office.checkouts[asset.checkout].person_id if asset.checkout else None
    return office.people[person].fields["email"] if person else None


def _user(tenant: Tenant, mac: Device) -> str | None:
    return tenant.users.person(mac.owner).email if mac.owner is not None else None
