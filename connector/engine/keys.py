"""Callers' keys: `kc_<env>_<id>_<secret>`, shown once, kept as a hash (AU-2)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from connector.engine import tables
from connector.engine.clock import now
from connector.engine.store import Store
from connector.sdk.errors import Unauthenticated

ENVIRONMENT = "live"


@dataclass(frozen=True)
class Caller:
    """Who calls: the id of their key."""

    id: str


class Keys:
    """Mints keys, revokes and recognises them. Hashes are kept in memory, so that a check costs no query."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hashes = dict(store.run_here(_hashes))

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def mint(self, label: str) -> str:
        """A new key; this is the only time it is seen."""
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32).replace("_", "-")
        row = {"id": id_, "label": label, "hash": _hash(secret), "created": now()}
        self._store.run_here(lambda db: db.execute(sa.insert(tables.keys).values(row)))
        self._hashes = {**self._hashes, id_: row["hash"]}
        return f"kc_{ENVIRONMENT}_{id_}_{secret}"

    def revoke(self, id_: str) -> None:
        """Take a key back: here at once, on other hosts when they look."""
        self._store.run_here(lambda db: db.execute(sa.delete(tables.keys).where(tables.keys.c.id == id_)))
        self._hashes = {known: hash_ for known, hash_ in self._hashes.items() if known != id_}

    async def look(self) -> None:
        """See which keys were made and revoked on other hosts."""
        before = self._hashes
        found = dict(await self._store.run(_hashes))
        if self._hashes is before:  # else one was made or revoked here meanwhile
            self._hashes = found

    def caller(self, key: str) -> Caller:
        """Whose key this is. Raises Unauthenticated without saying what is wrong with it."""
        parts = key.split("_")
        known = self._hashes.get(parts[2], "") if len(parts) == 4 and parts[:2] == ["kc", ENVIRONMENT] else ""
        if hmac.compare_digest(known, _hash(parts[-1])) and known:
            return Caller(parts[2])
        raise Unauthenticated("A valid key is needed: Authorization: Bearer KEY, or x-api-client-token: KEY.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _hashes(db: sa.Connection) -> list[tuple[str, str]]:
    return [(row.id, row.hash) for row in db.execute(sa.select(tables.keys.c.id, tables.keys.c.hash))]
