"""The file of the built-in asset system: tables that people read with any SQLite browser. It knows no rules."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from connector.sdk.errors import Unavailable

FORM = 1  # of the tables
BUSY = 30.0  # seconds that one process waits for another
TABLES = """
CREATE TABLE people (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT,
  fields TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(fields)), archived INTEGER NOT NULL DEFAULT 0,
  created TEXT NOT NULL, updated TEXT NOT NULL
);
CREATE TABLE assets (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tag TEXT, serial TEXT, category TEXT, status TEXT,
  assignee_kind TEXT NOT NULL DEFAULT 'none' CHECK (assignee_kind IN ('person', 'location', 'asset', 'none')),
  assignee_id TEXT, fields TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(fields)),
  archived INTEGER NOT NULL DEFAULT 0, created TEXT NOT NULL, updated TEXT NOT NULL
);
CREATE TABLE columns (
  label TEXT PRIMARY KEY, kind TEXT NOT NULL DEFAULT 'text' CHECK (kind IN ('text', 'number', 'boolean', 'date'))
);
CREATE TABLE checkouts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, asset INTEGER NOT NULL REFERENCES assets, person INTEGER REFERENCES people,
  checked_out TEXT NOT NULL, note TEXT, checked_in TEXT, check_in_note TEXT
);
CREATE TABLE notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, asset INTEGER NOT NULL REFERENCES assets, text TEXT NOT NULL,
  written TEXT NOT NULL
);
CREATE TABLE tags (last INTEGER NOT NULL);
INSERT INTO tags VALUES (0);
INSERT INTO columns (label) VALUES ('name'), ('model');
"""

T = TypeVar("T")


class AssetFile:
    """Opens the file for one transaction at a time, in a thread; several processes may."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What the work gives, once it is on the disk; nothing is, where it raises."""
        return await asyncio.to_thread(self.run_here, work)

    def run_here(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with closing(self._opened()) as db, db:
                db.execute("BEGIN IMMEDIATE")
                _complete(db)
                return work(db)
        except sqlite3.Error as error:
            raise Unavailable(f"The file of the asset system cannot be used: {error}.") from error
        except OSError as error:
            raise Unavailable(f"The file of the asset system cannot be opened: {error.strerror}.") from error

    def _opened(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        db = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.create_function("plain", 1, plain, deterministic=True)
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA journal_mode=WAL")
        return db


def plain(text: str | None) -> str:
    """As it is compared: case and blanks do not count."""
    return " ".join((text or "").split()).casefold()


def _complete(db: sqlite3.Connection) -> None:
    """Make the tables, where the file is new."""
    form = db.execute("PRAGMA user_version").fetchone()[0]
    if form > FORM:
        raise sqlite3.DatabaseError("it was made by a newer version")
    if form < FORM:
        for statement in TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={FORM}")
