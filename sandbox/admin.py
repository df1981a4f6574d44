"""The admin calls under `/_sandbox`, for tests and demonstrations: no token, only from the same machine.

What every simulated service has of them; each adds its own.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults, Kind
from sandbox.log import RequestLog

ADMIN = "/_sandbox"


class Asked(BaseModel):
    """What an admin call takes; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class NewFault(Asked):
    kind: Kind
    method: str = "*"
    path: str = "*"
    after: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    probability: float = Field(1.0, ge=0, le=1)
    milliseconds: int = Field(0, ge=0)
    status: int | None = Field(None, ge=200, le=599)
    retry_after: str | None = None


class Skip(Asked):
    seconds: float = Field(ge=0)


class Span(Asked):
    """Records by their place in the list."""

    offset: int = Field(0, ge=0)
    count: int = Field(1, ge=1)


A = TypeVar("A", bound=Asked)
H = TypeVar("H")
Calls = Mapping[str, Mapping[str, Callable[[H, Request], Awaitable[Any]]]]


def admin(host: H, calls: Calls[H]) -> Starlette:
    """The app of the admin calls. `host`: whoever holds the state."""
    return Starlette(routes=[_route(host, path, methods) for path, methods in calls.items()])


class Watched(Protocol):
    """A simulated service as it is now: what it was asked, and the faults that it is given."""

    log: RequestLog
    faults: Faults


def watching(service: Callable[[H], Watched]) -> dict[str, dict[str, Callable[[H, Request], Awaitable[Any]]]]:
    """The calls about requests and faults, which every simulated service has."""

    async def requests(host: H, _: Request) -> Any:
        return service(host).log.shown()

    async def forget_requests(host: H, _: Request) -> Any:
        service(host).log = RequestLog()
        return service(host).log.shown()

    async def faults(host: H, _: Request) -> Any:
        return service(host).faults.shown()

    async def add_fault(host: H, request: Request) -> Any:
        return asdict(service(host).faults.add(Fault(**(await asked(request, NewFault)).model_dump())))

    async def remove_faults(host: H, request: Request) -> Any:
        service(host).faults.remove(request.path_params.get("fault_id"))
        return service(host).faults.shown()

    return {
        "/requests": {"GET": requests, "DELETE": forget_requests},
        "/faults": {"GET": faults, "POST": add_fault, "DELETE": remove_faults},
        "/faults/{fault_id:int}": {"DELETE": remove_faults},
    }


async def asked(request: Request, model: type[A]) -> A:
    return model.model_validate_json(await request.body() or b"{}")


def _route(host: H, path: str, methods: Mapping[str, Callable[[H, Request], Awaitable[Any]]]) -> Route:
    async def endpoint(request: Request) -> Response:
        if not _is_local(request):
            return _json({"error": "Admin calls are taken from the same machine only."}, 403)
        try:
            return _json(await methods["GET" if request.method == "HEAD" else request.method](host, request))
        except ValidationError as error:
            return Response(error.json(include_url=False), 400, media_type="application/json")

    return Route(ADMIN + path, endpoint, methods=list(methods))


def _is_local(request: Request) -> bool:
    """In-process callers have no address, or a name of their own."""
    return request.client is None or request.client.host == "testclient" or ip_address(request.client.host).is_loopback


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
