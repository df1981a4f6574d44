"""What Assetbots alone does as an asset system, against the simulated workspace over real HTTP."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from cards.assetbots import _listing
from cards.assetbots._assets import AssetbotsAssets
from connector.catalog.find import catalog
from connector.sdk.errors import InvalidCall, Refused, Unexpected
from connector.sdk.inventory import NOBODY, Assignee
from connector.sdk.kinds import Json
from sandbox.assetbots import Sandbox, workspace
from sandbox.assetbots.database import Database, Settings
from sandbox.faults import Fault
from tests.serving import Served, connected

Start = Callable[..., AssetbotsAssets]


@pytest_asyncio.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Sandbox, Served]]:
    app = workspace()
    async with connected(tmp_path_factory.mktemp("stage"), "assetbots", app, api_key=app.database.key) as served:
        yield app, served


@pytest.fixture
def app(stage: tuple[Sandbox, Served]) -> Sandbox:
    return stage[0]


@pytest.fixture
def start(stage: tuple[Sandbox, Served]) -> Start:
    """`start(assets=3)`: an adapter to a new workspace with these settings."""

    def started(**settings: Any) -> AssetbotsAssets:
        stage[0].database = Database(Settings(**{"assets": 12, "people": 3, **settings}))
        return AssetbotsAssets(stage[1].cards)

    return started


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that listings see."""
    now = [100.0]
    monkeypatch.setattr(_listing, "monotonic", lambda: now[0])
    return now


def asked(app: Sandbox) -> list[str]:
    return [f"{entry['method']} {entry['path']}" for entry in app.database.log.shown()["requests"]]


def free(app: Sandbox) -> str:
    return next(asset.id for asset in app.database.assets.values() if asset.is_free)


class Played:
    """Cards that answer what a test says."""

    def __init__(self, *answers: Json) -> None:
        self.answers = list(answers)

    async def call(self, card: str, options: Json | None = None, **inputs: Any) -> Json:
        return self.answers.pop(0)

    async def records(self, card: str, **inputs: Any) -> AsyncIterator[Json]:
        for record in self.answers:
            yield record


ASSET = dict.fromkeys(("tag", "category", "checkout_status", "description", "person_id", "location_id", "archived"))
ASSET |= {"asset_id": "a1", "deleted": False, "fields": {}}


def test_assetbots_is_an_asset_system() -> None:
    """The catalogue finds it beside the cards."""
    assert catalog().connector("assetbots").assets is AssetbotsAssets


def test_what_is_announced_are_inputs_of_cards() -> None:
    cards = {card.name: card for card in catalog().connector("assetbots").cards}

    assert all(key in cards[name].inputs.model_fields for name, key in AssetbotsAssets.announces.items())


async def test_an_asset_that_is_deleted_is_not_there(app: Sandbox, start: Start) -> None:
    system = start()
    gone, person = (next(iter(things)) for things in (app.database.assets, app.database.people))
    app.database.assets[gone].own["deleted"] = app.database.people[person].own["deleted"] = True

    assert gone not in {each.sys_id for each in await system.assets()}
    assert person not in {each.sys_id for each in await system.people()}
    assert await system.asset(gone) is None
    assert await system.person(person) is None


async def test_every_asset_is_read(app: Sandbox, start: Start) -> None:
    """Over two pages."""
    system = start(assets=1001)

    assert {each.sys_id for each in await system.assets()} == set(app.database.assets)
    assert asked(app) == ["GET /assets"] * 2


async def test_the_status_is_that_of_the_checkout(app: Sandbox, start: Start) -> None:
    """And follows from it: it is not written."""
    system = start()
    asset = free(app)

    before = await system.asset(asset)
    after = await system.check_out(asset, next(iter(app.database.people)), "Synced")

    assert before is not None
    assert (before.status, after.status) == (None, "CheckedOut")
    with pytest.raises(InvalidCall, match="status"):
        await system.update_asset(after.sys_id, {"status": "Lost"})


async def test_who_has_it_goes_before_where_it_is(app: Sandbox, start: Start) -> None:
    system = start()
    asset, person, place = free(app), next(iter(app.database.people)), next(iter(app.database.locations))
    both = {"person_id": person, "location_id": place, "date": "2026-01-15T09:00:00Z", "due": None, "note": None}
    app.database.check_out([app.database.assets[asset]], **both)

    found = await system.asset(asset)

    assert found is not None
    assert found.assignee == Assignee("person", person)


async def test_columns_have_the_kinds_of_their_values(app: Sandbox, start: Start) -> None:
    """As any asset has them; a column whose values differ is text."""
    system = start()
    one, two, *_ = app.database.assets.values()
    one.fields |= {"isLoan": True, "mixed": 3}
    two.fields |= {"isLoan": None, "mixed": "three", "empty": None}

    kinds = {column.name: column.kind for column in await system.columns() or ()}

    assert kinds == {
        **dict.fromkeys(("tag", "serial", "category", "status", "description", "brand", "model"), "text"),
        **{"purchaseCost": "number", "isLoan": "boolean", "mixed": "text", "empty": "text"},
    }


async def test_the_columns_of_no_asset_are_not_known(start: Start) -> None:
    assert await start(assets=0).columns() is None


async def test_a_category_is_one_that_an_asset_has(app: Sandbox, start: Start) -> None:
    """By its name, whatever its case."""
    system = start()

    after = await system.update_asset(free(app), {"category": " lapTOPS"})

    assert after.category == "Laptops"


