"""Connections: named accounts at services. Their fields go in sealed and never come out."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import aiohttp
import sqlalchemy as sa

from connector.catalog.find import Catalog, Connector
from connector.engine import tables
from connector.engine.addresses import Allowed, read_address
from connector.engine.budget import Budget, Budgets, Share
from connector.engine.clock import now
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.card import Card
from connector.sdk.client import Client, Connection
from connector.sdk.errors import (
    AlreadyExists,
    Fault,
    InvalidCall,
    NoSuchConnection,
    NotConnected,
    Refused,
    UpcardError,
)
from connector.sdk.http import Service
from connector.sdk.kinds import Json
from connector.sdk.reading import accept
from connector.sdk.tables import rows

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Account:
    """One connection, opened: its fields, and the service under it."""

    name: str
    connector: str
    connection: Connection
    service: Service
    budget: Budget | None
    created: str
    changed: str

    def bulk(self, *, patient: bool) -> Share | None:
        """What pages of a whole list may use of the budget; None where there is none."""
        return Share(self.budget, bulk=True, patient=patient) if self.budget else None


class Connections:
    """All connections of the host, opened once and kept."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        seals: Seals,
        session: aiohttp.ClientSession,
        allowed: Allowed,
        budgets: Budgets | None = None,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._seals = seals
        self._session = session
        self._allowed = allowed
        self._budgets = budgets or Budgets(store)
        self._accounts: dict[str, Account] = {}
        for row in store.run_here(lambda db: db.execute(sa.select(tables.connections)).mappings().all()):
            self._keep(dict(row))

    def all(self) -> list[Account]:
        return sorted(self._accounts.values(), key=lambda account: account.name)

    def get(self, name: str) -> Account:
        if found := self._accounts.get(name):
            return found
        raise NoSuchConnection("There is no connection of this name. GET /v1/connections lists them.")

    def for_card(self, card: Card, name: str | None) -> Account:
        """The named connection, or the only one of the card's connector."""
        fitting = [account for account in self._accounts.values() if account.connector == card.connector]
        if name is not None:
            fitting = [account for account in fitting if account.name == name]
        if len(fitting) == 1:
            return fitting[0]
        if name is not None:
            raise NoSuchConnection(f"There is no {card.connector} connection of this name.")
        if not fitting:
            raise NotConnected(f"There is no {card.connector} connection yet. POST /v1/connections makes one.")
        why = f"Name one of the {len(fitting)} {card.connector} connections."
        raise InvalidCall.of([Fault("connection", why)])

    def client(self, account: Account, held: frozenset[str] = frozenset(), share: Share | None = None) -> Client[Any]:
        """The account's client; its requests count as single calls, unless a share is given."""
        service = account.service.metered(share) if share else account.service
        made: Client[Any] = self._catalog.connector(account.connector).client(account.connection, service, held)
        return made

    async def create(self, name: str, connector: str, fields: Json) -> Account:
        """Check the fields against the service, then keep them."""
        if not NAME.fullmatch(name):
            raise InvalidCall.of([Fault("name", "Name must be 1 to 64 of a-z, 0-9, hyphen and underscore.")])
        if name in self._accounts:
            raise AlreadyExists("There is a connection of this name already.")
        row = {"name": name, "connector": connector, "created": now(), "changed": now()}
        return await self._checked(row, self._read(connector, fields), sa.insert(tables.connections))

    async def change(self, name: str, fields: Json) -> Account:
        """Replace some fields. A new address needs the secrets anew: else a token could be led elsewhere (SSRF-14)."""
        account = self.get(name)
        shown = self.shown(account)
        if any(fields.get(key, value) != value for key, value in shown.items()):
            merged = {**shown, **fields}
        else:
            merged = {**account.connection.model_dump(), **fields}
        row = {"name": name, "connector": account.connector, "created": account.created, "changed": now()}
        change = sa.update(tables.connections).where(tables.connections.c.name == name)
        return await self._checked(row, self._read(account.connector, merged), change)

    async def delete(self, name: str) -> None:
        self.get(name)
        gone = sa.delete(tables.connections).where(tables.connections.c.name == name)
        await self._store.run(lambda db: db.execute(gone))
        self._accounts.pop(name, None)

    def shown(self, account: Account) -> Mapping[str, Any]:
        """The fields that are not secret."""
        secret = {row.key for row in rows(type(account.connection)) if row.mark.secret}
        return {key: value for key, value in account.connection.model_dump().items() if key not in secret}

    async def check(self, account: Account) -> None:
        """Reach the service with the least it takes. Raises what the service's answer means."""
        try:
            await self.client(account).check()
        except UpcardError as error:
            raise meant(error) from error

    def _read(self, connector: str, fields: Json) -> Connection:
        found = self._catalog.connector(connector)
        connection = accept(found.connects_with, fields, "fields")
        self._refuse_other_hosts(found, connection)
        return connection

    def _refuse_other_hosts(self, connector: Connector, connection: Connection) -> None:
        """Only the service's own hosts over https, or what the operator allows (SSRF-14)."""
        destination = read_address(connection.origin(), self._allowed, "fields/url")
        own = any(_one_label_each(destination.host, pattern) for pattern in connector.connects_with.hosts)
        root = destination.url.count("/") == 2 and "?" not in destination.url
        if not root or not (own or self._allowed.names(destination.host, destination.port)):
            hosts = ", ".join(connector.connects_with.hosts)
            raise InvalidCall.of(
                [Fault("fields/url", f"Enter an address of {connector.title} ({hosts}), without a path.")]
            )

    async def _checked(self, row: dict[str, str], connection: Connection, statement: Any) -> Account:
        fields = json.dumps(connection.model_dump())
        row["fields"] = self._seals.seal(fields, _place(row["name"]))
        account = self._opened(row, connection)
        await self.check(account)
        try:
            await self._store.run(lambda db: db.execute(statement.values(row)))
        except sa.exc.IntegrityError as error:
            raise AlreadyExists("There is a connection of this name already.") from error
        self._accounts[account.name] = account
        return account

    def _keep(self, row: dict[str, str]) -> None:
        fields = json.loads(self._seals.open(row["fields"], _place(row["name"])))
        table = self._catalog.connector(row["connector"]).connects_with
        self._accounts[row["name"]] = self._opened(row, table.model_validate(fields))

    def _opened(self, row: Mapping[str, str], connection: Connection) -> Account:
        limits = self._catalog.connector(row["connector"]).client.limits
        budget = self._budgets.of(row["name"], limits) if limits else None
        single = Share(budget, bulk=False, patient=False) if budget else None
        service = Service(connection.origin(), connection.credentials(), self._session, asyncio.sleep, single)
        return Account(row["name"], row["connector"], connection, service, budget, row["created"], row["changed"])


def meant(error: UpcardError) -> UpcardError:
    """401 from the service: the connection's token is not good, or not any more."""
    if isinstance(error, Refused) and error.service and error.service.status == 401:
        return NotConnected("The service refused the connection's token.", service=error.service)
    return error


def _place(name: str) -> str:
    return f"connections/{name}/fields"


def _one_label_each(host: str, pattern: str) -> bool:
    """`*` stands for exactly one label."""
    return fnmatchcase(host, pattern) and host.count(".") == pattern.count(".")
