"""Blueprints: list, get, create, update, delete, and what their library holds."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.bodies import NOT_BOOLEAN, NOT_UUID, REQUIRED, Fields, boolean, fields, is_uuid, text, unknown
from sandbox.kandji.api.errors import Refused, answer, empty, invalid, not_found
from sandbox.kandji.clock import iso
from sandbox.kandji.facts.ids import Uuids
from sandbox.kandji.facts.words import Plan
from sandbox.kandji.state.blueprints import TAKEN, Blueprint
from sandbox.kandji.state.tenant import Tenant

LOOKS = {"icon": "ss-files", "color": "aqua-800"}
TEMPLATES = ("Starter", "CIS Level 1", "Shared Macs")
TYPES = ("classic", "map")
TYPE_MISMATCH = "Blueprint type does not match the source blueprint type"


async def list_blueprints(tenant: Tenant, request: Request) -> Response:
    found = [each for each in tenant.blueprints.all.values() if _is_wanted(request, each)]
    page = pages.sliced(request, found)
    return answer({**page, "results": [_counted(tenant, each) for each in page["results"]]})


async def list_templates(tenant: Tenant, request: Request) -> Response:
    return answer(pages.sliced(request, _templates(tenant)))


async def get_blueprint(tenant: Tenant, request: Request) -> Response:
    return answer(_counted(tenant, _blueprint(tenant, request)))


async def create_blueprint(tenant: Tenant, request: Request) -> Response:
    given = _dotted(await fields(request))
    missing = {key: REQUIRED for key in ("name", "enrollment_code.is_active") if key not in given}
    values, problems = _read(tenant, given, None)
    if missing or problems:
        raise invalid(_nested({key: [problem] for key, problem in missing.items()} | problems))
    source_type = _source_type(tenant, given)
    code, is_active = values.pop("code", None), values.pop("is_active")
    kind = values.get("type", source_type or "classic")
    if source_type and kind != source_type:
        raise Refused(400, [TYPE_MISMATCH])
    looks = LOOKS if kind == "map" else LOOKS | {key: values[key] for key in LOOKS if key in values}
    plan = Plan(values["name"], looks["icon"], looks["color"], kind, values.get("description", ""))
    return answer(_shown(tenant.blueprints.create(plan, code=code, is_active=is_active)), 201)


async def update_blueprint(tenant: Tenant, request: Request) -> Response:
    blueprint = _blueprint(tenant, request)
    values, problems = _read(tenant, _dotted(await fields(request)), blueprint)
    if problems:
        raise invalid(_nested(problems))
    ignored = {"type", *LOOKS} if blueprint.type == "map" else {"type"}
    tenant.blueprints.change(blueprint, **{key: value for key, value in values.items() if key not in ignored})
    missing = tenant.devices.missing_in_blueprint(blueprint.id)
    return answer({**_counted(tenant, blueprint), "missing_computers_count": missing})


async def delete_blueprint(tenant: Tenant, request: Request) -> Response:
    """Un-manages its devices."""
    tenant.blueprints.delete(_blueprint(tenant, request))
    return empty(204)


async def library_items(tenant: Tenant, request: Request) -> Response:
    _blueprint(tenant, request)
    return answer(pages.sliced(request, tenant.inventory.blueprint_items()))


def _blueprint(tenant: Tenant, request: Request) -> Blueprint:
    blueprint = tenant.blueprints.all.get(request.path_params["blueprint_id"])
    if blueprint is None:
        raise not_found()
    return blueprint


def _is_wanted(request: Request, blueprint: Blueprint) -> bool:
    filters = {key: value for key, value in request.query_params.items() if value}
    ids = filters.get("id__in", blueprint.id).split(",")
    wanted = filters.get("name", "").lower()
    return filters.get("id", blueprint.id) == blueprint.id and blueprint.id in ids and wanted in blueprint.name.lower()


def _dotted(given: Fields) -> Fields:
    """Nested objects as forms write them: `enrollment_code.is_active`."""
    flat: Fields = {}
    for key, value in given.items():
        inner = value if isinstance(value, dict) else None
        flat.update({key: value} if inner is None else {f"{key}.{name}": each for name, each in inner.items()})
    return flat


def _nested(problems: dict[str, list[str]]) -> dict[str, Any]:
    """Field errors as nested serializers report them."""
    nested: dict[str, Any] = {}
    for key, problem in problems.items():
        outer, _, inner = key.partition(".")
        if inner:
            nested.setdefault(outer, {})[inner] = problem
        else:
            nested[outer] = problem
    return nested


def _read(tenant: Tenant, given: Fields, kept: Blueprint | None) -> tuple[Fields, dict[str, Any]]:
    """The values that were given, under the blueprint's own names, and what is wrong with them."""
    problems: dict[str, Any] = {}
    values: Fields = {key: text(given, key, problems) for key in ("name", "icon", "color", "type") if key in given}
    if "description" in given:
        values["description"] = str(given["description"] or "")
    if "enrollment_code.is_active" in given:
        values["is_active"] = boolean(given["enrollment_code.is_active"])
    if given.get("enrollment_code.code") not in (None, ""):
        values["code"] = str(given["enrollment_code.code"])
    problems |= _wrong(tenant, values, kept)
    return values, problems


def _wrong(tenant: Tenant, values: Fields, kept: Blueprint | None) -> dict[str, Any]:
    problems: dict[str, Any] = {}
    if values.get("is_active", True) is None:
        problems["enrollment_code.is_active"] = [NOT_BOOLEAN]
    if "type" in values and values["type"] not in TYPES:
        problems["type"] = [f'"{values["type"]}" is not a valid choice.']
    name, code = values.get("name"), values.get("code")
    if name and (kept is None or name != kept.name) and tenant.blueprints.has_name(name):
        problems["name"] = [TAKEN]
    if code and not re.fullmatch(r"\d{6}", code):
        problems["enrollment_code.code"] = ["Enter a valid value."]
    elif code and (kept is None or code != kept.code) and tenant.blueprints.has_code(code):
        problems["enrollment_code.code"] = [TAKEN]
    return problems


def _source_type(tenant: Tenant, given: Fields) -> str | None:
    """The type of the blueprint or template that is copied."""
    source = given.get("source.id")
    if not source:
        return None
    types = {template["id"]: template["type"] for template in _templates(tenant)}
    if given.get("source.type") != "template":
        types = {each.id: each.type for each in tenant.blueprints.all.values()}
    if source not in types:
        raise invalid({"source": {"id": [unknown(source) if is_uuid(source) else NOT_UUID]}})
    return types[source]


def _templates(tenant: Tenant) -> list[dict[str, str]]:
    """Their record is a guess: no source shows one."""
    ids = Uuids(tenant.fleet.seed, "template")
    return [{"id": ids.of(number), "name": name, "type": "classic"} for number, name in enumerate(TEMPLATES)]


def _counted(tenant: Tenant, blueprint: Blueprint) -> dict[str, Any]:
    return {
        **_shown(blueprint),
        "computers_count": tenant.devices.in_blueprint(blueprint.id),
        "created_at": iso(blueprint.created_at),
        "updated_at": iso(blueprint.updated_at),
    }


def _shown(blueprint: Blueprint) -> dict[str, Any]:
    return {
        "id": blueprint.id,
        "name": blueprint.name,
        "icon": blueprint.icon,
        "color": blueprint.color,
        "description": blueprint.description,
        "params": {},
        "enrollment_code": {"code": blueprint.code, "is_active": blueprint.is_active},
        "type": blueprint.type,
    }
