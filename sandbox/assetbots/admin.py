"""The admin calls of a workspace."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any, Literal, Protocol

from pydantic import Field
from starlette.requests import Request

from sandbox.admin import Asked, Skip, Span, asked, watching
from sandbox.assetbots.database import Database, Limits
from sandbox.assetbots.shapes import asset


class Host(Protocol):
    """Whoever holds the workspace."""

    database: Database


class Reset(Asked):
    """Settings to change; none to start again as before."""

    assets: int | None = Field(None, ge=0, le=1_000_000)
    people: int | None = Field(None, ge=0, le=1_000_000)
    seed: int | None = None
    custom_fields: Literal["bare", "wrapped"] | None = None
    updates: Literal["merge", "replace"] | None = None
    unknown_fields: Literal["refuse", "ignore"] | None = None
    check_ins: Literal["empty", "listed"] | None = None
    asset_limit: int | None = Field(None, ge=0)


class NewAssets(Asked):
    count: int = Field(1, ge=1, le=100_000)


class Change(Asked):
    """What somebody does to an asset in the web app; a field that is null is taken away."""

    tag: str | None = None
    archived: bool | None = None
    deleted: bool | None = None
    reserved: bool | None = None
    in_repair: bool | None = None
    fields: dict[str, Any] = {}


class NewLimits(Asked):
    """None for any number; no header without `retry_after`."""

    per_second: int | None = Field(None, ge=1)
    retry_after: str | None = None


Call = Callable[[Host, Request], Awaitable[Any]]


async def _state(host: Host, request: Request) -> Any:
    database = host.database
    return {
        "settings": {key: value for key, value in asdict(database.settings).items() if key not in ("clock", "key")},
        "assets": len(database.assets),
        "people": len(database.people),
        "checked_out": sum(thing.checkout is not None for thing in database.assets.values()),
        "now": database.clock.now(),
        "faults": database.faults.shown(),
    }


async def _reset(host: Host, request: Request) -> Any:
    given = await asked(request, Reset)
    settings = replace(host.database.settings, **given.model_dump(exclude_unset=True), key=host.database.key)
    host.database = Database(settings)
    return await _state(host, request)


async def _skip(host: Host, request: Request) -> Any:
    host.database.clock.skip((await asked(request, Skip)).seconds)
    return await _state(host, request)


async def _add_assets(host: Host, request: Request) -> Any:
    added = host.database.add_assets((await asked(request, NewAssets)).count)
    return {"ids": [thing.id for thing in added]}


async def _remove_assets(host: Host, request: Request) -> Any:
    span = await asked(request, Span)
    gone = list(host.database.assets)[span.offset : span.offset + span.count]
    for asset_id in gone:
        host.database.remove(asset_id)
    return {"ids": gone}


async def _change_asset(host: Host, request: Request) -> Any:
    given, database = await asked(request, Change), host.database
    thing = database.assets[request.path_params["id"]]
    thing.own |= given.model_dump(exclude_unset=True, include={"tag", "archived", "deleted"})
    kept = {**thing.fields, **given.fields}
    thing.fields = {key: value for key, value in kept.items() if value is not None}
    thing.is_reserved = thing.is_reserved if given.reserved is None else given.reserved
    thing.is_in_repair = thing.is_in_repair if given.in_repair is None else given.in_repair
    thing.updated = database.clock.now()
    return asset(database, thing)


async def _limits(host: Host, request: Request) -> Any:
    given, database = await asked(request, NewLimits), host.database
    database.settings = replace(database.settings, **given.model_dump())
    database.limits = Limits(database.clock, given.per_second)
    return given.model_dump()


CALLS: dict[str, dict[str, Call]] = {
    "": {"GET": _state},
    "/reset": {"POST": _reset},
    **watching(lambda host: host.database),
    "/clock": {"POST": _skip},
    "/assets": {"POST": _add_assets, "DELETE": _remove_assets},
    "/assets/{id}": {"PATCH": _change_asset},
    "/limits": {"POST": _limits},
}
