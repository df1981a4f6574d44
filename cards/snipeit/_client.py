"""Snipe-IT's API: the connection, and the kinds of request that the cards make.

What is odd about its answers is undone here and in `_rows`, for all cards: refusals with HTTP 200, pages that are
smaller than was asked for, escaped text.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cards.snipeit._rows import body_of, changed, plain, with_fields
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
    Refused,
    Reply,
    Unexpected,
    field,
    record_of,
    rows_of,
)

VISIBLE = r"^[!-~]+$"  # what a header can carry
PAGE = 500  # the most records Snipe-IT returns at once; MAX_RESULTS of a server may be less
NOBODY = "0"  # the ID of nothing
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
        "POST fields": "create_field",
        "POST fields/*/associate": "associate_field",
    }

    probes = {
        "get_asset": (f"hardware/{NOBODY}",),
        "get_assets_by_serial": (f"hardware/byserial/{NOBODY}",),
        "list_assets": ("hardware?limit=1",),
        "list_categories": ("categories?limit=1",),
        "list_fields": ("fields?limit=1",),
        "list_models": ("models?limit=1",),
        "list_status_labels": ("statuslabels?limit=1",),
        "list_users": ("users?limit=1",),
    }

    async def check(self) -> None:
        """Everybody may read who they are."""
        if "username" not in record_of(await self.get("users", "me")):
            raise Unexpected("The service does not answer as Snipe-IT does.")

    async def ask(self, method: str, *path: str, **said: Any) -> Reply:
        """One request. What HTTP 200 and `status: error` refuse is a refusal; what is read is not escaped any more."""
        reply = await super().ask(method, *path, **said)
        body = reply.body if isinstance(reply.body, dict) else {}
        if body.get("status") == "error" and "messages" in body:
            return self._refused(reply, method, plain(body["messages"] or body.get("payload")))
        if method in READ or reply.status >= 400:
            return replace(reply, body=plain(reply.body))
        if body.get("status") != "success":
            raise OutcomeUnknown("The service answered in a form that it never promised. It may have been carried out.")
        return reply

    async def page(self, record: type[Record], *path: str, after: Cursor, **query: Any) -> Page[Any]:
        """One page of a listing, oldest first. How many there are decides about the next, and how many came."""
        offset = int(after.at or 0)
        asked = {**query, "limit": after.size(PAGE), "offset": offset, "sort": "id", "order": "asc"}
        answer = record_of(await self.get(*path, **asked))
        rows, total = rows_of(answer, "rows"), answer.get("total")
        if not isinstance(total, int):
            raise Unexpected("The service answered a list without its total.")
        end = offset + len(rows)
        return Page(rows, str(end) if rows and end < total else None)

    async def asset(self, id_: str) -> Json:
        """One asset, with `fields`: its custom fields by their column."""
        return with_fields(record_of(await self.get("hardware", id_)))

    async def by_serial(self, serial: str, *, deleted: bool) -> Json:
        """The assets of a serial number: there may be several. That there is none comes as an error."""
        try:
            found = await self.get("hardware", "byserial", serial, deleted="true" if deleted else None)
        except Refused as refusal:
            if refusal.service is None or refusal.service.status != NOT_FOUND or not refusal.service.said:
                raise
            found = {"rows": []}
        rows = rows_of(record_of(found), "rows")
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
        """Do something with a record. The answer has little of it, escaped, or only a sentence."""
        reply = await self.post(*path, json=body_of(inputs or {}))
        payload = reply.record().get("payload")
        return {**(plain(payload) if isinstance(payload, dict) else {}), "status_code": reply.status}

    def _refused(self, reply: Reply, method: str, words: Any) -> Reply:
        """The refusal with its words; with the status that it should have had, where it was 200.

        Words are in the language of the server: those about a record that is read say that it is not there.
        """
        status = reply.status if reply.status >= 400 else INVALID
        if TOO_MANY.fullmatch(str(words)):
            status = THROTTLED
        elif status == INVALID and isinstance(words, str) and (method in READ or MISSING.fullmatch(words)):
            status = NOT_FOUND
        return replace(reply, status=status, said=self.told(words))


def _answered(reply: Reply) -> Json:
    payload = reply.record().get("payload")
    return {**changed(replace(reply, body=payload).record()), "status_code": reply.status}
