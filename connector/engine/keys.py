"""Callers' keys: `kc_<env>_<id>_<secret>`, shown once, kept as a hash; each allows what it was given (AU-2, AU-4)."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from connector.catalog.find import catalog
from connector.engine import tables
from connector.engine.clock import now
from connector.engine.store import Store
from connector.sdk.card import Card
from connector.sdk.errors import Forbidden, NoSuchKey, Unauthenticated

ENVIRONMENT = "live"
SCOPES = ("cards:read", "cards:write", "cards:destroy", "cards:secret", "runs", "admin")
ALL = "*"

keys = tables.keys


@dataclass(frozen=True)
class Grant:
    """What a key allows.

    cards: their keys, `kandji.*` or `*`, which do not cover cards that are given by name.
    connections: their names; None for all.
    """

    scopes: frozenset[str]
    cards: tuple[str, ...] = (ALL,)
    connections: tuple[str, ...] | None = None

    @classmethod
    def everything(cls) -> "Grant":
        """All scopes, and all cards, those given by name as well."""
        by_name = [card.key for card in catalog().cards.values() if card.by_name]
        return cls(frozenset(SCOPES), (ALL, *by_name))

    def covers(self, card: Card) -> bool:
        named = {card.key} if card.by_name else {ALL, f"{card.connector}.{ALL}", card.key}
        return not named.isdisjoint(self.cards)

    def reaches(self, connection: str) -> bool:
        return self.connections is None or connection in self.connections


@dataclass(frozen=True)
class Caller:
    """Who calls: the id of their key, and what it allows."""

    id: str
    grant: Grant

    def need(self, *scopes: str) -> None:
        """Raises Forbidden where the key lacks one of these scopes."""
        if missing := [scope for scope in scopes if scope not in self.grant.scopes]:
            raise Forbidden(f"The key lacks the scope {missing[0]}.")

    def need_card(self, card: Card) -> None:
        """Raises Forbidden where the key is not for this card, whatever the call says."""
        if not self.grant.covers(card):
            by_name = ", which is given by name only" if card.by_name else ""
            raise Forbidden(f"The key is not for this card{by_name}.")


@dataclass(frozen=True)
class Key:
    """A key as it is known: its hash, whose it is, and when it ends."""

    caller: Caller
    label: str
    hash: str
    created: str
    expires: str | None
    last_used: str | None
    maker: str

    @classmethod
    def of(cls, row: sa.RowMapping) -> "Key":
        connections = None if row["connections"] is None else tuple(json.loads(row["connections"]))
        grant = Grant(
            frozenset(json.loads(row["scopes"])), tuple(json.loads(row["cards"] or f'["{ALL}"]')), connections
        )
        names = ("label", "hash", "created", "expires", "last_used", "maker")
        return cls(Caller(row["id"], grant), **{name: row[name] for name in names})

    @property
    def is_over(self) -> bool:
        return self.expires is not None and self.expires <= now()


class Keys:
    """Mints keys, revokes and recognises them. Hashes are kept in memory, so that a check costs no query."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.run_here(_kept)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def mint(self, label: str, grant: Grant | None = None, *, expires: str | None = None, maker: str = "") -> str:
        """A new key, for everything if no grant is given; this is the only time it is seen."""
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32).replace("_", "-")
        row = {"id": id_, "label": label, "hash": _hash(secret), "created": now(), "expires": expires, "maker": maker}
        row |= _written(grant or Grant.everything())
        self._store.run_here(lambda db: db.execute(sa.insert(keys).values(row)))
        self._keys = self._store.run_here(_kept)
        return f"kc_{ENVIRONMENT}_{id_}_{secret}"

    def revoke(self, id_: str) -> None:
        """Take a key back: here at once, on other hosts when they look. Raises NoSuchKey."""
        gone = self._store.run_here(lambda db: db.execute(sa.delete(keys).where(keys.c.id == id_)).rowcount)
        self._keys = {known: key for known, key in self._keys.items() if known != id_}
        if not gone:
            raise NoSuchKey("There is no key of this id.")

    def all(self) -> list[Key]:
        return sorted(self._keys.values(), key=lambda key: key.created)

    def known(self, id_: str) -> Caller | None:
        """The caller with this key, while it is good."""
        key = self._keys.get(id_)
        return key.caller if key and not key.is_over else None

    def makers(self, id_: str) -> set[str]:
        """A key, the one that made it, and so on."""
        found: set[str] = set()
        while id_ and id_ not in found:
            found.add(id_)
            id_ = self._keys[id_].maker if id_ in self._keys else ""
        return found

    async def look(self) -> None:
        """See which keys were made and revoked on other hosts."""
        before = self._keys
        found = await self._store.run(_kept)
        if self._keys is before:  # else one was made or revoked here meanwhile
            self._keys = found

    def caller(self, key: str) -> Caller:
        """Whose key this is. Raises Unauthenticated without saying what is wrong with it."""
        parts = key.split("_")
        known = self._keys.get(parts[2]) if len(parts) == 4 and parts[:2] == ["kc", ENVIRONMENT] else None
        right = hmac.compare_digest(known.hash if known else "", _hash(parts[-1]))
        if known and right and not known.is_over:
            return known.caller
        raise Unauthenticated("A valid key is needed: Authorization: Bearer KEY, or x-api-client-token: KEY.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _written(grant: Grant) -> dict[str, str | None]:
    connections = None if grant.connections is None else json.dumps(grant.connections)
    return {"scopes": json.dumps(sorted(grant.scopes)), "cards": json.dumps(grant.cards), "connections": connections}


def _kept(db: sa.Connection) -> dict[str, Key]:
    return {row["id"]: Key.of(row) for row in db.execute(sa.select(keys)).mappings()}
