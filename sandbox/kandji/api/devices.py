"""Devices: list, get, details, update, delete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.bodies import BLANK, NOT_UUID, Fields, fields, is_uuid, text, unknown
from sandbox.kandji.api.errors import Refused, answer, empty, invalid
from sandbox.kandji.api.resource import device_index
from sandbox.kandji.api.search import search
from sandbox.kandji.facts.details import details
from sandbox.kandji.state.records import Change
from sandbox.kandji.state.tenant import Tenant


async def list_devices(tenant: Tenant, request: Request) -> Response:
    at = pages.slice_of(request)
    found = await search(tenant, request.query_params, at)
    headers = pages.headers(request, at, found.count, has_more=found.has_more)
    return answer([tenant.devices.record(index) for index in found.indexes], headers=headers)


async def get_device(tenant: Tenant, request: Request) -> Response:
    return answer(tenant.devices.record(device_index(tenant, request)))


async def get_details(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    mode = tenant.lost.of(index)
    return answer(
        details(
            tenant.fleet,
            tenant.fleet.device(index),
            tenant.devices.record(index),
            mode.shown() if mode else {},
            has_remote_desktop=tenant.devices.has_remote_desktop(index),
        )
    )


async def update_device(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    given = await fields(request)
    problems: dict[str, Any] = {}
    change = Change()
    for key in READ:
        change.update(READ[key](tenant, given, problems) if key in given else {})
    if problems:
        raise invalid(problems)
    tenant.devices.change(index, change)
    return answer(tenant.devices.record(index))


async def delete_device(tenant: Tenant, request: Request) -> Response:
    tenant.devices.remove(device_index(tenant, request))
    return empty(204)


async def get_lost_mode(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    mode = tenant.lost.of(index)
    if mode is None:
        raise Refused(400, ["Device is not in lost mode."])
    return answer({"device_id": request.path_params["device_id"], "lost_mode": mode.shown()})


async def cancel_lost_mode(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    if tenant.lost.of(index) is None:
        raise Refused(400, ["Device is not in lost mode."])
    tenant.lost.off(index)
    tenant.devices.change(index, {})
    return empty(204)


def _blueprint(tenant: Tenant, given: Fields, problems: dict[str, Any]) -> Change:
    value = text(given, "blueprint_id", problems)
    if value is not None and "blueprint_id" not in problems and value not in tenant.blueprints.all:
        problems["blueprint_id"] = [unknown(value) if is_uuid(value) else NOT_UUID]
    return Change(blueprint=value or "")


def _user(tenant: Tenant, given: Fields, problems: dict[str, Any]) -> Change:
    """Null clears; `""` is an error, and so are the integers that were taken until 2025."""
    value = given["user"]
    number = tenant.users.number(value) if isinstance(value, str) else None
    if value is not None and number is None:
        problems["user"] = [BLANK if value == "" else unknown(value) if is_uuid(value) else NOT_UUID]
    return Change(owner=number)


def _asset_tag(tenant: Tenant, given: Fields, problems: dict[str, Any]) -> Change:
    return Change(asset_tag=text(given, "asset_tag", problems, may_be_null=True) or "")


def _tags(tenant: Tenant, given: Fields, problems: dict[str, Any]) -> Change:
    """The whole list is replaced; a name nobody used before becomes a tag (a guess)."""
    names = given["tags"]
    if not isinstance(names, list):
        problems["tags"] = [f'Expected a list of items but got type "{type(names).__name__}".']
        return Change()
    if not all(isinstance(name, str) and name for name in names):
        problems["tags"] = ["Not a valid string."]
        return Change()
    if problems:
        return Change()
    return Change(tags=tuple(tenant.tags.id_of(name) or tenant.tags.create(name) for name in dict.fromkeys(names)))


# Tags come last, because reading them may create some.
READ = {"blueprint_id": _blueprint, "user": _user, "asset_tag": _asset_tag, "tags": _tags}
