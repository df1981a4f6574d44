"""Tags: list, create, rename, delete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.bodies import REQUIRED, fields, text
from sandbox.kandji.api.errors import answer, empty, invalid, not_found
from sandbox.kandji.state.blueprints import TAKEN
from sandbox.kandji.state.tenant import Tenant


async def list_tags(tenant: Tenant, request: Request) -> Response:
    wanted = request.query_params.get("search", "").lower()
    found = [{"id": each, "name": name} for each, name in tenant.tags.names.items() if wanted in name.lower()]
    return answer(pages.sliced(request, found))


async def create_tag(tenant: Tenant, request: Request) -> Response:
    name = await _name(tenant, request)
    return answer({"id": tenant.tags.create(name), "name": name}, 201)


async def rename_tag(tenant: Tenant, request: Request) -> Response:
    tag_id = _tag(tenant, request)
    name = await _name(tenant, request, kept=tag_id)
    tenant.tags.rename(tag_id, name)
    return answer({"id": tag_id, "name": name})


async def delete_tag(tenant: Tenant, request: Request) -> Response:
    tenant.tags.delete(_tag(tenant, request))
    return empty(204)


def _tag(tenant: Tenant, request: Request) -> str:
    tag_id: str = request.path_params["tag_id"]
    if tag_id not in tenant.tags.names:
        raise not_found()
    return tag_id


async def _name(tenant: Tenant, request: Request, *, kept: str | None = None) -> str:
    """The name that is given; a tag may keep its own."""
    given = await fields(request)
    problems: dict[str, Any] = {} if "name" in given else {"name": [REQUIRED]}
    name = None if problems else text(given, "name", problems)
    if name and tenant.tags.id_of(name) not in (None, kept):
        problems["name"] = [TAKEN]
    if problems or name is None:
        raise invalid(problems)
    return name
