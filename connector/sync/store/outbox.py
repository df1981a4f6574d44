"""The outbox: assets of which the MDM is still to hear, and why it has not yet.

An entry names the asset, not the value: what the MDM is told is what the asset says when it is told. So a newer value
takes the place of an older one by itself, and an asset that was announced often is read once.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from connector.engine.clock import now
from connector.engine.store import inserting
from connector.sync.entities import Change
from connector.sync.store.tables import sync_outbox, syncs

PAUSES = (5.0, 30.0, 120.0, 600.0)  # seconds until an asset is tried again; then at the next whole run
MOST = 50  # assets of one push; more are a whole run's work


@dataclass(frozen=True)
class Entry:
    """An asset in the outbox. `due`: seconds since 1970 when it is tried again; None: at the next whole run."""

    asset: str
    created: str
    origin: str
    turn: int
    attempts: int
    due: float | None
    field: str | None
    value: str | None
    why: str | None


def announce(db: sa.Connection, sync: str, assets: Iterable[str], origin: str, why: str | None = None) -> None:
    """Put assets in, to be told at once, or `why` not; those that are in it already are announced anew."""
    for asset in sorted(set(assets)):
        row = {"sync": sync, "asset": asset, "created": now(), "origin": origin, "due": time.time(), "why": why}
        made = inserting(db)(sync_outbox).values(row)
        anew = {"turn": sync_outbox.c.turn + 1, "due": row["due"], "attempts": 0, "origin": origin, "why": why}
        db.execute(made.on_conflict_do_update(index_elements=["sync", "asset"], set_=anew))


def entries(db: sa.Connection, sync: str) -> list[Entry]:
    known = sync_outbox.c
    names = ("asset", "created", "origin", "turn", "attempts", "due", "field", "value", "why")
    wanted = sa.select(*(known[name] for name in names)).where(known.sync == sync)
    return [Entry(*row) for row in db.execute(wanted.order_by(known.created, known.asset))]


def due(db: sa.Connection) -> dict[str, list[str]]:
    """Which assets are to be told of now, by sync, where these are enabled."""
    known = sync_outbox.c
    found: dict[str, list[str]] = {}
    wanted = sa.select(known.sync, known.asset).join(syncs, syncs.c.name == known.sync)
    for sync, asset in db.execute(wanted.where(known.due <= time.time(), syncs.c.enabled).order_by(known.due)):
        found.setdefault(sync, []).append(asset)
    return {sync: assets[:MOST] for sync, assets in found.items()}


def turns(db: sa.Connection, sync: str) -> dict[str, int]:
    """How often each asset was announced, as it stands before they are read."""
    return {entry.asset: entry.turn for entry in entries(db, sync)}


def settle(
    db: sa.Connection,
    sync: str,
    read: Mapping[str, int],
    waiting: Mapping[str, Change],
    failed: Mapping[str, tuple[Change, str]],
    *,
    about: Collection[str] | None,
) -> None:
    """What is left after a run: what waits for a user, and what the MDM did not take, which counts where both are so.

    `read`: the turns before it was read; what was announced since then stays. `about`: the assets that the run was for.
    """
    here = {entry.asset: entry for entry in entries(db, sync)}
    left = waiting.keys() | failed.keys()
    for asset, entry in here.items():
        if (about is None or asset in about) and read.get(asset) == entry.turn and asset not in left:
            db.execute(sa.delete(sync_outbox).where(*_of(sync, asset)))
    for asset in waiting.keys() - failed.keys():
        line = waiting[asset]
        _left(db, sync, asset, here.get(asset), line, line.why, due_at=None)
    for asset, (line, why) in failed.items():
        before = here.get(asset)
        attempts = before.attempts if before else 0
        _left(db, sync, asset, before, line, why, due_at=_again(attempts), attempts=attempts + 1)


def put_off(db: sa.Connection, sync: str, assets: Collection[str], why: str) -> None:
    """A push of these could not even be planned, or was stopped: it is tried again after a pause."""
    for entry in entries(db, sync):
        if entry.asset in assets and entry.due is not None:
            row = {"why": why, "due": _again(entry.attempts), "attempts": entry.attempts + 1}
            db.execute(sa.update(sync_outbox).where(*_of(sync, entry.asset)).values(row))


def _again(attempts: int) -> float | None:
    """When it is tried again after so many attempts."""
    return time.time() + PAUSES[attempts] if attempts < len(PAUSES) else None


def _left(
    db: sa.Connection,
    sync: str,
    asset: str,
    before: Entry | None,
    line: Change,
    why: str,
    *,
    due_at: float | None,
    attempts: int = 0,
) -> None:
    value = line.shown[1] if line.shown else str(line.after)
    row = {"field": line.field, "value": value, "why": why, "due": due_at, "attempts": attempts}
    if before is None:
        db.execute(sa.insert(sync_outbox).values(sync=sync, asset=asset, created=now(), origin="a run", **row))
    else:
        db.execute(sa.update(sync_outbox).where(*_of(sync, asset)).values(row))


def _of(sync: str, asset: str) -> tuple[sa.ColumnElement[bool], ...]:
    return sync_outbox.c.sync == sync, sync_outbox.c.asset == asset
