"""The admin calls of a server."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any, Protocol

from pydantic import Field
from starlette.requests import Request

from sandbox.admin import Asked, Skip, Span, asked, watching
from sandbox.snipeit.database import Database, Throttle
from sandbox.snipeit.shapes import asset


class Host(Protocol):
    """Whoever holds the server."""

    database: Database


class Reset(Asked):
    """Settings to change; none to start again as before."""

    assets: int | None = Field(None, ge=0, le=1_000_000)
    users: int | None = Field(None, ge=0, le=1_000_000)
    seed: int | None = None
    unique_serial: bool | None = None
    auto_increment: bool | None = None
    require_notes: bool | None = None
    show_archived: bool | None = None
    max_results: int | None = Field(None, ge=1)


class NewAssets(Asked):
    count: int = Field(1, ge=1, le=100_000)


class Change(Asked):
    """What somebody does to an asset in the web app: columns, as the table has them; or who has it, or nobody."""

    own: dict[str, Any] = {}
    user_id: int | None = None
    deleted: bool | None = None


class NewLimits(Asked):
    """None for any number."""

    per_minute: int | None = Field(None, ge=1)
    retry_after: bool = True


Call = Callable[[Host, Request], Awaitable[Any]]


async def _state(host: Host, request: Request) -> Any:
    database = host.database
    return {
        "settings": {key: value for key, value in asdict(database.settings).items() if key not in ("clock", "token")},
        "assets": len(database.assets),
        "users": len(database.users),
        "checked_out": sum(found.assigned is not None for found in database.assets.values()),
        "now": database.clock.now(),
        "faults": database.faults.shown(),
    }


async def _reset(host: Host, request: Request) -> Any:
    given = await asked(request, Reset)
    settings = replace(host.database.settings, **given.model_dump(exclude_unset=True), token=host.database.token)
    host.database = Database(settings)
    return await _state(host, request)


async def _skip(host: Host, request: Request) -> Any:
    host.database.clock.skip((await asked(request, Skip)).seconds)
    return await _state(host, request)


async def _add_assets(host: Host, request: Request) -> Any:
    return {"ids": [found.id for found in host.database.add_assets((await asked(request, NewAssets)).count)]}


async def _remove_assets(host: Host, request: Request) -> Any:
    """For good, as when the trash is emptied."""
    span = await asked(request, Span)
    gone = list(host.database.assets)[span.offset : span.offset + span.count]
    for id_ in gone:
        del host.database.assets[id_]
    host.database.events = [event for event in host.database.events if event.asset_id in host.database.assets]
    return {"ids": gone}


async def _change_asset(host: Host, request: Request) -> Any:
    given, database = await asked(request, Change), host.database
    found = database.assets[request.path_params["id"]]
    found.own |= given.own
    if "user_id" in given.model_fields_set and found.assigned:
        database.check_in(found, None)
    if given.user_id is not None:
        database.check_out(found, ("user", given.user_id), None)
    if given.deleted is not None:
        found.deleted = database.clock.now() if given.deleted else None
    database.happened("update", found)
    return asset(database, found)


async def _limits(host: Host, request: Request) -> Any:
    given, database = await asked(request, NewLimits), host.database
    database.settings = replace(database.settings, **given.model_dump())
    database.throttle = Throttle(database.clock, given.per_minute)
    return given.model_dump()


CALLS: dict[str, dict[str, Call]] = {
    "": {"GET": _state},
    "/reset": {"POST": _reset},
    **watching(lambda host: host.database),
    "/clock": {"POST": _skip},
    "/assets": {"POST": _add_assets, "DELETE": _remove_assets},
    "/assets/{id:int}": {"PATCH": _change_asset},
    "/limits": {"POST": _limits},
}
