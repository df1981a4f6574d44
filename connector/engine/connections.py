"""Connections: named accounts at services. Their fields go in sealed and never come out."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import aiohttp
import sqlalchemy as sa
import structlog

from connector.catalog.find import Catalog, Connector
from connector.engine import tables
from connector.engine.accounts import Account, Before, Living
from connector.engine.addresses import Allowed, read_address
from connector.engine.budget import Budgets, Share
from connector.engine.callers import Grant
from connector.engine.clock import now
from connector.engine.policies import Policy, first_policy
from connector.engine.seals import Broken, Seals
from connector.engine.store import Store
from connector.sdk.card import Card
from connector.sdk.client import Client, Connection
from connector.sdk.errors import (
    AlreadyExists,
    Conflict,
    Fault,
    InvalidCall,
    NoSuchConnection,
    NotConnected,
    Refused,
    UpcardError,
)
from connector.sdk.http import Heard, Service
from connector.sdk.kinds import Json
from connector.sdk.reading import accept, refuse_blank
from connector.sdk.tables import rows

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
TAKEN = "There is a connection of this name already."
MISSING = "There is no connection of this name. GET /v1/connections lists them."
MEANWHILE = "The connection was changed by somebody else meanwhile. Look at it, and change it again."

Rows = dict[str, dict[str, str]]
connections = tables.connections
log = structlog.get_logger()


class Connections:
    """All connections, opened once and kept; `look` sees what this host and others changed."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        seals: Seals,
        session: aiohttp.ClientSession,
        allowed: Allowed,
        budgets: Budgets | None = None,
        heard: Callable[[str], Heard] | None = None,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._seals = seals
        self._session = session
        self._allowed = allowed
        self._budgets = budgets or Budgets(store)
        self._heard = heard
        self._looking = asyncio.Lock()
        self._rows = store.run_here(_rows)
        self._accounts = {name: self._kept(row) for name, row in self._rows.items()}

    async def look(self) -> None:
        """See which connections were made, changed or deleted. One that cannot be opened is left out."""
        async with self._looking:
            rows, before = await self._store.run(_rows), self._rows
            self._rows = rows
            for name in before.keys() | rows.keys():
                if before.get(name) != rows.get(name):
                    self._accounts.pop(name, None)
                    self._accounts |= self._openable(rows.get(name))

    def all(self) -> list[Account]:
        return sorted(self._accounts.values(), key=lambda account: account.name)

    def get(self, name: str) -> Account:
        if found := self._accounts.get(name):
            return found
        raise NoSuchConnection(MISSING)

    async def for_call(self, card: Card, name: str | None, grant: Grant) -> Account:
        """The same as `for_card`, also where it was made on another host just now."""
        try:
            return self.for_card(card, name, grant)
        except (NoSuchConnection, NotConnected):
            await self.look()
            return self.for_card(card, name, grant)

    def for_card(self, card: Card, name: str | None, grant: Grant) -> Account:
        """The named connection, or the only one of the card's connector; none that the key does not reach."""
        fitting = [
            account
            for account in self._accounts.values()
            if account.connector == card.connector and grant.reaches(account.name)
        ]
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

    def client(
        self,
        account: Account,
        held: frozenset[str] = frozenset(),
        share: Share | None = None,
        living: Living | None = None,
    ) -> Client[Any]:
        """The account's client; its requests count as single calls, unless a share is given."""
        return self._client(account, living or Living(account, share, self.get), held)

    def living(self, account: Account, before: Before) -> Living:
        """Its service, for one call. `before`: what to ask before each request that changes something; it may raise."""
        return Living(account, None, self.get, before)

    async def create(self, name: str, connector: str, fields: Json, policy: Json | None = None) -> Account:
        """Check the fields against the service, then keep them. `policy`: where it differs from a new connection's."""
        if faults := name_faults(name):
            raise InvalidCall.of(faults)
        if name in self._accounts:
            raise AlreadyExists(TAKEN)
        at = now()
        connection = self._read(connector, fields)
        wanted = _changed(first_policy(connection), policy or {})
        row = {"name": name, "connector": connector, "created": at, "changed": at, "policy": wanted.kept()}
        return await self._checked(row, connection, sa.insert(connections))

    async def set_policy(self, name: str, policy: Json) -> Account:
        """Change what is given of a policy; on other hosts when they look. The service is not asked."""
        await self.look()
        wanted, before = _changed(self.get(name).policy, policy), self._rows[name]
        as_read = (connections.c.name == name, connections.c.policy == before["policy"])
        change = sa.update(connections).where(*as_read).values(policy=wanted.kept(), changed=now())
        found = await self._store.run(lambda db: db.execute(change))
        await self.look()
        if not found.rowcount:
            raise Conflict(MEANWHILE)
        return self.get(name)

    async def change(self, name: str, fields: Json, policy: Json | None = None) -> Account:
        """Replace some fields, and of the policy what is given.

        A new address needs the secrets anew: else a token could be led elsewhere (SSRF-14). From a simulator to a
        service, the policy is that of a new connection: what may be erased there may not be erased here.
        """
        await self.look()
        account, before = self.get(name), self._rows[name]
        shown = self.shown(account)
        if any(fields.get(key, value) != value for key, value in shown.items()):
            merged = {**shown, **fields}
        else:
            merged = {**account.connection.model_dump(), **fields}
        row = {"name": name, "connector": account.connector, "created": account.created, "changed": now()}
        connection = self._read(account.connector, merged)
        first = first_policy(connection)
        kept = account.policy if first == first_policy(account.connection) else first
        row["policy"] = _changed(kept, policy or {}).kept()
        as_read = (connections.c[key] == before[key] for key in ("name", "fields", "policy"))  # sealed anew each time
        change = sa.update(connections).where(*as_read)
        return await self._checked(row, connection, change)

    async def delete(self, name: str) -> None:
        gone = sa.delete(connections).where(connections.c.name == name)
        found = await self._store.run(lambda db: db.execute(gone))
        await self.look()
        if not found.rowcount:
            raise NoSuchConnection(MISSING)

    def shown(self, account: Account) -> Mapping[str, Any]:
        """The fields that are not secret."""
        secret = {row.key for row in rows(type(account.connection)) if row.mark.secret}
        return {key: value for key, value in account.connection.model_dump().items() if key not in secret}

    async def check(self, account: Account) -> None:
        """Reach the service with the least it takes. Raises what the service's answer means."""
        try:
            await self._client(account, account.service).check()
        except UpcardError as error:
            raise meant(error) from error

    async def permissions(self, account: Account) -> dict[str, bool | None]:
        """For each card whether the service permits it; None where reading cannot tell. Raises what `check` does."""
        try:
            found = await self._client(account, account.service).permissions()
        except UpcardError as error:
            raise meant(error) from error
        return {card.key: found.get(card.name) for card in self._catalog.connector(account.connector).cards}

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
            kept = await self._store.run(lambda db: db.execute(statement.values(row)))
        except sa.exc.IntegrityError as error:
            raise AlreadyExists(TAKEN) from error
        await self.look()
        if not kept.rowcount:
            raise Conflict(MEANWHILE)
        return self.get(row["name"])

    def _openable(self, row: dict[str, str] | None) -> dict[str, Account]:
        try:
            return {row["name"]: self._kept(row)} if row else {}
        except (Broken, UpcardError, ValueError) as error:
            log.error("connection", error=type(error).__name__, exc_info=error)
            return {}

    def _kept(self, row: dict[str, str]) -> Account:
        fields = json.loads(self._seals.open(row["fields"], _place(row["name"])))
        table = self._catalog.connector(row["connector"]).connects_with
        return self._opened(row, table.model_validate(fields))

    def _client(self, account: Account, service: Service, held: frozenset[str] = frozenset()) -> Client[Any]:
        made: Client[Any] = self._catalog.connector(account.connector).client(account.connection, service, held)
        return made

    def _opened(self, row: Mapping[str, str], connection: Connection) -> Account:
        usual = self._catalog.connector(row["connector"]).client.limits
        budget = self._budgets.of(row["name"], connection.limits(usual)) if usual else None
        single = Share(budget, bulk=False, patient=False) if budget else None
        heard = self._heard(row["connector"]) if self._heard else None
        service = Service(connection.origin(), connection.credentials(), self._session, asyncio.sleep, single, heard)
        policy = Policy.of(row["policy"])
        return Account(
            row["name"], row["connector"], connection, service, budget, policy, row["created"], row["changed"]
        )


def _changed(policy: Policy, given: Json) -> Policy:
    refuse_blank(given, "policy")
    return accept(Policy, policy.model_dump() | given, "policy")


def name_faults(name: str) -> list[Fault]:
    """What is wrong with a name that is to be given, to a helper flow as well."""
    right = NAME.fullmatch(name)
    return [] if right else [Fault("name", "Name must be 1 to 64 of a-z, 0-9, hyphen and underscore.")]


def meant(error: UpcardError) -> UpcardError:
    """401 from the service: the connection's token is not good, or not any more."""
    if isinstance(error, Refused) and error.service and error.service.status == 401:
        return NotConnected("The service refused the connection's token.", service=error.service)
    return error


def _rows(db: sa.Connection) -> Rows:
    return {row["name"]: dict(row) for row in db.execute(sa.select(connections)).mappings()}


def _place(name: str) -> str:
    return f"connections/{name}/fields"


def _one_label_each(host: str, pattern: str) -> bool:
    """`*` stands for exactly one label."""
    return fnmatchcase(host, pattern) and host.count(".") == pattern.count(".")
