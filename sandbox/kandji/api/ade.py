"""Automated Device Enrollment: integrations and the devices assigned to them."""

from base64 import b64encode
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.adedevice import listed, single
from sandbox.kandji.api.bodies import NOT_UUID, fields, is_uuid, unknown
from sandbox.kandji.api.errors import answer, invalid, not_found
from sandbox.kandji.facts.ids import Uuids
from sandbox.kandji.state.ade import AdeChange, AdeDevice, Integration
from sandbox.kandji.state.tenant import Tenant

FAMILIES = ("Mac", "iPad", "iPhone", "AppleTV")
OLD_NAMES = {"blueprint": "blueprint_id", "user": "user_id"}
EXACT = ("user_id", "device_family", "os", "profile_status")
PARTIAL = ("blueprint_id", "model", "serial_number")


async def list_integrations(tenant: Tenant, request: Request) -> Response:
    return answer(pages.sliced(request, [_shown(tenant, each) for each in tenant.ade.integrations]))


async def get_integration(tenant: Tenant, request: Request) -> Response:
    return answer(_shown(tenant, _integration(tenant, request)))


async def public_key(tenant: Tenant, request: Request) -> Response:
    """A certificate in form only."""
    lines = b64encode(Random(f"{tenant.fleet.seed}/public key").randbytes(480)).decode()
    rows = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    certificate = f"-----BEGIN CERTIFICATE-----\n{rows}\n-----END CERTIFICATE-----\n"
    return Response(certificate, media_type="application/x-x509-ca-cert")


async def integration_devices(tenant: Tenant, request: Request) -> Response:
    return _page(tenant, request, _integration(tenant, request).number)


async def all_devices(tenant: Tenant, request: Request) -> Response:
    query = request.query_params
    account = query.get("dep_account", "")
    if account and not is_uuid(account):
        raise invalid({"dep_account": ["Enter a valid UUID."]})
    number = next((each.number for each in tenant.ade.integrations if each.id == account), None)
    filters = {key: query[key] for key in (*EXACT, *PARTIAL) if query.get(key)}
    if account and number is None:
        return _found(request, [])
    if not filters:
        return _page(tenant, request, number)
    everything = tenant.ade.page(number, 0, tenant.ade.count(number))
    return _found(request, [row for device in everything if _is_wanted(row := listed(tenant, device), filters)])


async def get_ade_device(tenant: Tenant, request: Request) -> Response:
    return answer(single(tenant, _device(tenant, request)))


async def update_ade_device(tenant: Tenant, request: Request) -> Response:
    device = _device(tenant, request)
    given = {OLD_NAMES.get(key, key): value for key, value in (await fields(request)).items()}
    problems: dict[str, Any] = {}
    change = AdeChange()
    if "asset_tag" in given:
        change["asset_tag"] = None if given["asset_tag"] is None else str(given["asset_tag"])
    if "blueprint_id" in given:
        change["blueprint_id"] = given["blueprint_id"]
        problems |= _wrong(
            "blueprint_id", given["blueprint_id"], is_known=given["blueprint_id"] in tenant.blueprints.all
        )
    if "user_id" in given:
        change["user_id"] = given["user_id"]
        problems |= _wrong("user_id", given["user_id"], is_known=tenant.users.number(str(given["user_id"])) is not None)
    if problems:
        raise invalid(problems)
    tenant.ade.changes[device.number] = {**tenant.ade.changes.get(device.number, {}), **change}
    return answer(single(tenant, device))


def _wrong(key: str, value: Any, *, is_known: bool) -> dict[str, Any]:
    if value is None or is_known:
        return {}
    return {key: [unknown(value) if is_uuid(value) else NOT_UUID]}


def _integration(tenant: Tenant, request: Request) -> Integration:
    wanted = request.path_params["ade_token_id"]
    found = next((each for each in tenant.ade.integrations if each.id == wanted), None)
    if found is None:
        raise not_found()
    return found


def _device(tenant: Tenant, request: Request) -> AdeDevice:
    found = tenant.ade.find(request.path_params["ade_device_id"])
    if found is None:
        raise not_found()
    return found


def _page(tenant: Tenant, request: Request, integration: int | None) -> Response:
    count = tenant.ade.count(integration)
    at = pages.numbered(request, count)
    results = [listed(tenant, device) for device in tenant.ade.page(integration, at.offset, at.limit)]
    return answer(pages.numbered_envelope(request, at, count, results))


def _found(request: Request, rows: list[dict[str, Any]]) -> Response:
    at = pages.numbered(request, len(rows))
    return answer(pages.numbered_envelope(request, at, len(rows), rows[at.offset : at.offset + at.limit]))


def _is_wanted(row: dict[str, Any], filters: dict[str, str]) -> bool:
    return all(
        filters[key] == row[key] if key in EXACT else filters[key].lower() in (row[key] or "").lower()
        for key in filters
    )


def _shown(tenant: Tenant, integration: Integration) -> dict[str, Any]:
    counts = {family: tenant.ade.count(integration.number, family) for family in FAMILIES}
    return {
        "id": integration.id,
        "blueprint": _default_blueprint(tenant, integration),
        "access_token_expiry": "2026-05-01T00:00:00Z" if integration.status == "BROKEN" else "2027-08-01T00:00:00Z",
        "server_name": integration.server,
        "server_uuid": Uuids(tenant.fleet.seed, "mdm server").of(integration.number),
        "admin_id": "abm@example.com",
        "org_name": "Example Ltd",
        "org_email": "abm@example.com",
        "org_phone": "+1 555 0100",
        "org_address": "1 Example Way",
        "org_type": "org",
        "stoken_file_name": f"{integration.server}_Token_2026-08-01T00-00-00Z_smime.p7m",
        "last_device_sync": integration.last_sync,
        "defaults": {"email": "it@example.com", "phone": "5550100"},
        "days_left": 0 if integration.status == "BROKEN" else 271,
        "status": integration.status,
        "status_reason": integration.reason,
        "status_received_at": integration.last_sync,
        "device_counts": {**{family: many for family, many in counts.items() if many}, "total": sum(counts.values())},
        "use_blueprint_routing": integration.number == 1,
    }


def _default_blueprint(tenant: Tenant, integration: Integration) -> dict[str, str] | None:
    """Nothing where blueprint routing decides instead."""
    blueprint = tenant.blueprints.all.get(tenant.fleet.blueprints[0])
    if integration.number == 1 or blueprint is None:
        return None
    return {"id": blueprint.id, "name": blueprint.name, "icon": blueprint.icon, "color": blueprint.color}
