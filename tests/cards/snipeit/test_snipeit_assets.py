"""What Snipe-IT alone has as an asset system, over a real host; what all have is in `connector/sync`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cards.snipeit._assets import SnipeITAssets
from cards.snipeit._inventory import password
from connector.sdk.errors import InvalidCall, OutcomeUnknown, Refused
from connector.sdk.inventory import Asset, Assignee, Named
from sandbox.faults import Fault
from sandbox.log import RequestLog
from sandbox.snipeit import Sandbox, server
from sandbox.snipeit.database import Database
from tests.serving import connected

MACBOOK, DISPLAY = "MacBook Pro (14-inch, 2023)", "Studio Display"  # with custom fields, and without
LAPTOP = {"tag": "N1", "serial": "C02NEW", "category": "Laptops", "model": MACBOOK}
KIM = {"name": "Kim Novak", "email": "kim@example.com"}


@dataclass
class Shelf:
    """A server, and its adapter, which has read nothing."""

    app: Sandbox
    system: SnipeITAssets

    @property
    def database(self) -> Database:
        return self.app.database

    def asked(self) -> list[str]:
        """What was asked since it was last asked."""
        log, self.database.log = self.database.log, RequestLog()
        return [f"{entry['method']} {entry['path']}" for entry in log.shown()["requests"]]

    def model(self, name: str) -> dict[str, Any]:
        (found,) = [row.own for row in self.database.models.values() if row.own["name"] == name]
        return found


@asynccontextmanager
async def shelf(folder: Path, **settings: Any) -> AsyncIterator[Shelf]:
    app = server(**{"assets": 4, "users": 3} | settings)
    async with connected(folder, "snipeit", app, token=app.database.token) as served:
        yield Shelf(app, SnipeITAssets(served.cards))


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with shelf(tmp_path) as found:
        yield found


async def test_a_model_is_found_by_its_name_or_number(here: Shelf) -> None:
    """Case does not count; its category is that of the asset, whatever was given."""
    by_name = await here.system.create_asset({**LAPTOP, "model": MACBOOK.upper()})
    by_number = await here.system.create_asset({"tag": "N2", "model": "iPhone15,4", "category": "Laptops"})
    by_its_own = await here.system.create_asset({"tag": "N3", "model_number": "mac15,12"})

    assert (by_name.at("model"), by_name.at("model_number")) == (MACBOOK, "Mac14,9")
    assert (by_number.at("model"), by_number.category) == ("iPhone 15", "Phones")
    assert by_its_own.at("model") == 'MacBook Air 13" (M3)'


async def test_a_model_and_a_category_that_are_missing_are_made(here: Shelf) -> None:
    """Once, whatever number of assets."""
    given = {"category": "Notebooks", "model": "MacBook Neo", "model_number": "Mac99,1", "OS Version": "26.1"}

    made = [await here.system.create_asset({**given, "tag": tag}) for tag in ("N1", "N2")]

    categories = [row.own["name"] for row in here.database.categories.values()]
    assert [(each.category, each.at("OS Version")) for each in made] == [("Notebooks", "26.1")] * 2
    assert here.model("MacBook Neo")["model_number"] == "Mac99,1"
    assert categories.count("Notebooks") == 1


@pytest.mark.parametrize("given", [{}, {"model": " "}, {"model_number": ""}])
async def test_a_blank_model_is_never_made(here: Shelf, given: dict[str, Any]) -> None:
    """Without a category there is nothing to name it after."""
    models = len(here.database.models)

    with pytest.raises(InvalidCall, match="needs a model in Snipe-IT, or a category"):
        await here.system.create_asset({"tag": "N1", **given})
    with pytest.raises(InvalidCall, match="no model Neo: to make one, a category is needed"):
        await here.system.create_asset({"tag": "N1", "model": "Neo"})

    assert len(here.database.models) == models


async def test_one_of_several_models_is_not_guessed(here: Shelf) -> None:
    for number in ("A1", "A2"):
        here.database.new(here.database.models, {"name": "Twin", "model_number": number, "category_id": 1})

    with pytest.raises(InvalidCall, match="has 2 models Twin: give the model_number"):
        await here.system.create_asset({**LAPTOP, "model": "Twin"})

    assert (await here.system.create_asset({**LAPTOP, "model": "Twin", "model_number": "A2"})).at(
        "model_number"
    ) == "A2"


async def test_a_status_is_named_or_the_first_that_is_deployable(here: Shelf) -> None:
    ready = await here.system.create_asset(LAPTOP)
    pending = await here.system.create_asset({**LAPTOP, "tag": "N2", "status": "pending"})
    changed = await here.system.update_asset(ready.sys_id, {"status": "Out for Repair"})

    assert (ready.status, pending.status, changed.status) == ("Ready to Deploy", "Pending", "Out for Repair")
    with pytest.raises(InvalidCall, match="no status label Nonsense"):
        await here.system.update_asset(ready.sys_id, {"status": "Nonsense"})


async def test_columns_have_their_kinds(here: Shelf) -> None:
    await here.system.create_column("Owner's R&D")
    here.database.fields[1].own["format"] = "NUMERIC"

    columns = await SnipeITAssets(here.system.cards).columns() or ()

    assert {Named("OS Version", "number"), Named("Owner's R&D"), Named("purchase_date", "date")} <= set(columns)


async def test_a_field_that_is_not_of_the_model_is_named(here: Shelf) -> None:
    """With the model and the fieldset, before anything is sent; empty it is left out."""
    laptop = await here.system.create_asset(LAPTOP)
    display = await here.system.create_asset({"tag": "N2", "model": DISPLAY})
    here.asked()

    with pytest.raises(InvalidCall, match=r"no Purchase Reason for assets of .*14-inch.* the fieldset Apple devices"):
        await here.system.update_asset(laptop.sys_id, {"serial": "X", "Purchase Reason": "old"})
    with pytest.raises(InvalidCall, match=r"no OS Version for assets of .* Studio Display: put it into a fieldset"):
        await here.system.update_asset(display.sys_id, {"OS Version": "1"})
    with pytest.raises(InvalidCall, match="no OS Version for assets of the model Studio Display"):
        await here.system.create_asset({"tag": "N3", "model": DISPLAY, "OS Version": "1"})
    with pytest.raises(InvalidCall, match="No fieldset of Snipe-IT has all of Purchase Reason"):
        await here.system.create_asset({"tag": "N3", "category": "Phones", "model": "New", "Purchase Reason": "x"})

    assert {line.split()[0] for line in here.asked()} == {"GET"}
    assert await here.system.update_asset(laptop.sys_id, {"Purchase Reason": None}) == laptop


async def test_a_field_that_was_just_put_there_is_written(here: Shelf) -> None:
    """What was read a moment ago is not held against it."""
    laptop = await here.system.create_asset({**LAPTOP, "OS Version": "1"})
    here.database.members[1].append(4)

    assert (await here.system.update_asset(laptop.sys_id, {"Purchase Reason": "old"})).at("Purchase Reason") == "old"


async def test_a_new_column_is_in_every_fieldset(here: Shelf) -> None:
    """Once; where Snipe-IT has one of this name there is nothing to do."""
    laptop = await here.system.create_asset(LAPTOP)

    for label in ("Blueprint", "Blueprint", "name"):
        await here.system.create_column(label)

    labels = [row.own["name"] for row in here.database.fields.values()]
    assert (labels.count("Blueprint"), labels.count("name")) == (1, 0)
    assert (await here.system.update_asset(laptop.sys_id, {"Blueprint": "Lab"})).at("Blueprint") == "Lab"


async def test_a_category_is_not_written_to_an_asset(here: Shelf) -> None:
    """It hangs on the model, which may be another; what it has already is no change."""
    laptop = await here.system.create_asset(LAPTOP)

    with pytest.raises(InvalidCall, match="hangs on its model in Snipe-IT: Phones cannot be written"):
        await here.system.update_asset(laptop.sys_id, {"category": "Phones", "serial": "X"})
    with pytest.raises(InvalidCall, match="model_number of an asset hangs on its model"):
        await here.system.update_asset(laptop.sys_id, {"model_number": "X"})
    here.asked()
    same = await here.system.update_asset(laptop.sys_id, {"category": "laptops", "model": MACBOOK})
    asked = here.asked()
    moved = await here.system.update_asset(laptop.sys_id, {"category": "Phones", "model": "iPhone 15"})

    assert (same, {line.split()[0] for line in asked}) == (laptop, {"GET"})
    assert (moved.at("model"), moved.category) == ("iPhone 15", "Phones")


async def test_own_columns_are_written_and_emptied(here: Shelf) -> None:
    own = {"name": "Kim's Mac", "notes": "a < b", "order_number": "PO-1", "purchase_date": "2026-02-03"}
    laptop = await here.system.create_asset(LAPTOP)

    full = await here.system.update_asset(laptop.sys_id, {**own, "purchase_date": "2026-02-03T10:00:00Z"})
    empty = await here.system.update_asset(laptop.sys_id, dict.fromkeys(own))

    assert {key: full.at(key) for key in own} == own
    assert empty == laptop


async def test_an_asset_is_archived_by_its_status_label(here: Shelf) -> None:
    laptop = await here.system.create_asset(LAPTOP)

    await here.system.archive(laptop.sys_id)
    away = await here.system.asset(laptop.sys_id)
    await here.system.restore(laptop.sys_id)

    assert away is not None
    assert (away.archived, away.status) == (True, "Archived")
    assert await here.system.asset(laptop.sys_id) == laptop


async def test_a_tag_is_made_where_the_server_does(tmp_path: Path, here: Shelf) -> None:
    """Where it does not, its refusal is told, and what to do."""
    given = {key: value for key, value in LAPTOP.items() if key != "tag"}

    with pytest.raises(Refused, match=r"asset tag field is required.*create: \{ asset_tag"):
        await here.system.create_asset(given)
    async with shelf(tmp_path / "other", auto_increment=True) as other:
        made = await other.system.create_asset(given)

    assert made.tag == "00005"


async def test_a_serial_number_that_no_path_carries_is_found(here: Shelf) -> None:
    """By the lists, as web servers refuse an encoded slash."""
    ready = await here.system.create_asset({**LAPTOP, "serial": "A/1?%"})
    away = await here.system.create_asset({**LAPTOP, "tag": "N2", "serial": "a/1?%", "status": "Archived"})
    here.asked()

    found = await here.system.find_assets("A/1?%")

    assert (found, here.asked()) == ([ready, away], ["GET /hardware", "GET /hardware"])


async def test_a_refused_checkout_says_why(here: Shelf) -> None:
    """Snipe-IT says that it is not available, no more; nothing is taken back for it."""
    kim = await here.system.create_person(KIM)
    pending = await here.system.create_asset({**LAPTOP, "status": "Pending"})
    gone = await here.system.create_asset({**LAPTOP, "tag": "N2"})
    await here.system.check_out(gone.sys_id, kim.sys_id, "Synced")

    with pytest.raises(Refused, match="not available for checkout! The status label of the asset N1 is Pending"):
        await here.system.check_out(pending.sys_id, kim.sys_id, "Synced")
    with pytest.raises(Refused, match="The asset N2 is with somebody, or at a place"):
        await here.system.check_out(gone.sys_id, kim.sys_id, "Synced")

    actions = [event.action for event in here.database.events if event.asset_id == int(gone.sys_id)]
    assert actions == ["create", "checkout"]


async def test_the_note_is_in_the_history(here: Shelf) -> None:
    kim, laptop = await here.system.create_person(KIM), await here.system.create_asset(LAPTOP)

    await here.system.check_out(laptop.sys_id, kim.sys_id, "Upcard: it's new")
    await here.system.check_in(laptop.sys_id, "Upcard: it's back")

    assert [event.note for event in here.database.events[-2:]] == ["Upcard: it's new", "Upcard: it's back"]


async def test_an_asset_may_be_with_an_asset(here: Shelf) -> None:
    laptop = await here.system.create_asset(LAPTOP)
    here.database.check_out(here.database.assets[int(laptop.sys_id)], ("asset", 1), None)

    found = await here.system.asset(laptop.sys_id)

    assert found is not None
    assert found.assignee == Assignee("asset", "1")


async def test_a_person_gets_a_user_name_that_nobody_has(here: Shelf) -> None:
    """That of the email, or of the name; an email may be that of several, and all are found."""
    made = [await here.system.create_person(KIM) for _ in range(3)]
    unnamed = await here.system.create_person({"name": " Kim  Jo Novak "})

    names = [person.fields["username"] for person in (*made, unnamed)]
    assert names == ["kim@example.com", "kim@example.com2", "kim@example.com3", "kim.jo.novak"]
    assert (here.database.users[int(unnamed.sys_id)].own["last_name"], unnamed.email) == ("Jo Novak", None)
    assert await here.system.find_people("Kim@example.com", None) == made


def kept(folder: Path) -> bytes:
    """All that the host wrote."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_password_is_kept_nowhere(here: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another one each time; who has it cannot log in."""
    word, other = password(), password()
    monkeypatch.setattr("cards.snipeit._assets.password", lambda: word)

    made = await here.system.create_person(KIM)

    assert word != other
    assert b"snipeit.create_user" in kept(tmp_path)
    assert word.encode() not in kept(tmp_path)
    assert not here.database.users[int(made.sys_id)].own.get("activated")


