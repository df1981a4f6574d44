"""What the built-in asset system does beyond the contract: tags, columns, its history, and its file."""

import asyncio
import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from connector.sdk.errors import InvalidCall, Refused, Unavailable
from connector.sdk.inventory import Named
from connector.sync.systems.file import FileAssets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "assets.sqlite"


@pytest.fixture
def system(path: Path) -> FileAssets:
    return FileAssets(path)


def rows(path: Path, query: str) -> list[Any]:
    """As any other program reads the file."""
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(query).fetchall()


def mode(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


def write(path: Path, text: str) -> str:
    path.parent.mkdir()
    path.write_text(text)
    return text


def read(path: Path) -> str:
    return path.read_text()


async def test_it_is_made_when_it_is_first_used(path: Path, system: FileAssets) -> None:
    """For nobody else to read."""
    assert mode(path) is None

    assert await system.assets() == []

    assert mode(path) == 0o600
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


async def test_it_is_there_when_it_is_opened_again(path: Path, system: FileAssets) -> None:
    made = await system.create_asset({"serial": "C02X"})

    assert await FileAssets(path).assets() == [made]


async def test_tags_are_counted_on(system: FileAssets) -> None:
    """Past those that were given by hand; and one that is freed is not given again."""
    first = await system.create_asset({"serial": "C02A"})
    by_hand = await system.create_asset({"tag": "A-0003"})
    await system.update_asset(first.sys_id, {"tag": "Other"})

    more = [(await system.create_asset({})).tag for _ in range(2)]

    assert (first.tag, by_hand.tag, more) == ("A-0001", "A-0003", ["A-0002", "A-0004"])


async def test_a_column_is_created(system: FileAssets) -> None:
    """Once, and never one of the system's own."""
    for label in ("OS version", "OS version", "serial"):
        await system.create_column(label)

    made = await system.create_asset({"OS version": "15.3"})

    labels = [column.name for column in await system.columns() or ()]
    assert labels == ["tag", "serial", "category", "status", "OS version", "model", "name"]
    assert made.at("OS version") == "15.3"


async def test_a_column_without_a_label_is_refused(system: FileAssets) -> None:
    with pytest.raises(InvalidCall, match="needs a label"):
        await system.create_column(" ")


async def test_a_kind_that_people_gave_a_column_is_told(path: Path, system: FileAssets) -> None:
    await system.create_column("Storage GB")
    rows(path, "UPDATE columns SET kind='number' WHERE label='Storage GB'")

    assert Named("Storage GB", "number") in (await system.columns() or ())


async def test_an_asset_is_put_away_and_brought_back(system: FileAssets) -> None:
    made = await system.create_asset({"serial": "C02X"})

    await system.archive(made.sys_id)
    away = await system.asset(made.sys_id)
    await system.restore(made.sys_id)

    assert away is not None
    assert away.archived
    assert await system.asset(made.sys_id) == made
    with pytest.raises(Refused, match="no asset"):
        await system.archive("99")


async def test_who_had_what_is_kept(path: Path, system: FileAssets) -> None:
    """With the notes, in tables that anybody can read."""
    made = await system.create_asset({"serial": "C02X", "model": "MacBook Pro"})
    kim = await system.create_person({"name": "Kim", "email": "kim@example.com", "department": "IT"})
    for note in ("first", "second"):
        await system.check_out(made.sys_id, kim.sys_id, f"out: {note}")
        await system.check_in(made.sys_id, f"back: {note}")
    await system.check_out(made.sys_id, kim.sys_id, "out: third")

    history = rows(path, "SELECT asset, person, note, check_in_note, checked_in IS NULL FROM checkouts ORDER BY id")
    assert history == [
        (1, 1, "out: first", "back: first", 0),
        (1, 1, "out: second", "back: second", 0),
        (1, 1, "out: third", None, 1),
    ]
    assert rows(path, "SELECT tag, serial, fields, assignee_kind, assignee_id FROM assets") == [
        ("A-0001", "C02X", '{"model": "MacBook Pro"}', "person", "1")
    ]
    assert rows(path, "SELECT name, email, fields FROM people") == [("Kim", "kim@example.com", '{"department": "IT"}')]


async def test_a_change_that_is_refused_leaves_nothing(path: Path, system: FileAssets) -> None:
    """Not even a number that is missing in the tags."""
    await system.assets()

    with pytest.raises(Refused, match="no column Color"):
        await system.create_asset({"Color": "blue"})

    assert rows(path, "SELECT count(*) FROM assets") == [(0,)]
    assert (await system.create_asset({})).tag == "A-0001"


async def test_a_file_that_is_none_is_told(path: Path, system: FileAssets) -> None:
    """And is left as it is."""
    table = write(path, "tag,serial\n" * 200)

    with pytest.raises(Unavailable, match="not a database"):
        await system.assets()

    assert read(path) == table


async def test_a_file_of_a_newer_version_is_told(path: Path, system: FileAssets) -> None:
    await system.assets()
    rows(path, "PRAGMA user_version=99")

    with pytest.raises(Unavailable, match="newer version"):
        await system.create_asset({})


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="cannot be opened"):
        await FileAssets(tmp_path / "file" / "assets.sqlite").assets()


async def test_who_asks_at_once_waits_for_each_other(system: FileAssets) -> None:
    """A new file too; one of them gets the asset."""
    made = await asyncio.gather(*(system.create_asset({}) for _ in range(20)))
    people = await asyncio.gather(*(system.create_person({"name": f"P{number}"}) for number in range(8)))
    hands = (system.check_out(made[0].sys_id, each.sys_id, "Synced") for each in people)

    found = await asyncio.gather(*hands, return_exceptions=True)

    assert len({asset.tag for asset in made}) == 20
    assert sorted(type(each).__name__ for each in found) == ["Asset", *["Refused"] * 7]


@pytest.mark.slow
async def test_several_processes_open_it(path: Path, system: FileAssets) -> None:
    """All of them at its first moment; no tag is given twice."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        done = await asyncio.gather(*(asyncio.wrap_future(pool.submit(_create, path)) for _ in range(8)))

    tags = [tag for some in done for tag in some]
    assert len(set(tags)) == len(tags) == len(await system.assets()) == 80


def _create(path: Path) -> list[str | None]:
    async def ten() -> list[str | None]:
        return [(await FileAssets(path).create_asset({})).tag for _ in range(10)]

    return asyncio.run(ten())
