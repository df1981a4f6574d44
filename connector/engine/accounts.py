"""A connection as it is used: long work sees that it was changed, and stops where it was deleted."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from connector.engine.budget import Budget, Share
from connector.engine.policies import Policy
from connector.sdk.client import Connection
from connector.sdk.errors import Conflict
from connector.sdk.http import READS, Reply, Service


class Changed(Exception):
    """The connection was changed while a request waited for its turn."""


@dataclass(frozen=True)
class Account:
    """One connection, opened: its fields, and the service under it."""

    name: str
    connector: str
    connection: Connection
    service: Service
    budget: Budget | None
    policy: Policy
    created: str
    changed: str

    def bulk(self, *, patient: bool) -> Share | None:
        """What pages of a whole list may use of the budget; None where there is none."""
        return Share(self.budget, bulk=True, patient=patient) if self.budget else None


Known = Callable[[str], Account]
Before = Callable[[], Awaitable[None]]


class Living(Service):
    """The service of an account as it is at each request; another address would be another account (SSRF-14)."""

    def __init__(self, account: Account, share: Share | None, known: Known, before: Before | None = None) -> None:
        self._account = account
        self._share = share
        self._known = known
        self._before = before
        self.may_have_changed = False  # whether a request that changes something may have been sent
        self.changed: int | None = None  # status of the last answer to one

    async def ask(self, method: str, path: str, **said: Any) -> Reply:
        if method in READS:
            return await self._asked(method, path, **said)
        account = self._now()
        single = Share(account.budget, bulk=False, patient=False) if account.budget else None
        reply = await account.service.metered(_Last(single, self._sends)).ask(method, path, **said)
        self.changed = reply.status
        return reply

    async def _sends(self) -> None:
        if self._before:
            await self._before()
        self.may_have_changed = True

    async def _asked(self, method: str, path: str, **said: Any) -> Reply:
        while True:
            account = self._now()
            service = (
                account.service.metered(_Turn(account, self._share, self._known)) if self._share else account.service
            )
            with suppress(Changed):
                return await service.ask(method, path, **said)

    def _now(self) -> Account:
        account = self._known(self._account.name)
        if account is not self._account and account.connection.origin() != self._account.connection.origin():
            raise Conflict("The connection leads to another address since this began.")
        return account


@dataclass(frozen=True)
class _Last:
    """A share of the budget, and the last question before each attempt: after every wait, so that nothing is stale."""

    share: Share | None
    ask: Before
    patient: bool = False

    async def take(self) -> None:
        if self.share:
            await self.share.take()
        await self.ask()

    def learn(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if self.share:
            self.share.learn(headers)


@dataclass(frozen=True)
class _Turn:
    """A share of the budget that lets nothing pass by way of an account that is changed or gone."""

    account: Account
    share: Share
    known: Known

    @property
    def patient(self) -> bool:
        return self.share.patient

    async def take(self) -> None:
        await self.share.take()
        if self.known(self.account.name) is not self.account:
            raise Changed

    def learn(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.share.learn(headers)
