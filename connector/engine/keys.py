"""Callers' keys: `kc_<env>_<id>_<secret>`, shown once, kept as a hash; each allows what it was given (AU-2, AU-4)."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from threading import Lock

import sqlalchemy as sa

from connector.engine import tables
from connector.engine.callers import ALL, Caller, Grant
from connector.engine.clock import now
from connector.engine.store import Store
from connector.sdk.errors import NoSuchKey, Unauthenticated

ENVIRONMENT = "live"
MISSING = "There is no key of this ID."
NOTE = 10.0  # seconds between two notes of which keys were used

keys = tables.keys


@dataclass(frozen=True)
class Key:
    """A key as it is known: its hash, and whose it is."""

    caller: Caller
    label: str
    hash: str
    created: str
    last_used: str | None
    maker: str
    makers: tuple[str, ...]  # the one that made it, and so on, also where they are gone

    @classmethod
    def of(cls, row: sa.RowMapping) -> "Key":
        connections = None if row["connections"] is None else tuple(json.loads(row["connections"]))
        cards = tuple(json.loads(row["cards"])) if row["cards"] else (ALL,)
        grant = Grant(frozenset(json.loads(row["scopes"])), cards, connections)
        names = ("label", "hash", "created", "last_used", "maker")
        makers = tuple(json.loads(row["makers"]))
        return cls(Caller(row["id"], grant, row["expires"]), **{name: row[name] for name in names}, makers=makers)

    @property
    def is_over(self) -> bool:
        return self.caller.expires is not None and self.caller.expires <= now()


class Keys:
    """Mints keys, revokes and recognises them. Hashes are kept in memory, so that a check costs no query."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.run_here(_kept)
        self._used: set[str] = set()
        self._changing = Lock()

    def __bool__(self) -> bool:
        return bool(self._keys)

    def mint(self, label: str, grant: Grant | None = None, *, expires: str | None = None, maker: str = "") -> str:
        """A new key, for everything if no grant is given; this is the only time it is seen."""
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32).replace("_", "-")
        row = {"id": id_, "label": label, "hash": _hash(secret), "created": now(), "expires": expires, "maker": maker}
        row |= _written(grant or Grant.everything())
        row["makers"] = json.dumps(sorted(self.makers(maker))) if maker else "[]"
        with self._changing:
            self._store.run_here(lambda db: db.execute(sa.insert(keys).values(row)))
            self._keys = self._store.run_here(_kept)
        return f"kc_{ENVIRONMENT}_{id_}_{secret}"

    def revoke(self, id_: str) -> None:
        """Take a key back: here at once, on other hosts when they look. Raises NoSuchKey."""
        with self._changing:
            gone = self._store.run_here(lambda db: db.execute(sa.delete(keys).where(keys.c.id == id_)).rowcount)
            self._keys = {known: key for known, key in self._keys.items() if known != id_}
        if not gone:
            raise NoSuchKey(MISSING)

    def get(self, id_: str) -> Key:
        if found := self._keys.get(id_):
            return found
        raise NoSuchKey(MISSING)

    def all(self) -> list[Key]:
        return sorted(self._keys.values(), key=lambda key: key.created)

    def known(self, id_: str) -> Caller | None:
        """The caller with this key, while it is good."""
        key = self._keys.get(id_)
        return key.caller if key and not key.is_over else None

    def makers(self, id_: str) -> set[str]:
        """A key, the one that made it, and so on."""
        key = self._keys.get(id_)
        return {id_, *(key.makers if key else ())}

    async def look(self) -> None:
        """See which keys were made and revoked on other hosts."""
        before = self._keys
        found = await self._store.run(_kept)
        if self._keys is before:  # else one was made or revoked here meanwhile
            self._keys = found

    async def note(self) -> None:
        """Write down which keys were used since the last time."""
        if used := frozenset(self._used):
            seen = sa.update(keys).where(keys.c.id.in_(used)).values(last_used=now())
            await self._store.run(lambda db: db.execute(seen))
            self._used -= used

    def caller(self, key: str) -> Caller:
        """Whose key this is. Raises Unauthenticated without saying what is wrong with it."""
        known = self._keys.get(id_of(key))
        right = hmac.compare_digest(known.hash if known else "", _hash(key.rpartition("_")[2]))
        if known and right and not known.is_over:
            self._used.add(known.caller.id)
            return known.caller
        raise Unauthenticated("A valid key is needed: Authorization: Bearer KEY, or x-api-client-token: KEY.")


def id_of(key: str) -> str:
    """The public part of a key, right or wrong; empty for what does not look like one."""
    parts = key.split("_")
    return parts[2] if len(parts) == 4 and parts[:2] == ["kc", ENVIRONMENT] else ""


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _written(grant: Grant) -> dict[str, str | None]:
    connections = None if grant.connections is None else json.dumps(grant.connections)
    return {"scopes": json.dumps(sorted(grant.scopes)), "cards": json.dumps(grant.cards), "connections": connections}


def _kept(db: sa.Connection) -> dict[str, Key]:
    return {row["id"]: Key.of(row) for row in db.execute(sa.select(keys)).mappings()}
