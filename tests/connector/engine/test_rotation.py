"""Rotation: nothing is lost, whatever happens meanwhile, and what is left is told."""

import asyncio
import inspect
import re
from collections import Counter
from functools import partial
from threading import Event, Thread
from typing import Any, AnyStr

import pytest
import respx
import sqlalchemy as sa
from aiohttp import web

from connector.engine import rotation, tables
from connector.engine.rotation import SEALED, Rotated, Sealed, held, rotate
from connector.engine.seals import Seals
from connector.engine.store import Store
from tests.connector.engine.parts import KEY, OpenStore
from tests.connector.engine.station import Fleet, Station, counts, devices
from tests.receiver import receiving

NEW = bytes(range(32, 64))
OLD_KEYS = Seals({"k1": KEY})
BOTH = Seals({"k2": NEW, "k1": KEY})
NEW_KEYS = Seals({"k2": NEW})
ROWS = 7

PLANTED: dict[str, dict[str, Any]] = {  # what a row has besides its key and its sealed value
    "connections": {"connector": "kandji", "created": "", "changed": ""},
    "flows": {"created": ""},
    "runs": {"card": "", "connection": "", "caller": "", "state": "queued", "started": ""},
    "pages": {"skipped": 0, "truncated": False},
    "failures": {"records": 1, "reason": "", "at": ""},
    "answers": {"call": "", "run": "", "until": 0.0, "gone": 0.0},
    "approvals": {
        **{"run": "", "caller": "", "card": "", "connection": "", "payload": "", "state": "", "created": ""},
        "expires": "",
    },
    "controls": {},
}


