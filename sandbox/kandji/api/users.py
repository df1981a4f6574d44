"""Directory users: a list by cursor, get, delete."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.bodies import boolean
from sandbox.kandji.api.errors import Refused, answer, empty, not_found
from sandbox.kandji.facts.ids import Uuids
from sandbox.kandji.state.tenant import Tenant

INTEGRATION = 634
FIRST = "cD0w"  # the cursor `p=0`


async def list_users(tenant: Tenant, request: Request) -> Response:
    """No count: `next` and `previous` hold an opaque cursor; `sizePerPage` is undocumented."""
    size = min(pages.number(request, "sizePerPage", default=pages.CAP) or pages.CAP, pages.CAP)
    start = _start(request)
    filters = {key: value for key, value in request.query_params.items() if value}  # as Django does: a guess
    page = _some(tenant, filters, tenant.users.after(start), size + 1)
    before = _some(tenant, filters, tenant.users.before(start), size)
    return answer(
        {
            "next": _link(request, page[size]) if len(page) > size else None,
            "previous": _link(request, before[-1]) if before else None,
            "results": [_shown(tenant, number) for number in page[:size]],
        }
    )


async def get_user(tenant: Tenant, request: Request) -> Response:
    return answer(_shown(tenant, _number(tenant, request)))


async def delete_user(tenant: Tenant, request: Request) -> Response:
    number = _number(tenant, request)
    if tenant.devices.owned_by(number):
        raise Refused(400, {"detail": "User still assigned to one or more devices."})
    tenant.users.delete(number)
    return empty(204)


def _number(tenant: Tenant, request: Request) -> int:
    number = tenant.users.number(request.path_params["user_id"])
    if number is None:
        raise not_found()
    return number


def _some(tenant: Tenant, filters: dict[str, str], numbers: Iterator[int], many: int) -> list[int]:
    return list(islice((number for number in numbers if _is_wanted(tenant, filters, number)), many))


def _link(request: Request, number: int) -> str:
    return str(request.url.include_query_params(cursor=b64encode(f"p={number}".encode()).decode()))


def _start(request: Request) -> int:
    try:
        return int(b64decode(request.query_params.get("cursor") or FIRST).decode().removeprefix("p="))
    except (NotBase64, ValueError) as error:
        raise Refused(404, {"detail": "Invalid cursor"}) from error


def _is_wanted(tenant: Tenant, filters: dict[str, str], number: int) -> bool:
    person = tenant.users.person(number)
    archived = boolean(filters.get("archived", ""))
    return (
        filters.get("email", "").lower() in person.email
        and filters.get("id", person.id) == person.id
        and filters.get("integration_id") in (None, _integration_id(tenant))
        and archived in (None, tenant.users.is_archived(number))
    )


def _integration_id(tenant: Tenant) -> str:
    return Uuids(tenant.fleet.seed, "directory").of(0)


def _shown(tenant: Tenant, number: int) -> dict[str, Any]:
    person = tenant.users.person(number)
    is_archived = tenant.users.is_archived(number)
    return {
        "active": not is_archived,
        "archived": is_archived,
        "created_at": "2025-01-06T21:00:04.304248Z",
        "department": None,
        "deprecated_user_id": str(number + 1),
        "email": person.email,
        "id": person.id,
        "integration": {"id": INTEGRATION, "name": "example", "uuid": _integration_id(tenant), "type": "office365"},
        "job_title": None,
        "name": person.name,
        "device_count": len(tenant.devices.owned_by(number)),
        "updated_at": "2025-01-06T21:00:04.304280Z",
    }
