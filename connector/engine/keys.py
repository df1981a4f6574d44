"""Callers' keys: `kc_<env>_<id>_<secret>`, shown once, kept as a hash; each allows what it was given (AU-2, AU-4)."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

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
MISSING = "There is no key of this ID."
NOTE = 10.0  # seconds between two notes of which keys were used

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
        return cls(frozenset(SCOPES), (ALL, *_by_name()))

    def covers(self, card: Card) -> bool:
        return not _covering(card.key, by_name=card.by_name).isdisjoint(self.cards)

    def covers_all(self, cards: Iterable[str]) -> bool:
        """Whether it covers whatever these cover, which may be `kandji.*` or `*`."""
        named = _by_name()
        return all(not _covering(each, by_name=each in named).isdisjoint(self.cards) for each in cards)

    def reaches(self, connection: str) -> bool:
        return self.connections is None or connection in self.connections

    def reaches_all(self, connections: Iterable[str] | None) -> bool:
        """Whether it reaches each of these; None is all there are and will be."""
        return self.connections is None or (connections is not None and set(connections) <= set(self.connections))


@dataclass(frozen=True)
class Caller:
    """Who calls: the id of their key, what it allows, and until when."""

    id: str
    grant: Grant
    expires: str | None = None

    def need(self, *scopes: str) -> None:
        """Raises Forbidden where the key lacks one of these scopes."""
        if missing := [scope for scope in scopes if scope not in self.grant.scopes]:
            raise Forbidden(f"The key lacks the scope {missing[0]}.")

    def need_card(self, card: Card) -> None:
        """Raises Forbidden where the key is not for this card, whatever the call says."""
        if not self.grant.covers(card):
            by_name = ", which is given by name only" if card.by_name else ""
            raise Forbidden(f"The key is not for this card{by_name}.")

    def need_connection(self, name: str) -> None:
        """Raises Forbidden where the key is not for a connection of this name."""
        if not self.grant.reaches(name):
            raise Forbidden("The key is not for a connection of this name.")

    def need_all_of(self, wanted: Grant, expires: str | None) -> None:
        """Raises Forbidden where the key does not allow all of this itself, and for as long."""
        self.need(*sorted(wanted.scopes))
        if not self.grant.covers_all(wanted.cards):
            raise Forbidden("The key is not for all of these cards.")
        if not self.grant.reaches_all(wanted.connections):
            raise Forbidden("The key is not for all of these connections.")
        if self.expires is not None and (expires is None or expires > self.expires):
            raise Forbidden("The key ends before the one that it would make.")


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
        grant = Grant(
            frozenset(json.loads(row["scopes"])), tuple(json.loads(row["cards"] or f'["{ALL}"]')), connections
        )
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


def _by_name() -> list[str]:
    return [card.key for card in catalog().cards.values() if card.by_name]


def _covering(cards: str, *, by_name: bool) -> set[str]:
    """What a grant has for a card, or for cards such as `kandji.*`: any one of these."""
    return {cards} if by_name else {ALL, f"{cards.partition('.')[0]}.{ALL}", cards}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _written(grant: Grant) -> dict[str, str | None]:
    connections = None if grant.connections is None else json.dumps(grant.connections)
    return {"scopes": json.dumps(sorted(grant.scopes)), "cards": json.dumps(grant.cards), "connections": connections}


def _kept(db: sa.Connection) -> dict[str, Key]:
    return {row["id"]: Key.of(row) for row in db.execute(sa.select(keys)).mappings()}
