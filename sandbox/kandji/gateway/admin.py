"""The admin calls of a tenant."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any, Protocol

from starlette.requests import Request

from sandbox.admin import Skip, Span, asked, watching
from sandbox.kandji.gateway.adminbodies import NewDevices, NewLimits, NewToken, Reset
from sandbox.kandji.state.tenant import Tenant
from sandbox.kandji.state.tokens import Token


class Host(Protocol):
    """Whoever holds the tenant."""

    tenant: Tenant


Call = Callable[[Host, Request], Awaitable[Any]]


async def _state(host: Host, request: Request) -> Any:
    tenant = host.tenant
    return {
        "settings": {key: value for key, value in asdict(tenant.settings).items() if key not in ("clock", "token")},
        "devices": len(tenant.devices),
        "changed_devices": len(tenant.devices.changes),
        "pending_commands": tenant.commands.waiting(),
        "now": tenant.clock.now(),
        "faults": tenant.faults.shown(),
    }


async def _reset(host: Host, request: Request) -> Any:
    given = await asked(request, Reset)
    host.tenant = Tenant(replace(host.tenant.settings, **given.model_dump(exclude_none=True)))
    return await _state(host, request)


async def _skip(host: Host, request: Request) -> Any:
    host.tenant.clock.skip((await asked(request, Skip)).seconds)
    host.tenant.commands.settle()
    return await _state(host, request)


async def _complete(host: Host, request: Request) -> Any:
    return {"completed": host.tenant.commands.settle_all()}


async def _add_devices(host: Host, request: Request) -> Any:
    given = await asked(request, NewDevices)
    added = host.tenant.devices.add(given.count, at_front=given.at_front)
    return {"device_ids": [host.tenant.fleet.device_ids.of(index) for index in added]}


async def _remove_devices(host: Host, request: Request) -> Any:
    given = await asked(request, Span)
    devices = host.tenant.devices
    gone = list(devices.page(given.offset, given.count))
    for index in gone:
        devices.remove(index)
    return {"device_ids": [host.tenant.fleet.device_ids.of(index) for index in gone]}


async def _unlock(host: Host, request: Request) -> Any:
    index = host.tenant.devices.index(request.path_params["device_id"])
    return {"unlocked": index is not None and host.tenant.locks.unlock(index)}


async def _tokens(host: Host, request: Request) -> Any:
    return [{"token": secret, **asdict(token)} for secret, token in host.tenant.tokens.listed().items()]


async def _add_token(host: Host, request: Request) -> Any:
    given = await asked(request, NewToken)
    host.tenant.tokens.add(given.token, Token(given.name, given.permissions))
    return given.model_dump()


async def _revoke_token(host: Host, request: Request) -> Any:
    return {"revoked": host.tenant.tokens.revoke(request.path_params["token"])}


async def _limits(host: Host, request: Request) -> Any:
    given = await asked(request, NewLimits)
    host.tenant.set_limits(is_on=given.on, per_second=given.per_second, per_hour=given.per_hour)
    return given.model_dump()


CALLS: dict[str, dict[str, Call]] = {
    "": {"GET": _state},
    "/reset": {"POST": _reset},
    **watching(lambda host: host.tenant),
    "/clock": {"POST": _skip},
    "/commands/complete": {"POST": _complete},
    "/devices": {"POST": _add_devices, "DELETE": _remove_devices},
    "/devices/{device_id}/unlock": {"POST": _unlock},
    "/tokens": {"GET": _tokens, "POST": _add_token},
    "/tokens/{token}": {"DELETE": _revoke_token},
    "/limits": {"POST": _limits},
}