async def test_a_column_that_a_user_does_not_have_is_named(here: Shelf) -> None:
    with pytest.raises(InvalidCall, match="A user of Snipe-IT has no Shoe Size"):
        await here.system.create_person({**KIM, "Shoe Size": "42"})


@pytest.mark.parametrize("kind", ["status", "drop"])
async def test_what_was_written_and_cannot_be_read_is_unknown(here: Shelf, kind: Any) -> None:
    """No other error would be true: whoever called looks what became of it."""
    kim, laptop = await here.system.create_person(KIM), await here.system.create_asset(LAPTOP)
    here.database.faults.add(Fault(kind, method="GET", path=f"/hardware/{laptop.sys_id}"))

    with pytest.raises(OutcomeUnknown):
        await here.system.check_out(laptop.sys_id, kim.sys_id, "Synced")

    here.database.faults.remove(None)
    found = await here.system.asset(laptop.sys_id)
    assert found is not None
    assert found.assignee == Assignee("person", kim.sys_id)


async def test_an_asset_takes_three_requests(here: Shelf) -> None:
    """To look whether it is there, to create it, and to read it; lists of models and the like are read once."""
    await here.system.create_asset(LAPTOP)
    here.asked()

    assert await here.system.find_assets("C02X") == []
    made = await here.system.create_asset({**LAPTOP, "tag": "N2", "serial": "C02X"})

    assert isinstance(made, Asset)
    assert here.asked() == ["GET /hardware/byserial/C02X", "POST /hardware", f"GET /hardware/{made.sys_id}"]
