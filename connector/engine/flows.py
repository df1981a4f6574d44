"""Helper flows: named callbacks that take one record a request. Address, secret and headers are kept sealed."""

import asyncio
import base64
import hmac
import json
import math
import re
import secrets
from binascii import b2a_base64
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import RowMapping
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from connector.engine import tables
from connector.engine.addresses import Allowed, read_address
from connector.engine.clock import now, written
from connector.engine.connections import name_faults
from connector.engine.flow_inputs import inputs_faults
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.errors import AlreadyExists, Conflict, Fault, InvalidCall, NoSuchFlow
from connector.sdk.kinds import Json

MOST_HEADERS = 5
OVERLAP = timedelta(hours=24)  # a secret that was replaced signs for so long (CB-3)
MOST_RETIRED = 3  # secrets
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_KEPT = re.compile(
    r"(host|connection|te|trailer|upgrade|transfer-encoding|content-.*|webhook-.*|proxy-.*|keep-alive|expect|accept-encoding|user-agent)",
    re.IGNORECASE,
)
MISSING = "There is no helper flow of this name. GET /v1/flows lists them."

flows = tables.flows


@dataclass(frozen=True)
class Target:
    """Where a flow is, what signs its requests, and the headers it wants (CB-12, CB-13: all of it is secret).

    `retired` are the secrets that were replaced, the newest first, and until when each of them signs as well.
    """

    url: str
    secret: str
    headers: dict[str, str] = field(default_factory=dict)
    retired: dict[str, str] = field(default_factory=dict)

    def rotated(self, secret: str) -> "Target":
        """With another secret. The same one again changes nothing, so that a change can be repeated."""
        if secret == self.secret:
            return self
        until = written(datetime.now(UTC) + OVERLAP)
        before = {self.secret: until, **{old: end for old, end in self.retired.items() if old != secret}}
        return replace(self, secret=secret, retired=dict(islice(before.items(), MOST_RETIRED)))

    def signed(self, id_: str, at: int, body: bytes) -> str:
        """The signature of each secret in use at this time (seconds since 1970), the newest first.

        As standardwebhooks signs, in half of its time: it was a tenth of what a record costs (bench/README.md).
        """
        content = b"%s.%d.%s" % (id_.encode(), at, body)
        in_use = [_digest(signer, content) for signer, end in self._signers if at < end]
        return " ".join(["v1," + b2a_base64(signature, newline=False).decode() for signature in in_use])

    @property
    def rotating_until(self) -> str | None:
        """When the last retired secret stops signing; None where none does."""
        end = max(self.retired.values(), default="")
        return end if now() < end else None

    @cached_property
    def _signers(self) -> list[tuple[hmac.HMAC, float]]:
        """What signs, and until when."""
        retired = [(_signer(old), datetime.fromisoformat(end).timestamp()) for old, end in self.retired.items()]
        return [(_signer(self.secret), math.inf), *retired]


@dataclass(frozen=True)
class Flow:
    """A registered flow. `inputs` is the schema of the body it takes; None takes any."""

    name: str
    target: Target
    created: str
    inputs: Json | None = None


