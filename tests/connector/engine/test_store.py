"""The store: its migrations on both databases, its transactions, and the files of SQLite."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from connector.engine import store as module
from connector.engine import tables
from connector.engine.store import Store
from connector.sync.store.tables import syncs
from tests.connector.engine.parts import OpenStore

Run = Callable[[Store, Callable[[sa.Connection], Any]], Any]

KEY = {"id": "a1", "label": "a test", "hash": "0" * 64, "created": "2026-02-03T09:15:00.000Z"}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask under which a careless file is open to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_migrations_make_the_tables(database: str, open_store: OpenStore) -> None:
    """What the migrations leave is what the tables say, to the column, on both databases."""
    store = open_store(database)

    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), syncs.metadata) == []


def test_migrating_again_changes_nothing(database: str, open_store: OpenStore) -> None:
    """Every start migrates; what is there stays."""
    store = open_store(database)
    store.run_here(lambda db: db.execute(sa.insert(tables.keys).values(KEY)))

    store.migrate()

    assert KEY.items() <= dict(store.run_here(lambda db: db.execute(sa.select(tables.keys)).mappings().one())).items()


def test_a_second_host_finds_what_the_first_one_kept(database: str, open_store: OpenStore) -> None:
    """The store outlives its process."""
    open_store(database).run_here(lambda db: db.execute(sa.insert(tables.keys).values(KEY)))

    again = open_store(database)

    assert again.run_here(lambda db: db.execute(sa.select(tables.keys.c.label)).scalar_one()) == "a test"


async def test_work_is_one_transaction(database: str, open_store: OpenStore) -> None:
    """What fails leaves nothing behind."""
    store = open_store(database)

    def work(db: sa.Connection) -> None:
        db.execute(sa.insert(tables.keys).values(KEY))
        raise LookupError

    with pytest.raises(LookupError):
        await store.run(work)

    assert store.run_here(lambda db: db.execute(sa.select(tables.keys)).all()) == []


async def test_work_is_done_in_a_thread(sqlite_database: str, open_store: OpenStore) -> None:
    """UP-8: the event loop never waits for a disk."""
    worked = await open_store(sqlite_database).run(lambda _: threading.get_ident())

    assert worked != threading.get_ident()


def test_a_name_is_taken_once(database: str, open_store: OpenStore) -> None:
    """The database holds what the host promises."""
    store = open_store(database)
    store.run_here(lambda db: db.execute(sa.insert(tables.keys).values(KEY)))

    with pytest.raises(sa.exc.IntegrityError):
        store.run_here(lambda db: db.execute(sa.insert(tables.keys).values(KEY)))


def test_the_files_are_their_owner_s(sqlite_database: str, open_store: OpenStore, open_umask: None) -> None:
    """SEC-8: the database with its journal 0600, its folder 0700, under any umask."""
    store = open_store(sqlite_database)
    store.run_here(lambda db: db.execute(sa.insert(tables.keys).values(KEY)))
    file = Path(str(store.engine.url.database))

    assert {path.name: mode(path) for path in file.parent.iterdir()} == {
        "upcard.db": 0o600,
        "upcard.db-wal": 0o600,
        "upcard.db-shm": 0o600,
    }
    assert mode(file.parent) == 0o700


def test_a_file_that_was_open_becomes_private(sqlite_database: str, open_store: OpenStore) -> None:
    """SEC-8: a database that was copied into place, for example."""
    file = Path(sqlite_database.removeprefix("sqlite:///"))
    file.parent.mkdir()
    file.touch(mode=0o644)

    open_store(sqlite_database)

    assert mode(file) == 0o600


def test_no_exception_repeats_what_was_written(database: str, open_store: OpenStore) -> None:
    """SEC-5: SQLAlchemy would show the parameters of a statement that failed; logs and callers may show its text."""
    store = open_store(database)

    with pytest.raises(sa.exc.IntegrityError) as raised:
        store.run_here(lambda db: db.execute(sa.insert(tables.keys).values([{**KEY, "label": "s3cret"}] * 2)))

    assert "INSERT INTO keys" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_sqlite_is_opened_for_many_readers(sqlite_database: str, open_store: OpenStore) -> None:
    """Write-ahead log, foreign keys, and patience instead of "database is locked"."""
    asked = ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")

    def pragmas(db: sa.Connection) -> list[object]:
        return [db.execute(sa.text(f"PRAGMA {name}")).scalar() for name in asked]

    assert open_store(sqlite_database).run_here(pragmas) == ["wal", 1, 30000, 1]


@pytest.mark.parametrize("url", ["postgresql://a:b@localhost/x", "postgresql+psycopg2://a:b@localhost/x"])
def test_postgresql_is_reached_by_the_driver_there_is(url: str) -> None:
    """Whatever the URL names."""
    store = Store(url)

    assert store.engine.url.drivername == "postgresql+psycopg"
    store.close()


def test_migrations_are_named_after_their_revisions() -> None:
    """A start looks at file names only: importing Alembic takes a quarter of a second."""
    versions = sorted((module.MIGRATIONS / "versions").glob("[0-9]*.py"))

    assert versions
    assert [f'revision = "{path.name[:4]}"' in path.read_text() for path in versions] == [True] * len(versions)


@pytest.mark.slow
@pytest.mark.parametrize("run", [Store.run_here, Store.run_alone_here])
def test_a_host_that_is_frozen_does_not_hold_up_the_others(
    run: Run, postgresql_database: str, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends the transaction of one that does nothing; what it did is undone, and it learns of that."""
    monkeypatch.setattr(module, "IDLE", 0.5)
    frozen, other = open_store(postgresql_database), open_store(postgresql_database)
    began, thaws = threading.Event(), threading.Event()

    def freezes(db: sa.Connection) -> None:
        db.execute(sa.insert(tables.keys).values(KEY))
        began.set()
        thaws.wait()
        db.execute(sa.select(tables.keys))

    failed: list[Exception] = []
    thread = threading.Thread(target=lambda: failed.append(_error(run, frozen, freezes)))
    thread.start()
    began.wait()
    found = run(other, _taking_its_place)
    thaws.set()
    thread.join()

    assert found == 1
    assert isinstance(failed[0], module.AWAY)


def _taking_its_place(db: sa.Connection) -> Any:
    """Waits for the transaction that wrote the same key, and fails if that is kept; how many keys there are then."""
    db.execute(sa.insert(tables.keys).values(KEY))
    return db.execute(sa.select(sa.func.count()).select_from(tables.keys)).scalar()


def _error(run: Run, store: Store, work: Callable[[sa.Connection], None]) -> Exception:
    with pytest.raises(sa.exc.SQLAlchemyError) as raised:
        run(store, work)
    return raised.value
