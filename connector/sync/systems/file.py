"""The built-in asset system, in one file: for who has no other, for demos, and for tests. It takes no cards."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from connector.sdk.errors import InvalidCall, Refused
from connector.sdk.inventory import OWN_COLUMNS, Asset, Capabilities, Named, Person
from connector.sdk.systems import AssetSystem, Values
from connector.sync.systems.asset_file import AssetFile, plain
from connector.sync.systems.asset_rows import assets_of, columns_of, people_of, text_of, the_asset, the_person, written

TAG = "A-{:04}"
BY_SERIAL = "SELECT * FROM assets WHERE plain(serial)=? AND ?<>'' ORDER BY id"
BY_EMAIL = "SELECT * FROM people WHERE plain(email)=? AND ?<>'' ORDER BY id"
BY_NAME = "SELECT * FROM people WHERE plain(name)=? AND ?<>'' ORDER BY id"
WRITE_ASSET = "UPDATE assets SET tag=?, serial=?, category=?, status=?, fields=?, updated=? WHERE id=?"
WRITE_PERSON = "UPDATE people SET name=?, email=?, fields=?, updated=? WHERE id=?"


class FileAssets(AssetSystem):
    """Assets, people, notes, and a history of who had what. Two assets may have one serial number, as in life."""

    can = Capabilities(create_fields=True, makes_tags=True, archive=True)

    def __init__(self, path: Path) -> None:
        self._file = AssetFile(path)

    async def columns(self) -> tuple[Named, ...] | None:
        found = await self._file.run(columns_of)
        return (*map(Named, OWN_COLUMNS), *(Named(label, kind) for label, kind in found.items()))

    async def assets(self) -> list[Asset]:
        return await self._file.run(lambda db: assets_of(db.execute("SELECT * FROM assets ORDER BY id")))

    async def people(self) -> list[Person]:
        return await self._file.run(lambda db: people_of(db.execute("SELECT * FROM people ORDER BY id")))

    async def asset(self, sys_id: str) -> Asset | None:
        found = await self._file.run(lambda db: assets_of(db.execute("SELECT * FROM assets WHERE id=?", (sys_id,))))
        return found[0] if found else None

    async def person(self, sys_id: str) -> Person | None:
        found = await self._file.run(lambda db: people_of(db.execute("SELECT * FROM people WHERE id=?", (sys_id,))))
        return found[0] if found else None

    async def find_assets(self, serial: str, *, anew: bool = False) -> list[Asset]:
        wanted = plain(serial)
        return await self._file.run(lambda db: assets_of(db.execute(BY_SERIAL, (wanted, wanted))))

    async def find_people(self, email: str | None, name: str | None, *, anew: bool = False) -> list[Person]:
        query, wanted = (BY_EMAIL, plain(email)) if plain(email) else (BY_NAME, plain(name))
        return await self._file.run(lambda db: people_of(db.execute(query, (wanted, wanted))))

    async def create_asset(self, values: Values) -> Asset:
        return await self._file.run(lambda db: _create_asset(db, values))

    async def update_asset(self, sys_id: str, changes: Values) -> Asset:
        return await self._file.run(lambda db: _change_asset(db, the_asset(db, sys_id), changes))

    async def create_person(self, values: Values) -> Person:
        return await self._file.run(lambda db: _create_person(db, values))

    async def update_person(self, sys_id: str, changes: Values) -> Person:
        return await self._file.run(lambda db: _change_person(db, the_person(db, sys_id), changes))

    async def check_out(self, sys_id: str, person: str, note: str) -> Asset:
        return await self._file.run(lambda db: _check_out(db, sys_id, person, note))

    async def check_in(self, sys_id: str, note: str) -> Asset:
        return await self._file.run(lambda db: _check_in(db, sys_id, note))

    async def note(self, sys_id: str, text: str) -> None:
        query = "INSERT INTO notes (asset, text, written) VALUES (?, ?, ?)"
        await self._file.run(lambda db: db.execute(query, (the_asset(db, sys_id).sys_id, text, _now())))

    async def archive(self, sys_id: str) -> None:
        await self._file.run(lambda db: _put_away(db, sys_id, 1))

    async def restore(self, sys_id: str) -> None:
        await self._file.run(lambda db: _put_away(db, sys_id, 0))

    async def create_column(self, label: str) -> None:
        """Nothing where there is one of this label."""
        if not label.strip():
            raise InvalidCall("A column needs a label.")
        query = "INSERT INTO columns (label) VALUES (?) ON CONFLICT DO NOTHING"
        await self._file.run(lambda db: label in OWN_COLUMNS or db.execute(query, (label,)))


def _create_asset(db: sqlite3.Connection, values: Values) -> Asset:
    tag = text_of(values.get("tag")) or _next_tag(db)
    made = db.execute("INSERT INTO assets (created, updated) VALUES (?, ?)", (_now(), _now()))
    return _change_asset(db, the_asset(db, str(made.lastrowid)), {**values, "tag": tag})


def _next_tag(db: sqlite3.Connection) -> str:
    """The next number that was never given, nor taken by hand."""
    while True:
        number = db.execute("UPDATE tags SET last = last + 1 RETURNING last").fetchone()[0]
        tag = TAG.format(number)
        if not db.execute("SELECT 1 FROM assets WHERE tag=?", (tag,)).fetchone():
            return tag


def _change_asset(db: sqlite3.Connection, asset: Asset, changes: Values) -> Asset:
    own = {key: text_of(changes.get(key, getattr(asset, key))) for key in OWN_COLUMNS}
    given = {key: value for key, value in changes.items() if key not in OWN_COLUMNS}
    if unknown := sorted(given.keys() - columns_of(db).keys()):
        raise Refused(f"The asset system has no column {', '.join(unknown)}: create it first.")
    db.execute(WRITE_ASSET, (*own.values(), written({**asset.fields, **given}), _now(), asset.sys_id))
    return the_asset(db, asset.sys_id)


def _create_person(db: sqlite3.Connection, values: Values) -> Person:
    made = db.execute("INSERT INTO people (name, created, updated) VALUES ('', ?, ?)", (_now(), _now()))
    return _change_person(db, the_person(db, str(made.lastrowid)), values)


def _change_person(db: sqlite3.Connection, person: Person, changes: Values) -> Person:
    own = {key: text_of(changes.get(key, getattr(person, key))) for key in ("name", "email")}
    if own["name"] is None:
        raise InvalidCall("A person needs a name.")
    given = {key: value for key, value in changes.items() if key not in own}
    db.execute(WRITE_PERSON, (*own.values(), written({**person.fields, **given}), _now(), person.sys_id))
    return the_person(db, person.sys_id)


def _check_out(db: sqlite3.Connection, sys_id: str, person: str, note: str) -> Asset:
    asset, taker = the_asset(db, sys_id), the_person(db, person)
    if asset.assignee.kind != "none":
        raise Refused(f"The asset {asset.label} is with somebody, or at a place: it has to be checked in first.")
    _hand(db, asset, "person", taker.sys_id)
    query = "INSERT INTO checkouts (asset, person, checked_out, note) VALUES (?, ?, ?, ?)"
    db.execute(query, (sys_id, taker.sys_id, _now(), note))
    return the_asset(db, sys_id)


def _check_in(db: sqlite3.Connection, sys_id: str, note: str) -> Asset:
    asset = the_asset(db, sys_id)
    if asset.assignee.kind == "none":
        raise Refused(f"The asset {asset.label} is with nobody: there is nothing to check in.")
    _hand(db, asset, "none", None)
    query = "UPDATE checkouts SET checked_in=?, check_in_note=? WHERE asset=? AND checked_in IS NULL"
    db.execute(query, (_now(), note, sys_id))
    return the_asset(db, sys_id)


def _hand(db: sqlite3.Connection, asset: Asset, kind: str, to: str | None) -> None:
    query = "UPDATE assets SET assignee_kind=?, assignee_id=?, updated=? WHERE id=?"
    db.execute(query, (kind, to, _now(), asset.sys_id))


def _put_away(db: sqlite3.Connection, sys_id: str, archived: int) -> None:
    query = "UPDATE assets SET archived=?, updated=? WHERE id=?"
    db.execute(query, (archived, _now(), the_asset(db, sys_id).sys_id))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
