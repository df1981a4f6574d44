"""The audit: who ran what on which device, allowed or refused. Append-only, chained by hash, without secrets (DA-8).

Each entry has the hash of the one before, so that an edit, a removal, an insertion or a reordering breaks the chain.
The head, its last hash, is kept sealed beside it, and logged: without the key nobody can cut the end off, or make the
chain anew.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import sqlalchemy as sa
import structlog

from connector.engine import controls
from connector.engine.clock import now
from connector.engine.seals import Broken, Seals
from connector.engine.store import Store
from connector.engine.tables import audit
from connector.sdk.kinds import Json
from connector.sdk.trace import REQUEST

HEAD = "audit"
LOGGED = 3600.0  # seconds between lines of the log that name the head
AT_ONCE = 1000  # entries read at once
SHOWN = ("caller", "card", "connection")  # columns of their own

INSERT = sa.insert(audit)

log = structlog.get_logger()


@dataclass(frozen=True)
class Head:
    """The last entry there is: how many there are, and its hash."""

    seq: int = 0
    hash: str = "0" * 64


class Audit:
    """Appends entries, in transactions that are alone, and reads them."""

    def __init__(self, store: Store, seals: Seals) -> None:
        self._store = store
        self._seals = seals

    async def note(self, event: str, caller: str, **facts: str | int | None) -> None:
        """An entry by itself, such as `key_created`."""
        await self._store.run_alone(lambda db: self.append(db, event, caller, **facts))

    def append(self, db: sa.Connection, event: str, caller: str, **facts: str | int | None) -> None:
        """An entry in a transaction that is alone: what it is about happens if it is written, and not otherwise."""
        head = self._head(db)
        entry = {"seq": head.seq + 1, "at": now(), "event": event, "caller": caller, "request": REQUEST.get()}
        entry |= {name: fact for name, fact in facts.items() if fact is not None}
        text = orjson.dumps(entry | {"previous": head.hash}, option=orjson.OPT_SORT_KEYS).decode()
        last = Head(head.seq + 1, _hash(text))
        columns = {name: entry.get(name) for name in SHOWN}
        db.execute(INSERT, {"seq": last.seq, "entry": text, "hash": last.hash, **columns})
        controls.write_sealed(db, HEAD, f"{last.seq} {last.hash}", self._seals)

    async def entries(
        self, *, caller: str | None, card: str | None, connection: str | None, cursor: int | None, limit: int
    ) -> tuple[list[Json], str | None]:
        """Entries, newest first, each with its hash, and the cursor of the next page."""
        wanted = sa.select(audit.c.seq, audit.c.entry, audit.c.hash).order_by(audit.c.seq.desc()).limit(limit + 1)
        for column, value in ((audit.c.caller, caller), (audit.c.card, card), (audit.c.connection, connection)):
            wanted = wanted.where(column == value) if value else wanted
        wanted = wanted if cursor is None else wanted.where(audit.c.seq < cursor)
        rows = await self._store.run(lambda db: db.execute(wanted).all())
        found = [{**json.loads(row.entry), "hash": row.hash} for row in rows[:limit]]
        return found, str(rows[limit - 1].seq) if len(rows) > limit else None

    async def log_head(self) -> None:
        """Name the head in the log, which an attacker on the database cannot change afterwards."""
        head = await self._store.run(self._head)
        log.info("audit_head", seq=head.seq, hash=head.hash)

    def head(self) -> Head:
        return self._store.run_here(self._head)

    def verify(self, known: Head | None = None) -> list[str]:
        """What is wrong with the chain, one sentence each; nothing if it is whole. `known`: a head from the log."""
        return self._store.read_here(lambda db: list(self._faults(db, known)))

    def _faults(self, db: sa.Connection, known: Head | None) -> Iterator[str]:
        last, hashes = Head(), {0: Head().hash}
        for row in _rows(db):
            yield from _faults(row, last)
            last = Head(row.seq, row.hash)
            if known and row.seq == known.seq:
                hashes[row.seq] = row.hash
        try:
            head = self._head(db)
        except Broken:
            yield "The sealed head cannot be opened: it was changed, or its key is missing."
            return
        if head != last:
            yield f"The chain ends with entry {last.seq}, and its sealed head is entry {head.seq} of another hash."
        if known and hashes.get(known.seq) != known.hash:
            yield f"Entry {known.seq} is not the one with the hash that was given."

    def _head(self, db: sa.Connection) -> Head:
        kept = controls.read_sealed(db, HEAD, self._seals)
        seq, _, hash_ = (kept or "").partition(" ")
        return Head(int(seq), hash_) if kept else Head()


def _faults(row: sa.Row[tuple[int, str, str, str, str, str]], last: Head) -> Iterator[str]:
    """What is wrong with one entry after the last one."""
    entry = json.loads(row.entry)
    if row.seq != last.seq + 1:
        yield f"Entry {last.seq + 1} is missing."
    elif entry.get("previous") != last.hash:
        yield f"Entry {row.seq} does not follow the one before it."
    if _hash(row.entry) != row.hash or entry.get("seq") != row.seq:
        yield f"Entry {row.seq} was changed."
    if any(entry.get(name) != getattr(row, name) for name in SHOWN):
        yield f"Entry {row.seq} is not what its columns say."


def _rows(db: sa.Connection) -> Iterator[sa.Row[tuple[int, str, str, str, str, str]]]:
    return iter(db.execution_options(yield_per=AT_ONCE).execute(sa.select(audit).order_by(audit.c.seq)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
