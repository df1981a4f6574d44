"""Syncs and their mappings: make one, look at it, change it, and what a mapping could say."""

from typing import Annotated, Any

from starlette.requests import Request
from starlette.responses import Response

from connector.engine.callers import Caller
from connector.engine.connections import NAME
from connector.host import Host
from connector.rest.answers import json_answer, listed, raw_answer
from connector.rest.body import read_body
from connector.rest.hosts import host_of
from connector.rest.sync_shown import note, reaches, shown_sync, sync_of
from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.kinds import TEXT, Boolean, Json, Kind, Text, wrong
from connector.sdk.reading import accept
from connector.sdk.tables import CardInputs, field
from connector.sync.mapping.fitting import FILE
from connector.sync.mapping.mapping_file import load
from connector.sync.syncs import Sync
from connector.sync.systems.permissions import permissions


def _as_written(value: Any) -> str | None:
    """To the letter: the lines of a file count, and its blanks."""
    if value is None or isinstance(value, str):
        return value
    raise wrong("must be text")


FILE_TEXT = Kind("Text", TEXT.schema, _as_written)
MappingText = Annotated[str | None, FILE_TEXT]


class NewSync(CardInputs, any_of=("mapping", "mdm")):
    name: str = field("Name to call the sync by: a-z, 0-9, hyphen and underscore", max_length=64)
    mapping: MappingText = field("The mapping file, YAML; proposed for the two connections where it is left out")
    mdm: Text = field("Name of the connection to the MDM", label="MDM", max_length=64)
    assets: Text = field("Name of the connection to the asset system; `file` is the built-in one", max_length=64)
    assets_kind: Text = field("Kind of the asset system, where the connection does not tell it", max_length=64)


class ChangedSync(CardInputs, any_of=("enabled", "mapping")):
    enabled: Boolean = field("Whether it runs by itself: at once, and then by its schedule")
    mapping: MappingText = field("Another mapping file, YAML")


class Proposal(CardInputs):
    mapping: MappingText = field("The mapping file to extend; the saved one if it is left out")


async def list_syncs(request: Request) -> Response:
    """Those whose connections the key reaches."""
    host, grant = host_of(request), request.state.caller.grant
    there = [sync for sync in await host.syncs.all() if reaches(host, grant, sync)]
    return listed([shown_sync(sync, await host.syncs.status(sync.name)) for sync in there])


async def create_sync(request: Request) -> Response:
    """Make a sync, which does nothing by itself until it is enabled. Every error of a mapping has its line."""
    host, wanted = host_of(request), accept(NewSync, await read_body(request))
    if wanted.mapping is not None and (wanted.mdm or wanted.assets or wanted.assets_kind):
        raise InvalidCall.of([Fault("mapping", "Give either a mapping, or the connections to propose one for.")])
    text = await _first(host, request.state.caller, wanted) if wanted.mapping is None else wanted.mapping
    _need_connections(host, request.state.caller, text)
    sync = await host.syncs.create(wanted.name, text)
    await note(request, "sync_created", sync.name)
    return json_answer(await _shown(host, sync), 201, {"Location": f"/v1/syncs/{sync.name}"})


async def get_sync(request: Request) -> Response:
    return json_answer(await _shown(host_of(request), await sync_of(request)))


async def change_sync(request: Request) -> Response:
    """Save another mapping, or turn the sync on or off; to be on, it needs a category for new assets."""
    wanted = accept(ChangedSync, await read_body(request))
    host, sync = host_of(request), await sync_of(request)
    if wanted.mapping is not None:
        _need_connections(host, request.state.caller, wanted.mapping)
    changed = await host.syncs.change(sync.name, mapping=wanted.mapping, enabled=wanted.enabled)
    said = {"enabled": None if wanted.enabled is None else str(wanted.enabled).lower()}
    said |= {"mapping": "saved" if wanted.mapping is not None else None}
    await note(request, "sync_changed", sync.name, **said)
    return json_answer(await _shown(host, changed))


async def delete_sync(request: Request) -> Response:
    """Forget a sync with all that it remembers. Both systems stay as they are."""
    sync = await sync_of(request)
    await host_of(request).syncs.delete(sync.name)
    await note(request, "sync_deleted", sync.name)
    return raw_answer(b"", 204)


async def check_sync(request: Request) -> Response:
    """Reach both services, and say which cards the MDM's token permits, by what the sync needs them for.

    `unknown` are those of which no read can tell, such as cards that change something.
    """
    host, sync = host_of(request), await sync_of(request)
    await host.syncs.both(sync).assets.columns()
    return json_answer(await permissions(host.connections, host.syncs.systems, sync.rules))


async def get_mapping(request: Request) -> Response:
    """The mapping file, with its comments."""
    return json_answer({"mapping": (await sync_of(request)).mapping})


async def propose_mapping(request: Request) -> Response:
    """The mapping file with a line for everything that is new on either side. Nothing is saved."""
    wanted = accept(Proposal, await read_body(request))
    host, sync = host_of(request), await sync_of(request)
    text = sync.mapping if wanted.mapping is None else wanted.mapping
    _need_connections(host, request.state.caller, text)
    return json_answer({"mapping": await host.proposals.extended(sync.name, text), "saved": False})


async def check_mapping(request: Request) -> Response:
    """What is new on either side, of which the mapping says nothing."""
    sync = await sync_of(request)
    new = await host_of(request).proposals.strangers(sync.name, sync.mapping)
    found = {"properties": new.properties, "columns": new.columns}
    return json_answer(
        {side: [{"name": each.name, "kind": each.kind} for each in some] for side, some in found.items()}
    )


async def _first(host: Host, caller: Caller, wanted: NewSync) -> str:
    """A mapping proposed for two connections. Raises InvalidCall where one is not named, or is none."""
    if wanted.mdm is None or wanted.assets is None:
        why = "Name both connections, MDM and Assets, or give a mapping."
        raise InvalidCall.of([Fault("assets" if wanted.mdm else "mdm", why)])
    await host.connections.look()
    for name in (wanted.mdm, wanted.assets):
        caller.need_connection(name)
    kind = wanted.assets_kind or (FILE if wanted.assets == FILE else None)
    if kind == FILE:
        if not NAME.fullmatch(wanted.assets):
            raise InvalidCall.of([Fault("assets", "Assets must be a-z, 0-9, hyphen and underscore: it names a file.")])
        return await host.proposals.first(wanted.mdm, wanted.assets, FILE)
    there = host.connections.get(wanted.assets).connector
    if kind not in (None, there):
        raise InvalidCall.of([Fault("assets_kind", "Assets Kind is not that of the connection; it may be left out.")])
    return await host.proposals.first(wanted.mdm, wanted.assets, there)


def _need_connections(host: Host, caller: Caller, text: str) -> None:
    """Raises InvalidCall with all that is wrong with a mapping, and Forbidden where a connection is not the key's."""
    for name in host.syncs.systems.names(load(text)):
        caller.need_connection(name)


async def _shown(host: Host, sync: Sync) -> Json:
    return shown_sync(sync, await host.syncs.status(sync.name))
