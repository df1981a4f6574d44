"""What a connector's client is built on: its connection, verbs over HTTP, the dry run, and what a token may do."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args
from urllib.parse import parse_qsl, quote

import orjson
from pydantic import ConfigDict

from connector.sdk.custom import custom_request
from connector.sdk.errors import InvalidCall, Unexpected, UpcardError
from connector.sdk.http import READS, Reply, Service
from connector.sdk.kinds import Json
from connector.sdk.masks import Mask
from connector.sdk.said import said
from connector.sdk.tables import Table

TELLING = {403: False, 404: True}  # whether a permission is there, by the status of an answer that has nothing else
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
EVERYTHING = CHANGES | READS


@dataclass(frozen=True)
class Limits:
    """How many requests a service takes from one account, in a second and in an hour."""

    per_second: int
    per_hour: int


class Connection(Table):
    """What reaches one account of a service. `hosts` are its addresses (`*`: one label); others the operator allows."""

    model_config = ConfigDict(extra="forbid")
    hosts: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, hosts: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if hosts:
            cls.hosts = hosts

    def origin(self) -> str:
        """Scheme and host of the service, without a slash at the end."""
        raise NotImplementedError

    def credentials(self) -> Mapping[str, str]:
        """The headers that carry the secret."""
        raise NotImplementedError

    def limits(self, usual: Limits) -> Limits:
        """How many requests this account takes, where that is not what is usual for the service."""
        return usual


C = TypeVar("C", bound=Connection)


@dataclass
class WouldSend(Exception):
    """Ends a dry run: what would have been sent, besides the headers of the connection."""

    method: str
    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    parts: tuple[str, ...] = ()  # of the path, below the prefix


class Client(Generic[C]):
    """A service's client: subclass it as `class Kandji(Client[Account], title="Kandji", prefix="/api/v1")`."""

    title: ClassVar[str]
    prefix: ClassVar[str] = ""
    limits: ClassVar[Limits | None] = None
    same: ClassVar[Mapping[str, str]] = {}
    """Which card sends what: `{"POST devices/*/action/lock": "lock_device"}`, for all that changes something or gives
    secrets. A request that a caller writes is under the policy of the card that sends the same."""
    probes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What each card asks that only reads: `{"list_devices": ("devices?limit=1",)}`; for one object, by the ID of none.
    An answer of 401 or 403 then says that a permission is missing, and 404 that it is there."""
    connects_with: ClassVar[type[Connection]]

    def __init_subclass__(cls, title: str, prefix: str = "", limits: Limits | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.title, cls.prefix, cls.limits = title, prefix, limits
        cls.connects_with = next(get_args(base)[0] for base in cls.__dict__["__orig_bases__"] if get_args(base))

    def __init__(self, connection: C, service: Service, held: frozenset[str] = frozenset()) -> None:
        self.connection = connection
        self.service = service
        self.held = held

    async def check(self) -> None:
        """Ask the service for the least that proves the connection."""
        raise NotImplementedError

    async def target(self, path: tuple[str, ...]) -> str | None:
        """Look up what a request would change: the name by which a person knows it, such as a serial number.

        A wrong target is told by its error. None by default: there is nothing to look up.
        """
        return None

    async def has_fleet(self, least: int) -> bool:
        """Whether there are so many devices, or whatever else it is that can be lost. Yes by default."""
        return True

    async def permissions(self) -> dict[str, bool | None]:
        """Whether each card in `probes`, by its name, may read what it asks; None where the answer does not tell.

        Some services say 401 to a permission that is missing as they do to a bad token: it is bad where that is all.
        """
        if not self.probes:
            await self.check()
        asked = sorted({probe for probes in self.probes.values() for probe in probes})
        answers = await asyncio.gather(*(self._probed(probe) for probe in asked))
        errors = [answer for answer in answers if isinstance(answer, UpcardError)]
        if errors and len(errors) == len(answers):
            raise errors[0]
        found = dict(zip(asked, map(_granted, answers), strict=True))
        return {card: _all(found[probe] for probe in probes) for card, probes in self.probes.items()}

    def told(self, words: Any) -> str:
        """What an answer of 2xx says that is a refusal all the same: as safe to show as `said` of a Reply is."""
        secrets = (value.partition(" ")[2] or value for value in self.connection.credentials().values())
        return said(orjson.dumps(words), Mask(secrets))

    async def _probed(self, probe: str) -> bool | UpcardError:
        path, _, query = probe.partition("?")
        try:
            reply = await self.ask("GET", *path.split("/"), query=dict(parse_qsl(query)))
            return TELLING[reply.status] if reply.status in TELLING else reply.accepted().status < 400
        except UpcardError as error:
            return error

    async def get(self, *path: str, **query: Any) -> Any:
        return (await self.ask("GET", *path, query=query)).accepted().body

    async def post(self, *path: str, json: Any = None) -> Reply:
        return (await self.ask("POST", *path, json=json)).accepted()

    async def patch(self, *path: str, json: Any = None) -> Reply:
        return (await self.ask("PATCH", *path, json=json)).accepted()

    async def custom(
        self, method: str, url: str, query: Json | None = None, headers: Json | None = None, body: Any = None
    ) -> Reply:
        """A request the caller wrote, kept below the prefix; refusals come back as replies."""
        request = custom_request(method, url, query, headers, body)
        self.held = EVERYTHING if self.held else self.held  # a dry run of a written request sends nothing at all
        return await self.ask(
            method, *request.path, query=request.query, json=body, headers=request.headers, slash=request.slash
        )

    async def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        slash: bool = False,
    ) -> Reply:
        """One request below the prefix; each part of `path` is one segment, `slash` ends it with one (Kandji's API has
        both kinds). Refusals come back as replies.
        """
        where = self.prefix + "".join("/" + _segment(part) for part in path) + "/" * slash
        wanted = {key: value for key, value in (query or {}).items() if value is not None}
        if method in self.held:
            raise WouldSend(method, where, wanted, headers or {}, json, path)
        return await self.service.ask(method, where, query=wanted or None, json=json, headers=headers)


def _granted(answer: bool | UpcardError) -> bool | None:
    if isinstance(answer, UpcardError):
        return False if answer.service and answer.service.status == 401 else None
    return answer


def _all(granted: Iterable[bool | None]) -> bool | None:
    """What is missing decides, then what is not known."""
    found = set(granted)
    return False if False in found else None if None in found else True


def rows_of(answer: Any, key: str | None = None) -> list[dict[str, Any]]:
    """The records in an answer: a bare list, or the list under `key`. Anything else is unexpected."""
    found = answer if key is None else answer.get(key) if isinstance(answer, dict) else None
    if isinstance(found, list) and all(isinstance(row, dict) for row in found):
        return found
    raise Unexpected(f"The service answered without a list of records{f' under {key}' if key else ''}.")


def record_of(answer: Any) -> dict[str, Any]:
    """The one record an answer is. Anything else is unexpected."""
    if isinstance(answer, dict):
        return answer
    raise Unexpected("The service answered without a record.")


def _segment(part: str) -> str:
    if part in ("", ".", ".."):
        raise InvalidCall("A part of the address is empty or made of dots only.")
    return quote(part, safe="")
