"""The store: one database for everything the host keeps; SQLite in a file, or PostgreSQL. No rules live here."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)  # the store cannot be reached
MIGRATIONS = Path(__file__).parent / "migrations"
ALONE = {  # what makes other hosts wait until the transaction ends
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(8700)",
}
IDLE = 10.0  # seconds that a host may do nothing in a transaction: others may wait for it
AT_ONE_MOMENT = {  # what makes all reads of a transaction see the same
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
}

INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

T = TypeVar("T")


class Store:
    """Runs a piece of work in a transaction, in a thread, so that the event loop never waits for a disk."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._synced = _engine(url, synced=True)
        self._turn = Lock()  # of this process's own work that is alone: SQLite would have it sleep and look again

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.to_thread(self.run_here, work)

    def run_here(self, work: Callable[[sa.Connection], T]) -> T:
        """The same in the calling thread, for a start-up or a command."""
        with _transaction(self.engine) as connection:
            return work(connection)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Reads that have to fit together, while others write."""
        return await asyncio.to_thread(self.read_here, work)

    def read_here(self, work: Callable[[sa.Connection], T]) -> T:
        with _transaction(self.engine) as connection:
            connection.execute(sa.text(AT_ONE_MOMENT[connection.dialect.name]))
            return work(connection)

    async def run_alone(self, work: Callable[[sa.Connection], T]) -> T:
        """The same while no other host does; what it wrote is on the disk when it returns (DA-8)."""
        return await asyncio.to_thread(self.run_alone_here, work)

    def run_alone_here(self, work: Callable[[sa.Connection], T]) -> T:
        with self._turn, _transaction(self._synced) as connection:
            connection.execute(sa.text(ALONE[connection.dialect.name]))
            return work(connection)

    def migrate(self) -> None:
        """Bring the database to the newest form; hosts that start at once do so one after the other."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(ALONE[connection.dialect.name]))
            if _revision(connection) != _newest():
                _upgrade(connection)

    def close(self) -> None:
        self.engine.dispose()
        self._synced.dispose()


@contextmanager
def _transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One that was ended because its host was frozen is no fault of ours: the store was away."""
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.InternalError as error:
        if error.connection_invalidated:
            raise sa.exc.TimeoutError("The transaction was ended: nothing was done in it for too long.") from error
        raise


def inserting(db: sa.Connection) -> Any:
    """The `insert` of this database, which knows `on_conflict_do_update`."""
    return INSERTS[db.dialect.name]


def _revision(connection: sa.Connection) -> str | None:
    """The form that the database has; None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _newest() -> str:
    """The revision of the last migration; their files are named after their revisions."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # takes a quarter of a second to import, and is seldom needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _engine(url: str, *, synced: bool = False) -> sa.Engine:
    """Its exceptions do not repeat what was written: that may be a secret."""
    made = sa.make_url(url)
    if made.get_backend_name() != "sqlite":
        made = made.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(made, pool_size=10, pool_pre_ping=True, hide_parameters=True)
        sa.event.listen(engine, "connect", _patience)
        return engine
    if made.database:
        _private_file(Path(made.database))
    engine = sa.create_engine(made, pool_size=10, hide_parameters=True)
    sa.event.listen(engine, "connect", partial(_pragmas, synchronous="FULL" if synced else "NORMAL"))
    return engine


def _private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)  # it may have been there; SQLite makes the files beside it alike


def _patience(connection: Any, _record: Any) -> None:
    """A transaction that makes others wait ends when its host does nothing with it for so long: it is frozen."""
    connection.execute(f"SET idle_in_transaction_session_timeout = {int(IDLE * 1000)}")
    connection.commit()


def _pragmas(connection: Any, _record: Any, *, synchronous: str) -> None:
    """NORMAL outlives the process, FULL the machine as well."""
    for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", f"synchronous={synchronous}"):
        connection.execute(f"PRAGMA {pragma}")
