"""Find the cards: every module in `cards/<connector>/` without a leading underscore is one."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import cards
from connector.sdk.card import BadCard, Card
from connector.sdk.client import Client, Connection
from connector.sdk.errors import NoSuchCard, NoSuchConnector


@dataclass(frozen=True)
class Connector:
    """One service: its cards and the client they share."""

    key: str
    title: str
    description: str
    client: type[Client[Any]]
    cards: tuple[Card, ...]

    @property
    def connects_with(self) -> type[Connection]:
        return self.client.connects_with


@dataclass(frozen=True)
class Catalog:
    """All connectors and cards, by key, in alphabetical order."""

    connectors: Mapping[str, Connector]
    cards: Mapping[str, Card]

    def card(self, key: str) -> Card:
        if found := self.cards.get(key):
            return found
        raise NoSuchCard("There is no card of this name. GET /v1/cards lists them.")

    def connector(self, key: str) -> Connector:
        if found := self.connectors.get(key):
            return found
        raise NoSuchConnector("There is no connector of this name. GET /v1/connectors lists them.")


@cache
def catalog() -> Catalog:
    """The catalogue of this installation, read once."""
    packages = [module.name for module in pkgutil.iter_modules(cards.__path__) if module.ispkg]
    connectors = {key: _connector(key) for key in sorted(packages)}
    found = {card.key: card for connector in connectors.values() for card in connector.cards}
    return Catalog(MappingProxyType(connectors), MappingProxyType(found))


def _connector(key: str) -> Connector:
    package = importlib.import_module(f"cards.{key}")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))
    found = tuple(_card(key, name) for name in names)
    clients = {card.client for card in found}
    if len(clients) != 1:
        raise BadCard(f"cards/{key}: its cards must share one client, not {len(clients)}.")
    client = clients.pop()
    return Connector(key, client.title, " ".join((package.__doc__ or "").split()), client, found)


def _card(connector: str, name: str) -> Card:
    found = getattr(importlib.import_module(f"cards.{connector}.{name}"), name, None)
    if isinstance(found, Card):
        return found
    raise BadCard(f"cards/{connector}/{name}.py: a card file holds a card function of the same name, `{name}`.")
