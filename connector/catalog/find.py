"""Find the cards: every module in `cards/<connector>/` without a leading underscore is one."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

import cards
from connector.sdk.card import BadCard, Card
from connector.sdk.client import Client, Connection
from connector.sdk.errors import NoSuchCard, NoSuchConnector
from connector.sdk.systems import AssetSystem, Mdm

T = TypeVar("T")


@dataclass(frozen=True)
class Connector:
    """One service: its cards and the client they share; what it is to the sync, in `_mdm.py` or `_assets.py`."""

    key: str
    title: str
    description: str
    client: type[Client[Any]]
    cards: tuple[Card, ...]
    mdm: type[Mdm] | None = None
    assets: type[AssetSystem] | None = None

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
    says = " ".join((package.__doc__ or "").split())
    sides = _adapter(key, "_mdm", Mdm), _adapter(key, "_assets", AssetSystem)  # type: ignore[type-abstract]
    return Connector(key, client.title, says, client, found, *sides)


def _adapter(connector: str, name: str, kind: type[T]) -> type[T] | None:
    """What a connector is to the sync, where it has such a module."""
    if importlib.util.find_spec(f"cards.{connector}.{name}") is None:
        return None
    there = vars(importlib.import_module(f"cards.{connector}.{name}")).values()
    return next(each for each in there if isinstance(each, type) and issubclass(each, kind) and each is not kind)


def _card(connector: str, name: str) -> Card:
    found = getattr(importlib.import_module(f"cards.{connector}.{name}"), name, None)
    if isinstance(found, Card):
        return found
    raise BadCard(f"cards/{connector}/{name}.py: a card file holds a card function of the same name, `{name}`.")