async def test_a_category_that_no_asset_has_is_told(app: Sandbox, start: Start) -> None:
    """Nothing is written; and it is found once an asset has it."""
    system = start(assets=0)
    made = await system.create_asset({"tag": "N1"})

    with pytest.raises(InvalidCall, match="no category named Laptops yet"):
        await system.update_asset(made.sys_id, {"tag": "N2", "category": "Laptops"})
    app.database.add_assets(40)
    await system.assets()

    assert "POST /assets/" + made.sys_id not in asked(app)
    assert (await system.update_asset(made.sys_id, {"category": "Laptops"})).category == "Laptops"


@pytest.mark.parametrize("label", ["tag", "description"])
async def test_too_long_a_value_is_refused_here(app: Sandbox, start: Start, label: str) -> None:
    """The lengths are those of Assetbots' description."""
    system = start()

    with pytest.raises(InvalidCall, match="at most"):
        await system.update_asset(free(app), {label: "x" * (system.can.max_lengths[label] + 1)})

    assert asked(app) == []


@pytest.mark.parametrize("label", ["name", "email"])
async def test_too_long_a_value_of_a_person_is_refused_here(app: Sandbox, start: Start, label: str) -> None:
    system = start()

    with pytest.raises(InvalidCall, match="at most"):
        await system.create_person({"name": "Kim", label: "x" * (system.can.max_lengths[label] + 1)})

    assert asked(app) == []


async def test_a_search_reads_the_list_once_a_minute(app: Sandbox, start: Start, clock: list[float]) -> None:
    """Unless it is to be read anew."""
    system = start()

    await system.find_assets("C02X")
    await system.columns()
    clock[0] += 59
    await system.find_assets("C02Y")
    assert asked(app) == ["GET /assets"]

    clock[0] += 2
    await system.find_assets("C02X")
    await system.find_assets("C02X", anew=True)
    assert asked(app) == ["GET /assets"] * 3


async def test_what_was_created_is_found_at_once(app: Sandbox, start: Start, clock: list[float]) -> None:
    """Without a new reading, and in one that does not show it yet; what is gone later is gone."""
    system = start()
    await system.find_assets("C02NEW")
    made = await system.create_asset({"serial": "C02NEW"})

    assert await system.find_assets("C02NEW") == [made]
    app.database.remove(made.sys_id)
    assert await system.find_assets("C02NEW", anew=True) == [made]
    clock[0] += 61
    assert await system.find_assets("C02NEW") == []


@pytest.mark.parametrize("held", ["is_reserved", "is_in_repair"])
async def test_what_is_held_is_told_in_words(app: Sandbox, start: Start, held: str) -> None:
    """Assetbots says 409, and not why."""
    system, person = start(), next(iter(app.database.people))
    asset = free(app)
    setattr(app.database.assets[asset], held, True)

    with pytest.raises(Refused, match="a reservation or a repair may hold it") as refused:
        await system.check_out(asset, person, "Synced")

    assert refused.value.service is not None
    assert refused.value.service.status == 409


async def test_another_refusal_stays_as_it_is(app: Sandbox, start: Start) -> None:
    system = start()
    app.database.faults.add(Fault("status", path="/checkouts", status=403))

    with pytest.raises(Refused) as refused:
        await system.check_out(free(app), next(iter(app.database.people)), "Synced")

    assert "may hold it" not in refused.value.detail


@pytest.mark.parametrize("found", [{"left_out": ["a1"]}, {"left_out": []}, {"left_out": None}])
async def test_a_checkout_that_left_the_asset_out_is_no_success(found: Json) -> None:
    """Whether it was done is seen at the asset, whatever the answer names."""
    with pytest.raises(Refused, match="did not check the asset out"):
        await AssetbotsAssets(Played(found, ASSET)).check_out("a1", "p1", "Synced")


@pytest.mark.parametrize("found", [{"left_out": ["a1"]}, {"left_out": None}])
async def test_a_check_in_that_left_the_asset_out_is_no_success(found: Json) -> None:
    with pytest.raises(Refused, match="did not check the asset in"):
        await AssetbotsAssets(Played(found, {**ASSET, "person_id": "p1"})).check_in("a1", "Synced")


async def test_an_answer_that_does_not_name_assets_is_enough() -> None:
    """The asset itself says that it is back."""
    back = await AssetbotsAssets(Played({"left_out": None}, ASSET)).check_in("a1", "Synced")

    assert back.assignee == NOBODY


async def test_a_change_whose_answer_is_empty_is_read_again() -> None:
    system = AssetbotsAssets(Played({**ASSET, "asset_id": None}, {**ASSET, "tag": "N2"}))

    assert (await system.update_asset("a1", {"tag": "N2"})).tag == "N2"


async def test_a_new_asset_without_an_id_is_told() -> None:
    with pytest.raises(Unexpected, match="did not say its ID"):
        await AssetbotsAssets(Played({**ASSET, "asset_id": None})).create_asset({"tag": "N1"})


async def test_a_note_is_signed_on_the_checkout(app: Sandbox, start: Start) -> None:
    system = start()

    await system.check_out(free(app), next(iter(app.database.people)), "Upcard: run 7")

    assert [checkout.note for checkout in app.database.checkouts.values()][-1] == "Upcard: run 7"


async def test_an_update_of_a_person_sends_their_name_as_it_is_now(app: Sandbox, start: Start) -> None:
    """Assetbots wants it every time; what somebody renamed meanwhile stays renamed."""
    system = start()
    person = (await system.people())[0]
    app.database.people[person.sys_id].own["name"] = "Renamed Meanwhile"

    after = await system.update_person(person.sys_id, {"department": "IT", "title": None})

    assert (after.name, after.email) == ("Renamed Meanwhile", person.email)
    assert after.fields == {"department": "IT", "title": None}
