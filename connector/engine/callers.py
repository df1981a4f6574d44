"""Callers: what their keys allow, card by card and connection by connection (AU-4)."""

from collections.abc import Iterable
from dataclasses import dataclass

from connector.catalog.find import catalog
from connector.sdk.card import Card
from connector.sdk.errors import Forbidden

SCOPES = ("cards:read", "cards:write", "cards:destroy", "cards:secret", "runs", "admin")
ALL = "*"


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


def _by_name() -> list[str]:
    return [card.key for card in catalog().cards.values() if card.by_name]


def _covering(cards: str, *, by_name: bool) -> set[str]:
    """What a grant has for a card, or for cards such as `kandji.*`: any one of these."""
    return {cards} if by_name else {ALL, f"{cards.partition('.')[0]}.{ALL}", cards}
