"""One contract for every asset system (connector/sdk/systems.py), each over its real wire. Add one to `shops.SHOPS`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from connector.sdk.errors import Refused, UpcardError
from connector.sdk.inventory import NOBODY, OWN_COLUMNS, Asset, Assignee, Person
from connector.sdk.systems import AssetSystem
from tests.connector.sync.shops import SHOPS, Shop

NOTHING = "00000000-0000-0000-0000-000000000000"
TEXTS = [
    pytest.param("Zoë 王 🙂", id="unicode"),
    pytest.param('it\'s "so" \\ %s', id="quotes"),
    pytest.param("<b>&amp;</b> &lt;", id="html"),
    pytest.param("'; DROP TABLE assets;--", id="sql"),
    pytest.param("a eq b and c", id="filter"),
    pytest.param("{serial} null", id="words"),
]


@pytest_asyncio.fixture(scope="module", params=SHOPS)
async def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with SHOPS[request.param](tmp_path_factory.mktemp("shop")) as found:
        yield found


@pytest.fixture
def system(shop: Shop) -> AssetSystem:
    return shop.start()


async def laptop(system: AssetSystem, shop: Shop, **more: Any) -> Asset:
    """An asset with everything."""
    given = {"tag": "N1", "serial": "C02NEW", "category": shop.category, shop.field: "Apple"}
    return await system.create_asset({**given, **more})


async def kim(system: AssetSystem) -> Person:
    return await system.create_person({"name": "Kim Novak", "email": "kim@example.com"})


async def test_a_new_asset_has_what_it_was_given(system: AssetSystem, shop: Shop) -> None:
    """It is free, and is read the same by itself and among all."""
    made = await laptop(system, shop)

    assert (made.tag, made.serial, made.category, made.at(shop.field)) == ("N1", "C02NEW", shop.category, "Apple")
    assert (made.assignee, made.archived) == (NOBODY, False)
    assert await system.asset(made.sys_id) == made
    assert [each for each in await system.assets() if each.sys_id == made.sys_id] == [made]


async def test_every_column_can_be_read(system: AssetSystem, shop: Shop) -> None:
    """By its label; the system's own are among them, and none is there twice."""
    made = await laptop(system, shop)

    labels = [column.name for column in await system.columns() or ()]

    assert {*OWN_COLUMNS, shop.field} <= set(labels)
    assert len(labels) == len(set(labels))
    assert {key for key, value in made.fields.items() if value is not None} <= set(labels)


@pytest.mark.parametrize("text", TEXTS)
async def test_text_is_kept_to_the_letter(system: AssetSystem, shop: Shop, text: str) -> None:
    """Created, changed, and found by."""
    made = await laptop(system, shop, tag=text, serial=text)

    changed = await system.update_asset(made.sys_id, {shop.field: text})

    assert (changed.tag, changed.serial, changed.at(shop.field)) == (text, text, text)
    assert await system.asset(made.sys_id) == changed
    assert await system.find_assets(text, anew=True) == [changed]


@pytest.mark.parametrize("text", TEXTS)
async def test_a_person_is_kept_to_the_letter(system: AssetSystem, shop: Shop, text: str) -> None:
    email = shop.email(text)

    made = await system.create_person({"name": text, "email": email})

    assert (made.name, made.email) == (text, email)
    assert await system.person(made.sys_id) == made
    assert await system.find_people(email, None, anew=True) == [made]


async def test_long_text_is_kept_whole(system: AssetSystem, shop: Shop) -> None:
    """Up to what the system says that it keeps."""
    texts = {label: "x" * system.can.max_lengths.get(label, 5000) for label in ("tag", "serial", shop.field)}

    made = await laptop(system, shop, **texts)

    assert {label: made.at(label) for label in texts} == texts


@pytest.mark.parametrize("empty", [None, "", "  "])
@pytest.mark.parametrize("label", ["tag", "serial", "category", "field"])
async def test_a_column_is_emptied(system: AssetSystem, shop: Shop, label: str, empty: str | None) -> None:
    """And no other."""
    if label in shop.needed:
        pytest.skip("it cannot be empty there")
    label = shop.field if label == "field" else label
    made = await laptop(system, shop)

    after = await system.update_asset(made.sys_id, {label: empty})

    others = {*OWN_COLUMNS, shop.field} - {label}
    assert after.at(label) is None
    assert {key: after.at(key) for key in others} == {key: made.at(key) for key in others}
    assert await system.asset(made.sys_id) == after


@pytest.mark.parametrize("empty", [None, "", "  "])
async def test_what_is_needed_is_not_emptied(system: AssetSystem, shop: Shop, empty: str | None) -> None:
    """It is refused by its name, and nothing is changed."""
    made = await laptop(system, shop)

    for label in sorted(shop.needed):
        with pytest.raises(UpcardError, match=f"needs a {label}"):
            await system.update_asset(made.sys_id, {label: empty, "serial": "C02X"})

    assert await system.asset(made.sys_id) == made


