"""Helper flows: named callbacks that take one record a request. Address, secret and headers are kept sealed."""

import base64
import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from standardwebhooks import Webhook

from connector.engine import tables
from connector.engine.addresses import Allowed, read_address
from connector.engine.clock import now
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.errors import AlreadyExists, Fault, InvalidCall, NoSuchFlow
from connector.sdk.kinds import Json

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MOST_HEADERS = 5
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_KEPT = re.compile(
    r"(host|connection|te|trailer|upgrade|transfer-encoding|content-.*|webhook-.*|proxy-.*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Target:
    """Where a flow is, what signs its requests, and the headers it wants (CB-12, CB-13: all of it is secret)."""

    url: str
    secret: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flow:
    name: str
    target: Target
    created: str


class Flows:
    """The registered flows of the host."""

    def __init__(self, store: Store, seals: Seals, allowed: Allowed) -> None:
        self._store = store
        self._seals = seals
        self._allowed = allowed
        found = store.run_here(lambda db: db.execute(sa.select(tables.flows)).mappings().all())
        self._flows = {row["name"]: self._opened(dict(row)) for row in found}

    def all(self) -> list[Flow]:
        return sorted(self._flows.values(), key=lambda flow: flow.name)

    def get(self, name: str) -> Flow:
        if found := self._flows.get(name):
            return found
        raise NoSuchFlow("There is no helper flow of this name. GET /v1/flows lists them.")

    async def create(self, name: str, url: str, secret: str | None = None, headers: Json | None = None) -> Flow:
        """Register a flow; without a secret one is made. Raises InvalidCall, DestinationNotAllowed, AlreadyExists."""
        faults = [*_name_faults(name), *_secret_faults(secret), *_header_faults(headers or {})]
        if faults:
            raise InvalidCall.of(faults)
        read_address(url, self._allowed, "url")
        if name in self._flows:
            raise AlreadyExists("There is a helper flow of this name already.")
        flow = Flow(name, Target(url, secret or new_secret(), headers or {}), now())
        sealed = self._seals.seal(json.dumps(asdict(flow.target)), _place(name))
        row = {"name": name, "target": sealed, "created": flow.created}
        await self._store.run(lambda db: db.execute(sa.insert(tables.flows).values(row)))
        self._flows[name] = flow
        return flow

    async def delete(self, name: str) -> None:
        self.get(name)
        await self._store.run(lambda db: db.execute(sa.delete(tables.flows).where(tables.flows.c.name == name)))
        del self._flows[name]

    def _opened(self, row: dict[str, Any]) -> Flow:
        target = json.loads(self._seals.open(row["target"], _place(row["name"])))
        return Flow(row["name"], Target(**target), row["created"])


def new_secret() -> str:
    """A signing secret of 32 random bytes, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _place(name: str) -> str:
    return f"flows/{name}/target"


def _name_faults(name: str) -> list[Fault]:
    right = NAME.fullmatch(name)
    return [] if right else [Fault("name", "Name must be 1 to 64 of a-z, 0-9, hyphen and underscore.")]


def _secret_faults(secret: str | None) -> list[Fault]:
    try:
        long_enough = secret is None or 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
        Webhook(secret or new_secret())
    except ValueError:
        long_enough = False
    return [] if long_enough else [Fault("secret", "Secret must be whsec_ and 24 to 64 bytes in base64.")]


def _header_faults(headers: Json) -> list[Fault]:
    faults = [Fault("headers", f"At most {MOST_HEADERS} headers can be given.")] if len(headers) > MOST_HEADERS else []
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or _KEPT.fullmatch(name):
            faults.append(Fault("headers", "A header has a name that cannot be given."))
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            faults.append(Fault("headers", "A header value must be visible ASCII text."))
    return faults