class Flows:
    """The registered flows, read from the store each time: other hosts change them too."""

    def __init__(self, store: Store, seals: Seals, allowed: Allowed) -> None:
        self._store = store
        self._seals = seals
        self._allowed = allowed

    async def all(self) -> list[Flow]:
        wanted = sa.select(flows).order_by(flows.c.name)
        found = await self._store.run(lambda db: db.execute(wanted).mappings().all())
        return [self._opened(row) for row in found]

    async def get(self, name: str) -> Flow:
        return self._opened(await self._row(name))

    async def create(
        self, name: str, url: str, secret: str | None = None, headers: Json | None = None, inputs: Json | None = None
    ) -> Flow:
        """Register a flow; without a secret one is made. Raises InvalidCall, DestinationNotAllowed, AlreadyExists."""
        await self._refuse([*name_faults(name), *_secret_faults(secret)], url, headers, inputs)
        flow = Flow(name, Target(url, secret or new_secret(), headers or {}), now(), inputs or None)
        try:
            await self._store.run(lambda db: db.execute(sa.insert(flows).values(self._sealed(flow))))
        except sa.exc.IntegrityError as error:
            raise AlreadyExists("There is a helper flow of this name already.") from error
        return flow

    async def change(
        self,
        name: str,
        *,
        url: str | None = None,
        headers: Json | None = None,
        inputs: Json | None = None,
        secret: str | None = None,
        rotate: bool | None = None,
    ) -> Flow:
        """Change what is given. A new address needs the headers anew: else they could be led elsewhere (SSRF-14)."""
        row = await self._row(name)
        flow = self._opened(row)
        moves = url not in (None, flow.target.url)
        faults = [*_secret_faults(secret)]
        if secret and rotate:
            faults.append(Fault("rotate", "Give a secret, or have one made, not both."))
        if moves and flow.target.headers and headers is None:
            faults.append(Fault("headers", "With another address, enter the headers again."))
        await self._refuse(faults, url, headers, inputs)
        target = replace(flow.target, url=url or flow.target.url)
        target = target if headers is None else replace(target, headers=headers)
        target = target.rotated(secret or new_secret()) if secret or rotate else target
        changed = replace(flow, target=target, inputs=flow.inputs if inputs is None else inputs or None)
        as_read = (flows.c.name == name, flows.c.target == row["target"])  # every change seals it anew
        change = sa.update(flows).where(*as_read).values(self._sealed(changed))
        if not (await self._store.run(lambda db: db.execute(change))).rowcount:
            raise Conflict("The helper flow was changed by somebody else meanwhile. Look at it, and change it again.")
        return changed

    async def delete(self, name: str) -> None:
        gone = sa.delete(flows).where(flows.c.name == name)
        if not (await self._store.run(lambda db: db.execute(gone))).rowcount:
            raise NoSuchFlow(MISSING)

    async def _refuse(self, faults: list[Fault], url: str | None, headers: Json | None, inputs: Json | None) -> None:
        """Raise InvalidCall for these faults and those in what is given, DestinationNotAllowed for the address."""
        faults += _header_faults(headers or {})
        faults += await asyncio.to_thread(inputs_faults, inputs or {})
        if faults:
            raise InvalidCall.of(faults)
        if url is not None:
            read_address(url, self._allowed, "url")

    async def _row(self, name: str) -> RowMapping:
        wanted = sa.select(flows).where(flows.c.name == name)
        if row := await self._store.run(lambda db: db.execute(wanted).mappings().first()):
            return row
        raise NoSuchFlow(MISSING)

    def _sealed(self, flow: Flow) -> Json:
        target = self._seals.seal(json.dumps(asdict(flow.target)), _place(flow.name))
        inputs = json.dumps(flow.inputs) if flow.inputs else None
        return {"name": flow.name, "target": target, "created": flow.created, "inputs": inputs}

    def _opened(self, row: RowMapping) -> Flow:
        target = json.loads(self._seals.open(row["target"], _place(row["name"])))
        inputs = json.loads(row["inputs"]) if row["inputs"] else None
        return Flow(row["name"], Target(**target), row["created"], inputs)


def new_secret() -> str:
    """A signing secret of 32 random bytes, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _signer(secret: str) -> hmac.HMAC:
    return hmac.new(base64.b64decode(secret.removeprefix("whsec_")), digestmod="sha256")


def _digest(signer: hmac.HMAC, content: bytes) -> bytes:
    """The signer is copied: to make one takes longer than to sign with it."""
    one = signer.copy()
    one.update(content)
    return one.digest()


def _place(name: str) -> str:
    return f"flows/{name}/target"


def _secret_faults(secret: str | None) -> list[Fault]:
    try:
        long_enough = secret is None or 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
        Webhook(secret or new_secret())
    except (ValueError, EmptyWebhookSecretError):
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