async def test_what_is_empty_is_no_value_of_a_new_asset(system: AssetSystem, shop: Shop) -> None:
    category = shop.category if "category" in shop.needed else None

    made = await system.create_asset({"tag": "N1", "serial": "", "category": category, shop.field: " "})

    assert (made.tag, made.serial, made.category, made.at(shop.field)) == ("N1", None, category, None)


@pytest.mark.parametrize("value", [0, 12, 1299.5, False, True])
async def test_a_value_that_is_no_text_is_kept(system: AssetSystem, shop: Shop, value: Any) -> None:
    """Nought and false are not empty."""
    made = await laptop(system, shop)

    after = await system.update_asset(made.sys_id, {shop.field: value})

    kept = shop.kept(value)
    assert (after.at(shop.field), type(after.at(shop.field))) == (kept, type(kept))


async def test_several_columns_are_changed_and_emptied_at_once(system: AssetSystem, shop: Shop) -> None:
    made = await laptop(system, shop)

    after = await system.update_asset(made.sys_id, {"tag": "N2", "serial": None, shop.field: "Other"})

    assert after == replace(made, tag="N2", serial=None, fields={**made.fields, shop.field: "Other"})


async def test_an_update_leaves_alone_what_it_does_not_name(system: AssetSystem, shop: Shop) -> None:
    """That it is archived, and who has it."""
    made, person = await laptop(system, shop), await kim(system)
    await system.check_out(made.sys_id, person.sys_id, "Synced")
    shop.edit(made.sys_id, archived=True)

    after = await system.update_asset(made.sys_id, {"tag": "N2"})

    assert (after.tag, after.archived, after.assignee) == ("N2", True, Assignee("person", person.sys_id))
    assert after.fields == made.fields


async def test_an_unknown_column_is_refused(system: AssetSystem, shop: Shop) -> None:
    """By its name; and nothing of the change is done, nor is half an asset made."""
    made = await laptop(system, shop)

    with pytest.raises(UpcardError, match="noSuchColumn"):
        await system.update_asset(made.sys_id, {"tag": "N2", "noSuchColumn": "x"})
    with pytest.raises(UpcardError, match="noSuchColumn"):
        await system.create_asset({"serial": "C02HALF", "noSuchColumn": "x"})

    assert await system.asset(made.sys_id) == made
    assert await system.find_assets("C02HALF", anew=True) == []


async def test_what_is_not_there_is_none(system: AssetSystem) -> None:
    assert await system.asset(NOTHING) is None
    assert await system.person(NOTHING) is None
    assert await system.find_assets("NOSUCH") == []
    assert await system.find_people("no@such.org", None) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda system, asset, person: system.update_asset(NOTHING, {"tag": "N2"}), id="update_asset"),
        pytest.param(
            lambda system, asset, person: system.update_person(NOTHING, {"email": "k@x.org"}), id="update_person"
        ),
        pytest.param(lambda system, asset, person: system.check_out(NOTHING, person, "Synced"), id="check_out"),
        pytest.param(
            lambda system, asset, person: system.check_out(asset, NOTHING, "Synced"), id="check_out to nobody"
        ),
        pytest.param(lambda system, asset, person: system.check_in(NOTHING, "Synced"), id="check_in"),
    ],
)
async def test_what_is_not_there_cannot_be_changed(system: AssetSystem, shop: Shop, change: Any) -> None:
    made, person = await laptop(system, shop), await kim(system)

    with pytest.raises(Refused):
        await change(system, made.sys_id, person.sys_id)

    assert await system.asset(made.sys_id) == made


async def test_assets_are_found_by_serial_number(system: AssetSystem, shop: Shop) -> None:
    """Case and blanks do not count, a part is no match, and two may have one."""
    one, two = await laptop(system, shop), await laptop(system, shop, serial="c02new", tag="N2")
    await laptop(system, shop, serial="C02NEWER", tag="N3")

    assert await system.find_assets(" C02new ") == [one, two]
    assert await system.find_assets(" C02new ", anew=True) == [one, two]


@pytest.mark.parametrize("nothing", ["", " "])
async def test_an_asset_without_a_serial_number_is_not_found_by_that(
    system: AssetSystem, shop: Shop, nothing: str
) -> None:
    await laptop(system, shop, serial=None)

    assert await system.find_assets(nothing) == []
    assert await system.find_people(nothing, nothing) == await system.find_people(None, None) == []


async def test_what_was_changed_is_found_as_it_is(system: AssetSystem, shop: Shop) -> None:
    """Also where a listing is kept for a while."""
    made, person = await laptop(system, shop), await kim(system)
    await system.find_assets("C02NEW")

    changed = await system.update_asset(made.sys_id, {"serial": "C02OTHER"})
    handed = await system.check_out(made.sys_id, person.sys_id, "Synced")

    assert await system.find_assets("C02NEW") == []
    assert (
        await system.find_assets("C02OTHER")
        == [handed]
        == [replace(changed, assignee=handed.assignee, status=handed.status)]
    )


