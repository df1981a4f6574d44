"""Snipe-IT's API: the connection, and the kinds of request that the cards make.

What is odd about its answers is undone here and in `_rows`, for all cards: refusals with HTTP 200, pages that are
smaller than was asked for, escaped text.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cards.snipeit._rows import body_of, changed, unescaped, with_fields
from connector import (
    Client,
    Connection,
    Cursor,
    InvalidCall,
    Json,
    Limits,
    Origin,
    OutcomeUnknown,
    Page,
    Record,
    Reply,
    Unexpected,
    field,
    record_of,
    rows_of,
)

VISIBLE = r"^[!-~]+$"  # what a header can carry
PAGE = 500  # the most records Snipe-IT returns at once; MAX_RESULTS of a server may be less
NOBODY = "0"  # the ID of nothing
MINUTE = HOUR = 60  # seconds, minutes
LIMITS = Limits(per_second=2, per_hour=7200)  # API_THROTTLE_PER_MINUTE is 120 for each user, unless it was changed
READ = frozenset({"GET", "HEAD"})
MISSING = re.compile(r"(\w+ ){1,3}(not found|does not exist)\.?")
TOO_MANY = re.compile(r"429|too many requests\b.*", re.IGNORECASE)  # seen with another status, before version 6
INVALID, NOT_FOUND, THROTTLED = 422, 404, 429
TARGETS = {"user": "assigned_user", "location": "assigned_location", "asset": "assigned_asset"}


class Server(Connection, hosts=("*.snipe-it.io",)):
    """A Snipe-IT server and an API token of one of its users."""

    url: Origin = field(
        "Address of the server; one that is not hosted by Snipe-IT has to be allowed by the operator",
        label="URL",
        max_length=255,
    )
    token: str = field(  # a JSON Web Token, of a thousand characters or so
        "API token, from Manage API Keys in the menu of the user",
        label="API Token",
        secret=True,
        max_length=4096,
        pattern=VISIBLE,
    )
    requests_per_minute: int = field(
        "How many requests are sent a minute. Snipe-IT takes 120 of each user, unless its API_THROTTLE_PER_MINUTE"
        " says otherwise",
        ge=MINUTE,
        le=6000,
        default=120,
    )

    def limits(self, usual: Limits) -> Limits:
        return Limits(self.requests_per_minute // MINUTE, self.requests_per_minute * HOUR)

    def origin(self) -> str:
        return self.url if "://" in self.url else f"https://{self.url}"

    def credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class SnipeIT(Client[Server], title="Snipe-IT", prefix="/api/v1", limits=LIMITS):
    """Snipe-IT's verbs: a page of a listing, a record, a new or changed one, assets that go out and come back."""

    same = {
        "POST hardware": "create_asset",
        "PATCH hardware/*": "update_asset",
        "PUT hardware/*": "update_asset",
        "POST hardware/*/checkout": "check_out_asset",
        "POST hardware/bytag/*/checkout": "check_out_asset",
        "POST hardware/*/checkin": "check_in_asset",
        "POST hardware/checkinbytag": "check_in_asset",
        "POST hardware/checkinbytag/*": "check_in_asset",
        "POST hardware/*/restore": "restore_asset",
        "POST users": "create_user",
        "PATCH users/*": "update_user",
        "PUT users/*": "update_user",
        "POST models": "create_model",
        "POST categories": "create_category",
        "POST fields": "create_field",
        "POST fields/*/associate": "associate_field",
    }

    probes = {
        "get_asset": (f"hardware/{NOBODY}",),
        "get_assets_by_serial": (f"hardware/byserial/{NOBODY}",),
        "list_assets": ("hardware?limit=1",),
        "get_user": (f"users/{NOBODY}",),
        "list_categories": ("categories?limit=1",),
        "list_fields": ("fields?limit=1",),
        "list_fieldsets": ("fieldsets?limit=1",),
        "list_models": ("models?limit=1",),
        "list_status_labels": ("statuslabels?limit=1",),
        "list_users": ("users?limit=1",),
    }

    async def check(self) -> None:
        """Everybody may read who they are."""
        if "username" not in record_of(await self.get("users", "me")):
            raise Unexpected("The service does not answer as Snipe-IT does.")

    async def ask(self, method: str, *path: str, **said: Any) -> Reply:
        """One request, its answer read as Snipe-IT means it."""
        return self._meant(await super().ask(method, *path, **said), method)

    async def page(self, record: type[Record], *path: str, after: Cursor, **query: Any) -> Page[Any]:
        """One page of a listing, oldest first; of as many pages of the server as are needed for what is wanted."""
        offset, size = int(after.at or 0), after.size(PAGE)
        found, more = await self._some(path, query, offset, size)
        while more and after.limit is not None and len(found) < size:
            rows, more = await self._some(path, query, offset + len(found), size - len(found))
            found += rows
        return Page(found, str(offset + len(found)) if more else None)

    async def _some(self, path: tuple[str, ...], query: Json, offset: int, size: int) -> tuple[list[Json], bool]:
        """Some records, and whether there are more: their total decides, as a page may be smaller than asked for."""
        asked = {**query, "limit": size, "offset": offset, "sort": "id", "order": "asc"}
        answer = record_of(await self.get(*path, **asked))
        rows, total = rows_of(answer, "rows"), answer.get("total")
        if not isinstance(total, int):
            raise Unexpected("The service answered a list without its total.")
        return rows, bool(rows) and offset + len(rows) < total

    async def asset(self, id_: str) -> Json:
        """One asset, with `fields`: its custom fields by their column."""
        return with_fields(record_of(await self.get("hardware", id_)))

    async def user(self, id_: str) -> Json:
        """One user."""
        return record_of(await self.get("users", id_))

    async def by_serial(self, serial: str, *, deleted: bool) -> Json:
        """The assets of a serial number: there may be several. That there is none comes as an error with HTTP 200."""
        query = {"deleted": "true"} if deleted else None
        reply = await super().ask("GET", "hardware", "byserial", serial, query=query)
        meant = self._meant(reply, "GET")
        is_none = reply.status < 400 and meant.status == NOT_FOUND
        rows = [] if is_none else rows_of(record_of(meant.accepted().body), "rows")
        return {"assets": rows, "count": len(rows)}

    async def create(self, kind: str, inputs: Json) -> Json:
        """A new record."""
        return _answered(await self.post(kind, json=body_of(inputs)))

    async def update(self, kind: str, id_: str, inputs: Json) -> Json:
        """Change what is given of a record, and nothing else."""
        return _answered(await self.patch(kind, id_, json=body_of(inputs)))

    async def check_out(self, id_: str, inputs: Json) -> Json:
        """Hand an asset to a user, a location or another asset: to exactly one of these."""
        to = [kind for kind, key in TARGETS.items() if key in inputs]
        if len(to) > 1:
            raise InvalidCall("An asset goes to a user, a location or another asset: give one of these.")
        return await self.act("hardware", id_, "checkout", inputs={"checkout_to_type": to[0], **inputs})

    async def act(self, *path: str, inputs: Json | None = None) -> Json:
        """Do something with a record. The answer has little of it that is worth telling, or only a sentence."""
        return {"status_code": (await self.post(*path, json=body_of(inputs or {}))).status}

    def _meant(self, reply: Reply, method: str) -> Reply:
        """`status: error` with HTTP 200 is a refusal; what is read is escaped; a change is answered with success."""
        body = reply.body if isinstance(reply.body, dict) else {}
        if body.get("status") == "error" and "messages" in body:
            words = unescaped(body["messages"] or body.get("payload"))  # of a restore they are the payload
            return replace(reply, status=_status(reply, method, words), said=self.told(words))
        if method in READ or reply.status >= 400:
            return replace(reply, body=unescaped(reply.body))
        if body.get("status") != "success":
            raise OutcomeUnknown("The service answered in a form that it never promised. It may have been carried out.")
        return reply


def _status(reply: Reply, method: str, words: Any) -> int:
    """The status that a refusal should have had.

    Words are in the language of the server: those about a record that is read say that it is not there.
    """
    if TOO_MANY.fullmatch(str(words)):
        return THROTTLED
    if reply.status >= 400:
        return reply.status
    is_missing = isinstance(words, str) and (method in READ or MISSING.fullmatch(words))
    return NOT_FOUND if is_missing else INVALID


def _answered(reply: Reply) -> Json:
    payload = reply.record().get("payload")
    return {**changed(replace(reply, body=payload).record()), "status_code": reply.status}
