"""Assets of a sync: what they are linked to, changes by people, quick actions; locks, the outbox and the hook."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from connector.rest.answers import json_answer, listed, raw_answer
from connector.rest.body import read_body
from connector.rest.calls import answered, idempotency_key, patience
from connector.rest.hosts import host_of
from connector.rest.sync_shown import note, shown_entry, sync_of, sync_to_work
from connector.sdk.inventory import Asset
from connector.sdk.kinds import Object, Text
from connector.sdk.reading import accept
from connector.sdk.tables import CardInputs
from connector.sdk.tables import field as row  # two tables here have a row called field
from connector.sync.actions import Wanted
from connector.sync.entities import Lock
from connector.sync.mapping.mapping import Action


class NewLock(CardInputs):
    link: str = row("ID of the link, such as device/a1", max_length=128)
    field: str = row("Name of the field, as the mapping has it", max_length=256)
    reason: str = row("Why it is not written", max_length=1000)


class LockNamed(CardInputs):
    link: str = row("ID of the link", max_length=128)
    field: str = row("Name of the field", max_length=256)


class LinkNamed(CardInputs):
    link: str = row("ID of the link, such as device/a1", max_length=128)


class CheckOut(CardInputs):
    person: str = row("ID or email of the person in the asset system", max_length=256)


class NewTag(CardInputs):
    tag: str = row("The tag", max_length=256)


class QuickAction(CardInputs):
    asset: str = row("ID of the asset in its asset system, or its serial number", max_length=128)
    action: Action = row("What the device is told")
    confirm: Text = row("The serial number of the device, typed, where the mapping asks for it", max_length=200)
    reason: Text = row("Why, for the second person who may have to approve it", max_length=1000)
    inputs: Object = row("More inputs of the card that does it")


async def list_locks(request: Request) -> Response:
    """Fields that are reported and never written."""
    return listed([asdict(lock) for lock in await host_of(request).syncs.locks((await sync_of(request)).name)])


async def create_lock(request: Request) -> Response:
    """Report a field of a link, and do not write it any more."""
    wanted = accept(NewLock, await read_body(request))
    sync = await sync_of(request)
    lock = Lock(wanted.link, wanted.field, wanted.reason, by=request.state.caller.id)
    await host_of(request).syncs.lock(sync.name, lock)
    await note(request, "sync_locked", sync.name, link=lock.link, field=lock.field)
    there = await host_of(request).syncs.locks(sync.name)
    found = next(each for each in there if (each.link, each.field) == (lock.link, lock.field))
    return json_answer(asdict(found), 201)


async def delete_lock(request: Request) -> Response:
    """Write a field again."""
    wanted: LockNamed = request.state.query
    sync = await sync_of(request)
    await host_of(request).syncs.unlock(sync.name, wanted.link, wanted.field)
    await note(request, "sync_unlocked", sync.name, link=wanted.link, field=wanted.field)
    return raw_answer(b"", 204)


async def delete_link(request: Request) -> Response:
    """Forget a link: both records stay, and a later run matches them anew."""
    wanted: LinkNamed = request.state.query
    sync = await sync_of(request)
    await host_of(request).syncs.unlink(sync.name, wanted.link)
    await note(request, "sync_unlinked", sync.name, link=wanted.link)
    return raw_answer(b"", 204)


async def list_outbox(request: Request) -> Response:
    """Assets of which the MDM is still to hear, and why it has not yet."""
    there = await host_of(request).syncs.outbox((await sync_of(request)).name)
    return listed([shown_entry(entry) for entry in there])


async def announce_asset(request: Request) -> Response:
    """Read this asset now, and tell the MDM what it says. The body says nothing; many at once are one."""
    sync, asset = await sync_to_work(request), request.path_params["asset"]
    announced = await host_of(request).syncs.announce(sync.name, [asset], "hook")
    await note(request, "sync_hook", sync.name, asset=asset)
    return json_answer({"announced": announced}, 202)


async def get_linked_asset(request: Request) -> Response:
    """What an asset is linked to, where people look at the device, and which quick actions it takes now."""
    host, sync = host_of(request), await sync_of(request)
    linked = await host.actions.assets.linked(sync, request.path_params["asset"])
    link = linked.link
    found = {"asset": link.sys_id, "device": link.mdm_id, "state": link.state, "matched_by": link.matched_by}
    found |= {"since": link.since, "view": linked.view}
    return json_answer({**found, "actions": await host.actions.allowed(sync, linked)})


async def check_out_asset(request: Request) -> Response:
    """Hand an asset to a person in the asset system, and tell the MDM at once."""
    wanted = accept(CheckOut, await read_body(request))
    sync, by = await sync_to_work(request), request.state.caller.id
    asset = await host_of(request).actions.assets.check_out(sync, request.path_params["asset"], wanted.person, by)
    return await _changed(request, asset, "check_out")


async def check_in_asset(request: Request) -> Response:
    """Take an asset back in the asset system, and tell the MDM at once."""
    sync, by = await sync_to_work(request), request.state.caller.id
    asset = await host_of(request).actions.assets.check_in(sync, request.path_params["asset"], by)
    return await _changed(request, asset, "check_in")


async def tag_asset(request: Request) -> Response:
    """Give an asset another tag in the asset system, and tell the MDM at once."""
    wanted = accept(NewTag, await read_body(request))
    asset = await host_of(request).actions.assets.tag(
        await sync_to_work(request), request.path_params["asset"], wanted.tag
    )
    return await _changed(request, asset, "tag")


async def act_on_asset(request: Request) -> Response:
    """Tell a linked device to do something: the caller's own call of a card, with its scopes, policy and answer.

    A PIN is in this answer and nowhere else. The same action for the same device is refused for five minutes.
    """
    host, wanted = host_of(request), accept(QuickAction, await read_body(request))
    sync, caller = await sync_of(request), request.state.caller
    given = Wanted(
        *(wanted.asset, wanted.action, wanted.confirm, wanted.reason, wanted.inputs or {}), idempotency_key(request)
    )
    run, answer = await host.actions.act(sync, given, caller, patience(request.headers.get("prefer", "")))
    await note(request, "sync_action", sync.name, action=wanted.action, asset=wanted.asset, run=run.id)
    return answered(run, answer)


async def _changed(request: Request, asset: Asset, event: str) -> Response:
    await note(request, f"sync_{event}", request.path_params["sync"], asset=asset.sys_id)
    names = ("tag", "serial", "category", "status", "archived")
    shown = {"asset": asset.sys_id, **{name: getattr(asset, name) for name in names}}
    return json_answer({**shown, "assignee": asdict(asset.assignee)})
