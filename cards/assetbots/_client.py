"""Assetbots' API: the connection, and the kinds of request that the cards make.

Written from a copy of the published API description; it has not been tried on a live workspace.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from cards.assetbots._fields import custom, given, read, written
from connector import (
    Client,
    Connection,
    Cursor,
    InvalidCall,
    Json,
    Limits,
    Origin,
    Page,
    Record,
    Reply,
    Text,
    field,
    record_of,
    rows_of,
)

VISIBLE = r"^[!-~]+$"  # what a header can carry
PAGE = 1000  # the most records Assetbots returns at once
NOBODY = "00000000-0000-0000-0000-000000000000"  # the ID of nothing
LIMITS = Limits(per_second=1, per_hour=3600)  # it says 429, but not from what on; another client paces itself so
HOUR = 3600


class Workspace(Connection, hosts=("api.assetbots.com",)):
    """A workspace of Assetbots, which its API calls a database, and an API key of it."""

    url: Origin = field("Address of the API", label="API URL", max_length=255, default="https://api.assetbots.com")
    api_key: str = field("API key, from Settings > API", label="API Key", secret=True, max_length=255, pattern=VISIBLE)
    database: Text = field("Name of the workspace that the key must belong to; empty for any", max_length=48)
    custom_fields: Literal["bare", "wrapped"] = field(
        "How custom fields are written: the value itself, or an object that holds it",
        labels={"bare": "Bare", "wrapped": "Wrapped"},
        default="bare",
    )
    updates: Literal["changes", "whole"] = field(
        "What an update sends: only what changes, or the whole record, should Assetbots clear what is not sent",
        labels={"changes": "Changes", "whole": "Whole"},
        default="changes",
    )

    requests_per_second: int = field(
        "How many requests are sent a second. Assetbots does not say how many it takes", ge=1, le=100, default=1
    )

    def limits(self, usual: Limits) -> Limits:
        return Limits(self.requests_per_second, self.requests_per_second * HOUR)

    def origin(self) -> str:
        return self.url if "://" in self.url else f"https://{self.url}"

    def credentials(self) -> Mapping[str, str]:
        return {"X-Api-Key": self.api_key}


class Assetbots(Client[Workspace], title="Assetbots", prefix="/v1", limits=LIMITS):
    """Assetbots' verbs: a page of a listing, a record, a new or changed one, assets that go out and come back."""

    same = {
        "POST assets": "create_asset",
        "POST assets/*": "update_asset",
        "POST people": "create_person",
        "POST people/*": "update_person",
        "POST checkouts": "check_out_assets",
        "POST check-ins": "check_in_assets",
        "POST notes": "create_note",
    }

    probes = {
        "get_asset": (f"assets/{NOBODY}",),
        "get_database": ("databases",),
        "get_person": (f"people/{NOBODY}",),
        "list_assets": ("assets?limit=1",),
        "list_people": ("people?limit=1",),
    }

    async def check(self) -> None:
        """Refuses a key of another workspace than the one expected: what is changed there would be the wrong one's."""
        name = (await self.database()).get("name")
        if self.connection.database is not None and name != self.connection.database:
            raise InvalidCall("The key belongs to a workspace of another name.")

    async def database(self) -> Json:
        """The workspace that the key belongs to."""
        return _only(await self.get("databases"))

    async def page(self, record: type[Record], *path: str, after: Cursor) -> Page[Any]:
        """One page of a listing, by limit and offset. There is no order and no total: the last page is a short one."""
        offset, size = int(after.at or 0), after.size(PAGE)
        found = rows_of(record_of(await self.get(*path, limit=size, offset=offset)), "data")
        return Page([read(row) for row in found], str(offset + size) if len(found) == size else None)

    async def record(self, *path: str) -> Json:
        """One record, with `fields`: its custom fields."""
        return _with_fields(_only(await self.get(*path)))

    async def create(self, kind: str, inputs: Json) -> Json:
        """A new record. What becomes of a custom field that the workspace does not have is unknown."""
        body = written(given(inputs), self.connection.custom_fields)
        return _changed(await self.post(kind, json=body))

    async def update(self, kind: str, id_: str, inputs: Json) -> Json:
        """Change a record, by POST. Whether Assetbots leaves alone what is not sent, or clears it, is unknown.

        So the smallest body is sent, or the whole record, as the connection says. The whole one is read just before:
        what somebody else changes between the two is lost.
        """
        change = given(inputs)
        if self.connection.updates == "whole":
            change = {**read(_only(await self.get(kind, id_))), **change}
        return _changed(await self.post(kind, id_, json=written(change, self.connection.custom_fields)))

    async def check_out(self, body: Json) -> Json:
        """Hand assets out. 409 says that none was free; else the answer has those that were, which may be a part."""
        reply = await self.post("checkouts", json=body)
        found = _sent(reply)
        return {**found, "left_out": _left_out(body, [found]), "status_code": reply.status}

    async def check_in(self, body: Json) -> Json:
        """Take assets back. 409 says that none could be; the answer of 200 is not documented, and may be empty."""
        reply = await self.post("check-ins", json=body)
        data = reply.body.get("data") if isinstance(reply.body, dict) else None
        return {"left_out": _left_out(body, _objects(data)), "status_code": reply.status}

    async def note(self, target_id: str, text: str) -> Json:
        """Notes answer an object, not a list of one as everything else."""
        reply = await self.post("notes", json={"targetId": target_id, "value": text})
        return {**_sent(reply), "status_code": reply.status}


def _only(answer: Any) -> Json:
    """The record of an answer, in a list of one or by itself."""
    data = record_of(answer).get("data")
    return record_of(data[0] if isinstance(data, list) and data else data)


def _with_fields(record: Json) -> Json:
    found = read(record)
    return {**found, "fields": custom(found)}


def _changed(reply: Reply) -> Json:
    return {**_with_fields(_sent(reply)), "status_code": reply.status}


def _sent(reply: Reply) -> Json:
    """The record in the answer to a change: where there is none, it may have been carried out all the same."""
    data = reply.record().get("data")
    return replace(reply, body=data[0] if isinstance(data, list) and data else data).record()


def _left_out(body: Json, records: list[Json]) -> list[str] | None:
    """What was asked for and is not named in these; None where they name none at all."""
    named = [asset.get("id") for record in records for asset in _objects(record.get("assets"))]
    return [id_ for id_ in body["assetIds"] if id_ not in named] if named else None


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
