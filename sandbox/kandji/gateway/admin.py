"""The admin calls under `/_sandbox`, for tests and demonstrations: no token, only from the same machine."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from ipaddress import ip_address
from typing import Any, Protocol, TypeVar

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.kandji.gateway.adminbodies import Asked, NewDevices, NewFault, NewLimits, NewToken, Reset, Skip, Span
from sandbox.kandji.state.faults import Fault
from sandbox.kandji.state.log import RequestLog
from sandbox.kandji.state.tenant import Tenant
from sandbox.kandji.state.tokens import Token

ADMIN = "/_sandbox"


class Host(Protocol):
    """Whoever holds the tenant."""

    tenant: Tenant


A = TypeVar("A", bound=Asked)
Call = Callable[[Host, Request], Awaitable[Any]]


def admin(host: Host) -> Starlette:
    """The app of the admin calls."""
    return Starlette(routes=[_route(host, path, methods) for path, methods in CALLS.items()])


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
    asked = await _asked(request, Reset)
    host.tenant = Tenant(replace(host.tenant.settings, **asked.model_dump(exclude_none=True)))
    return await _state(host, request)


async def _requests(host: Host, request: Request) -> Any:
    return host.tenant.log.shown()


async def _forget_requests(host: Host, request: Request) -> Any:
    host.tenant.log = RequestLog()
    return host.tenant.log.shown()


async def _faults(host: Host, request: Request) -> Any:
    return host.tenant.faults.shown()


async def _add_fault(host: Host, request: Request) -> Any:
    return asdict(host.tenant.faults.add(Fault(**(await _asked(request, NewFault)).model_dump())))


async def _remove_faults(host: Host, request: Request) -> Any:
    fault_id = request.path_params.get("fault_id")
    host.tenant.faults.remove(fault_id)
    return host.tenant.faults.shown()


async def _skip(host: Host, request: Request) -> Any:
    host.tenant.clock.skip((await _asked(request, Skip)).seconds)
    host.tenant.commands.settle()
    return await _state(host, request)


async def _complete(host: Host, request: Request) -> Any:
    return {"completed": host.tenant.commands.settle_all()}


async def _add_devices(host: Host, request: Request) -> Any:
    asked = await _asked(request, NewDevices)
    added = host.tenant.devices.add(asked.count, at_front=asked.at_front)
    return {"device_ids": [host.tenant.fleet.device_ids.of(index) for index in added]}


async def _remove_devices(host: Host, request: Request) -> Any:
    asked = await _asked(request, Span)
    devices = host.tenant.devices
    gone = list(devices.page(asked.offset, asked.count))
    for index in gone:
        devices.remove(index)
    return {"device_ids": [host.tenant.fleet.device_ids.of(index) for index in gone]}


async def _unlock(host: Host, request: Request) -> Any:
    index = host.tenant.devices.index(request.path_params["device_id"])
    return {"unlocked": index is not None and host.tenant.locks.unlock(index)}


async def _tokens(host: Host, request: Request) -> Any:
    return [{"token": secret, **asdict(token)} for secret, token in host.tenant.tokens.listed().items()]


async def _add_token(host: Host, request: Request) -> Any:
    asked = await _asked(request, NewToken)
    host.tenant.tokens.add(asked.token, Token(asked.name, asked.permissions))
    return asked.model_dump()


async def _revoke_token(host: Host, request: Request) -> Any:
    return {"revoked": host.tenant.tokens.revoke(request.path_params["token"])}


async def _limits(host: Host, request: Request) -> Any:
    asked = await _asked(request, NewLimits)
    host.tenant.set_limits(is_on=asked.on, per_second=asked.per_second, per_hour=asked.per_hour)
    return asked.model_dump()


CALLS: dict[str, dict[str, Call]] = {
    "": {"GET": _state},
    "/reset": {"POST": _reset},
    "/requests": {"GET": _requests, "DELETE": _forget_requests},
    "/faults": {"GET": _faults, "POST": _add_fault, "DELETE": _remove_faults},
    "/faults/{fault_id:int}": {"DELETE": _remove_faults},
    "/clock": {"POST": _skip},
    "/commands/complete": {"POST": _complete},
    "/devices": {"POST": _add_devices, "DELETE": _remove_devices},
    "/devices/{device_id}/unlock": {"POST": _unlock},
    "/tokens": {"GET": _tokens, "POST": _add_token},
    "/tokens/{token}": {"DELETE": _revoke_token},
    "/limits": {"POST": _limits},
}


def _route(host: Host, path: str, methods: dict[str, Call]) -> Route:
    async def endpoint(request: Request) -> Response:
        if not _is_local(request):
            return _json({"error": "Admin calls are taken from the same machine only."}, 403)
        try:
            return _json(await methods["GET" if request.method == "HEAD" else request.method](host, request))
        except ValidationError as error:
            return Response(error.json(include_url=False), 400, media_type="application/json")

    return Route(ADMIN + path, endpoint, methods=list(methods))


async def _asked(request: Request, model: type[A]) -> A:
    return model.model_validate_json(await request.body() or b"{}")


def _is_local(request: Request) -> bool:
    """In-process callers have no address, or a name of their own."""
    return request.client is None or request.client.host == "testclient" or ip_address(request.client.host).is_loopback


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