async def test_an_archived_asset_is_there_and_marked(system: AssetSystem, shop: Shop) -> None:
    made = await laptop(system, shop)

    shop.edit(made.sys_id, archived=True)

    found = await system.asset(made.sys_id)
    assert found == replace(made, archived=True, status=found.status if found else None)
    assert await system.find_assets("C02NEW", anew=True) == [found]
    assert found in await system.assets()


async def test_what_somebody_else_changed_is_read_anew(system: AssetSystem, shop: Shop) -> None:
    made = await laptop(system, shop)
    await system.find_assets("C02NEW")

    shop.edit(made.sys_id, tag="By hand")

    assert [each.tag for each in await system.find_assets("C02NEW", anew=True)] == ["By hand"]
    assert {each.tag for each in await system.assets() if each.sys_id == made.sys_id} == {"By hand"}


async def test_an_asset_goes_out_and_comes_back(system: AssetSystem, shop: Shop) -> None:
    made, person = await laptop(system, shop), await kim(system)

    out = await system.check_out(made.sys_id, person.sys_id, "Synced: it's <b>new</b>")
    held = await system.asset(made.sys_id)
    back = await system.check_in(made.sys_id, "Synced")

    assert out == held
    assert out.assignee == Assignee("person", person.sys_id)
    assert back == await system.asset(made.sys_id) == made


async def test_an_asset_that_somebody_has_goes_to_nobody_else(system: AssetSystem, shop: Shop) -> None:
    made, person = await laptop(system, shop), await kim(system)
    other = await system.create_person({"name": "Ana Lind"})
    out = await system.check_out(made.sys_id, person.sys_id, "Synced")

    with pytest.raises(Refused, match=r"Somebody may have it|is with somebody"):
        await system.check_out(made.sys_id, other.sys_id, "Synced")

    assert await system.asset(made.sys_id) == out


async def test_an_asset_that_nobody_has_does_not_come_back(system: AssetSystem, shop: Shop) -> None:
    made = await laptop(system, shop)

    with pytest.raises(Refused, match=r"Nobody may have it|is with nobody"):
        await system.check_in(made.sys_id, "Synced")

    assert await system.asset(made.sys_id) == made


async def test_an_asset_at_a_place_is_with_no_person(system: AssetSystem, shop: Shop) -> None:
    """It is not free either; it is when it is back."""
    made, person = await laptop(system, shop), await kim(system)
    shop.put(made.sys_id)

    there = await system.asset(made.sys_id)
    with pytest.raises(Refused):
        await system.check_out(made.sys_id, person.sys_id, "Synced")
    back = await system.check_in(made.sys_id, "Synced")

    assert there is not None
    assert (there.assignee.kind, bool(there.assignee.id)) == ("location", True)
    assert back.assignee == NOBODY


async def test_people_are_found_by_email_or_else_by_name(system: AssetSystem) -> None:
    """Where an email is given, a name alone is no match."""
    made = await kim(system)

    assert await system.find_people(" KIM@example.com ", "Other Name") == [made]
    assert await system.find_people(None, " kim  novak") == await system.find_people("", "Kim Novak") == [made]
    assert await system.find_people("other@example.com", "Kim Novak") == []
    assert made in await system.people()


async def test_a_person_is_changed_in_part(system: AssetSystem) -> None:
    made = await kim(system)
    await system.find_people("kim@example.com", None)

    renamed = await system.update_person(made.sys_id, {"name": "Kim Lind"})
    found = await system.find_people("kim@example.com", None)
    mailed = await system.update_person(made.sys_id, {"email": "lind@example.com"})

    assert (renamed.name, renamed.email) == ("Kim Lind", "kim@example.com")
    assert found == [renamed]
    assert (mailed.name, mailed.email) == ("Kim Lind", "lind@example.com")
    assert await system.person(made.sys_id) == mailed
    assert await system.find_people("lind@example.com", None) == [mailed]


@pytest.mark.parametrize("empty", [None, ""])
async def test_an_email_is_emptied_and_a_name_is_not(system: AssetSystem, empty: str | None) -> None:
    made = await kim(system)

    after = await system.update_person(made.sys_id, {"email": empty})
    with pytest.raises(UpcardError, match="needs a name"):
        await system.update_person(made.sys_id, {"name": empty})

    assert (after.name, after.email) == ("Kim Novak", None)
    assert await system.person(made.sys_id) == after


async def test_a_nameless_person_is_not_made(system: AssetSystem) -> None:
    before = await system.people()

    with pytest.raises(UpcardError, match="needs a name"):
        await system.create_person({"email": "nameless@example.com"})

    assert await system.people() == before


@pytest.mark.parametrize("text", TEXTS)
async def test_a_note_is_read_beside_the_asset(system: AssetSystem, shop: Shop, text: str) -> None:
    made = await laptop(system, shop)

    await system.note(made.sys_id, text)

    assert shop.notes(made.sys_id) == ([text] if shop.has_notes else [])


async def test_a_note_needs_an_asset(system: AssetSystem, shop: Shop) -> None:
    """Where there are notes."""
    if not shop.has_notes:
        pytest.skip("it has no notes")

    with pytest.raises(Refused):
        await system.note(NOTHING, "Synced")