@pytest.fixture
def store(database: str, copied_store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in which the old key has sealed seven values a column; they are rotated three at a time."""
    monkeypatch.setattr(rotation, "BATCH", 3)
    return planted(copied_store(database))


def planted(store: Store) -> Store:
    """Secrets that say where they are."""
    store.run_here(lambda db: [db.execute(sa.insert(each.column.table), rows(each)) for each in SEALED])
    return store


def rows(sealed: Sealed) -> list[dict[str, Any]]:
    keys = sealed.column.table.primary_key.columns
    names = [
        {key.name: f"sealed:{number}" if isinstance(key.type, sa.String) else number for key in keys}
        for number in range(ROWS)
    ]
    return [{**PLANTED[sealed.column.table.name], **name, sealed.column.name: secret(sealed, name)} for name in names]


def secret(sealed: Sealed, name: dict[str, Any]) -> str | bytes:
    place = sealed.place.format(**name)
    is_text = isinstance(sealed.column.type, sa.Text)
    return OLD_KEYS.seal(place, place) if is_text else OLD_KEYS.seal_bytes(place.encode(), place)


def opened(store: Store, seals: Seals) -> int:
    """How many values these keys open; fails where one does not open, or holds something else."""
    return sum(len(store.run_here(partial(opened_in, seals=seals, sealed=sealed))) for sealed in SEALED)


def opened_in(db: sa.Connection, seals: Seals, sealed: Sealed) -> list[str]:
    found = db.execute(sa.select(sealed.column.table).where(sealed.rows)).mappings().all()
    places = [sealed.place.format(**row) for row in found]
    values = [row[sealed.column.name] for row in found]
    pairs = zip(values, places, strict=True)
    texts = [seals.open(v, at) if isinstance(v, str) else seals.open_bytes(v, at).decode() for v, at in pairs]
    assert texts == places
    return texts


def test_every_sealed_column_is_rotated() -> None:
    """SEC-2: a column that its comment calls sealed is in the table."""
    source = inspect.getsource(tables)
    commented = {
        f"{table}.{column}"
        for table, body in re.findall(r'^\w+ = sa\.Table\(.*\n    "(\w+)",\n((?:    .*\n)*?)\)', source, re.MULTILINE)
        for column in re.findall(r'sa\.Column\("(\w+)".*# sealed', body)
    }

    assert len(commented) == source.count("# sealed") == 7
    assert {sealed.name for sealed in SEALED} == commented | {"controls.value"}


def test_everything_is_sealed_with_the_first_key(store: Store) -> None:
    """SEC-2: in every column, however many batches it takes; then the old key can be dropped."""
    done = list(rotate(store, BOTH))

    assert done == [Rotated(sealed.name, ROWS, 0, []) for sealed in SEALED]
    assert opened(store, NEW_KEYS) == ROWS * len(SEALED)


def test_rotating_again_changes_nothing(store: Store) -> None:
    """SEC-2: it is idempotent."""
    list(rotate(store, BOTH))

    assert list(rotate(store, BOTH)) == [Rotated(sealed.name, 0, 0, []) for sealed in SEALED]


def test_controls_that_are_no_secret_stay(store: Store) -> None:
    """The kill switch is one of them."""
    store.run_here(lambda db: db.execute(sa.insert(tables.controls).values(name="kill", value="on")))

    list(rotate(store, BOTH))

    wanted = sa.select(tables.controls.c.value).where(tables.controls.c.name == "kill")
    assert store.run_here(lambda db: db.execute(wanted).scalar_one()) == "on"


def test_the_status_says_what_each_key_seals(store: Store) -> None:
    """SEC-2: a key that seals nothing can be dropped; one that is not at hand is counted as well."""
    name = SEALED[0].name
    before = held(store, BOTH)[name], held(store, NEW_KEYS)[name]
    list(rotate(store, BOTH))

    assert before == (Counter(k1=ROWS), Counter({"": ROWS}))
    assert set(map(str, held(store, BOTH).values())) == {str(Counter(k2=ROWS))}


class Killed(BaseException):
    """The process ends here."""


class Mortal(Seals):
    """Seals so many values, and then is killed."""

    left = 0

    def again(self, sealed: AnyStr, place: str) -> AnyStr:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return super().again(sealed, place)


@pytest.mark.parametrize("lived", [0, 1, 3, 10, ROWS * 4 + 1])
def test_a_rotation_that_was_killed_is_gone_on_with(store: Store, lived: int) -> None:
    """SEC-2: batches that ended are kept, the others are as before, and every value opens at any time."""
    mortal = Mortal({"k2": NEW, "k1": KEY})
    mortal.left = lived

    with pytest.raises(Killed):
        list(rotate(store, mortal))
    found = sum(held(store, BOTH).values(), Counter[str]())

    assert 0 <= lived - found["k2"] < 3
    assert opened(store, BOTH) == ROWS * len(SEALED)
    assert sum(rotated.done for rotated in rotate(store, BOTH)) == found["k1"]
    assert opened(store, NEW_KEYS) == ROWS * len(SEALED)


def test_what_cannot_be_opened_is_named_and_kept(store: Store) -> None:
    """SEC-2: a value of another row, and one whose key is gone; the others are done."""
    moved, gone = (
        OLD_KEYS.seal("{}", "flows/other/target"),
        Seals({"k9": NEW}).seal_bytes(b"", "failures/sealed:5/5/body"),
    )
    moving = sa.update(tables.flows).where(tables.flows.c.name == "sealed:2").values(target=moved)
    going = sa.update(tables.failures).where(tables.failures.c.position == 5).values(body=gone)
    store.run_here(lambda db: (db.execute(moving), db.execute(going)))

    found = {rotated.name: rotated for rotated in rotate(store, BOTH)}

    assert found["flows.target"] == Rotated("flows.target", ROWS - 1, 1, ["flows/sealed:2/target"])
    assert found["failures.body"] == Rotated("failures.body", ROWS - 1, 1, ["failures/sealed:5/5/body"])
    assert found["pages.records"] == Rotated("pages.records", ROWS, 0, [])
    wanted = sa.select(tables.failures.c.body).where(tables.failures.c.position == 5)
    assert store.run_here(lambda db: db.execute(wanted).scalar_one()) == gone


class Meddling(Seals):
    """Somebody changes a connection just after it was read."""

    def __init__(self, store: Store) -> None:
        super().__init__({"k2": NEW, "k1": KEY})
        self.store = store
        self.changes = [sa.update(tables.connections).where(tables.connections.c.name == "sealed:0")]

    def again(self, sealed: AnyStr, place: str) -> AnyStr:
        while self.changes:
            changed = self.changes.pop().values(fields=OLD_KEYS.seal(place, place), changed="now")
            self.store.run_here(partial(sa.Connection.execute, statement=changed))
        return super().again(sealed, place)


def test_a_value_that_changed_meanwhile_is_looked_at_again(sqlite_database: str, copied_store: OpenStore) -> None:
    """SEC-2: neither lost nor left with the old key. (PostgreSQL holds the row that was read.)"""
    store = planted(copied_store(sqlite_database))

    found = list(rotate(store, Meddling(store)))

    assert found == [Rotated(sealed.name, ROWS, 0, []) for sealed in SEALED]
    changed = sa.select(tables.connections.c.name).where(tables.connections.c.changed == "now")
    assert store.run_here(lambda db: db.execute(changed).scalars().all()) == ["sealed:0"]
    assert opened(store, NEW_KEYS) == ROWS * len(SEALED)


def test_a_host_that_writes_is_not_in_the_way(store: Store) -> None:
    """No deadlock, though it takes the rows in another order; all of them are done in the end."""
    stop = Event()
    places = [f"connections/sealed:{number}/fields" for number in reversed(range(ROWS))]

    def touch(db: sa.Connection) -> None:
        for place in places:
            named = tables.connections.c.name == place.split("/")[1]
            db.execute(sa.update(tables.connections).where(named).values(fields=OLD_KEYS.seal(place, place)))

    def write() -> None:
        while not stop.is_set():
            store.run_here(touch)

    host = Thread(target=write)
    host.start()
    during = [rotated for _ in range(3) for rotated in rotate(store, BOTH)]
    stop.set()
    host.join()

    assert [rotated for rotated in during if rotated.broken] == []
    assert [rotated.left for rotated in rotate(store, BOTH)] == [0] * len(SEALED)
    assert opened(store, NEW_KEYS) == ROWS * len(SEALED)


async def test_streams_go_on_while_keys_are_rotated(station: Station, kandji: respx.MockRouter) -> None:
    """SEC-2: a host at work that seals with the old key; whatever it seals is found at its place."""
    Fleet(kandji, devices(60))
    host = Station(station.store, Seals({"k1": KEY, "k2": NEW}), station.session)
    found: list[Rotated] = []

    async with receiving(_all_but_some) as receiver:
        await host.flows.create("flow", receiver.url)
        run = await host.accept(receiver.url)
        async for _ in host.steps(run):
            found += await asyncio.to_thread(lambda: list(rotate(station.store, BOTH)))

    assert {rotated.name for rotated in found if rotated.done} == {
        *("connections.fields", "flows.target", "runs.job", "pages.records", "failures.body")
    }
    assert [rotated for rotated in found if rotated.left or rotated.broken] == []
    assert len({record["device_id"] for record in receiver.records}) == 60
    assert counts(host.seen(run))["failed"] == 6
    assert len(await Station(station.store, NEW_KEYS, station.session).flows.all()) == 1


def _all_but_some(body: dict[str, Any]) -> web.Response:
    return web.Response(status=404 if body["Record"]["device_id"].endswith("7") else 204)
