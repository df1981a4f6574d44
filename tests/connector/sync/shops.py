"""The asset systems that one contract is tested against, and what people do in them beside the sync."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cards.assetbots._assets import AssetbotsAssets
from cards.snipeit._assets import SnipeITAssets
from connector.sdk.systems import AssetSystem
from connector.sync.systems.file import FileAssets
from sandbox import snipeit
from sandbox.assetbots import Sandbox, workspace
from sandbox.assetbots.database import Database
from sandbox.snipeit.database import Database as Stock
from sandbox.snipeit.facts import ARCHIVED
from tests.serving import connected


class Shop(Protocol):
    """A system with nobody's memory of it: `field` is a custom column that it has, `category` one of its categories."""

    field: str
    category: str
    needed: frozenset[str]  # columns that cannot be empty
    has_notes: bool

    def kept(self, value: Any) -> Any:
        """What the system makes of a value in `field`."""
        ...

    def email(self, name: str) -> str:
        """An address with this in it, where the system takes any text for one."""
        ...

    def start(self) -> AssetSystem:
        """As it was at the start, by an adapter that has read nothing."""
        ...

    def edit(self, sys_id: str, **own: Any) -> None:
        """Somebody changes an asset's tag, or archives it."""
        ...

    def put(self, sys_id: str) -> None:
        """Somebody puts an asset at a place."""
        ...

    def notes(self, sys_id: str) -> list[str]:
        """What people read beside an asset."""
        ...


@dataclass
class Free:
    """What a system is that takes anything."""

    needed: frozenset[str] = field(default=frozenset(), kw_only=True)
    has_notes: bool = field(default=True, kw_only=True)

    def kept(self, value: Any) -> Any:
        return value

    def email(self, name: str) -> str:
        return f"{name}@example.com"


@dataclass
class Workspace(Free):
    """Assetbots, simulated."""

    app: Sandbox
    adapter: Callable[[], AssetSystem]
    field: str = "brand"
    category: str = "Laptops"

    def start(self) -> AssetSystem:
        self.app.database = Database(self.app.database.settings)
        return self.adapter()

    def edit(self, sys_id: str, **own: Any) -> None:
        self.app.database.assets[sys_id].own |= own

    def put(self, sys_id: str) -> None:
        database = self.app.database
        where: dict[str, Any] = {"person_id": None, "location_id": next(iter(database.locations))}
        database.check_out([database.assets[sys_id]], **where, date="2026-01-15T09:00:00Z", due=None, note=None)

    def notes(self, sys_id: str) -> list[str]:
        return [note.value for note in self.app.database.notes.values() if note.target_id == sys_id]


@dataclass
class Server:
    """Snipe-IT, simulated. Its custom fields are text, and it has no notes but those of checkouts."""

    app: snipeit.Sandbox
    adapter: Callable[[], AssetSystem]
    field: str = "Owner's Department"
    category: str = "Laptops"
    needed: frozenset[str] = frozenset({"tag", "category", "status"})
    has_notes: bool = False

    def kept(self, value: Any) -> Any:
        return str(value).lower()

    def email(self, name: str) -> str:
        return "kim@example.com"

    def start(self) -> AssetSystem:
        self.app.database = Stock(self.app.database.settings)
        return self.adapter()

    def edit(self, sys_id: str, **own: Any) -> None:
        found, columns = self.app.database.assets[int(sys_id)], {"archived": "status_id", "tag": "asset_tag"}
        found.own |= {columns[key]: ARCHIVED if value is True else value for key, value in own.items()}

    def put(self, sys_id: str) -> None:
        self.app.database.check_out(self.app.database.assets[int(sys_id)], ("location", 1), None)

    def notes(self, sys_id: str) -> list[str]:
        return []


@dataclass
class File(Free):
    """The built-in system, edited with an SQLite browser."""

    path: Path
    field: str = "model"
    category: str = "Laptops"

    def start(self) -> AssetSystem:
        self.path.unlink(missing_ok=True)
        return FileAssets(self.path)

    def edit(self, sys_id: str, **own: Any) -> None:
        self.sql(
            "UPDATE assets SET tag=coalesce(?, tag), archived=? WHERE id=?",
            own.get("tag"),
            own.get("archived", 0),
            sys_id,
        )

    def put(self, sys_id: str) -> None:
        self.sql("UPDATE assets SET assignee_kind='location', assignee_id='Warehouse' WHERE id=?", sys_id)

    def notes(self, sys_id: str) -> list[str]:
        return [text for (text,) in self.sql("SELECT text FROM notes WHERE asset=?", sys_id)]

    def sql(self, query: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as db, db:
            return db.execute(query, values).fetchall()


@asynccontextmanager
async def assetbots(folder: Path, form: str, updates: str, sent: str) -> AsyncIterator[Shop]:
    app = workspace(assets=12, people=3, custom_fields=form, updates=updates)
    fields = {"api_key": app.database.key, "custom_fields": form, "updates": sent}
    async with connected(folder, "assetbots", app, **fields) as served:
        yield Workspace(app, partial(AssetbotsAssets, served.cards))


@asynccontextmanager
async def snipe(folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    app = snipeit.server(assets=12, users=3, **settings)
    async with connected(folder, "snipeit", app, token=app.database.token) as served:
        yield Server(app, partial(SnipeITAssets, served.cards))


@asynccontextmanager
async def file(folder: Path) -> AsyncIterator[Shop]:
    yield File(folder / "assets.sqlite")


SHOPS: dict[str, Callable[[Path], AbstractAsyncContextManager[Shop]]] = {
    "assetbots: bare, merge": partial(assetbots, form="bare", updates="merge", sent="changes"),
    "assetbots: wrapped, merge": partial(assetbots, form="wrapped", updates="merge", sent="changes"),
    "assetbots: bare, replace": partial(assetbots, form="bare", updates="replace", sent="whole"),
    "assetbots: wrapped, replace": partial(assetbots, form="wrapped", updates="replace", sent="whole"),
    "snipeit": snipe,
    "snipeit: archived ones in lists, small pages, notes required": partial(
        snipe, show_archived=True, max_results=5, require_notes=True, auto_increment=True
    ),
    "file": file,
}
