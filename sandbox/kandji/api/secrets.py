"""The secrets of a device: bypass codes, FileVault key, unlock PIN, Recovery Lock password."""

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api.errors import answer
from sandbox.kandji.api.resource import device_index
from sandbox.kandji.facts.secrets import bypass_codes, filevault_key, recovery_password
from sandbox.kandji.state.tenant import Tenant


async def bypass_code(tenant: Tenant, request: Request) -> Response:
    return answer(bypass_codes(tenant.fleet, tenant.fleet.device(device_index(tenant, request))))


async def filevault(tenant: Tenant, request: Request) -> Response:
    return answer({"key": filevault_key(tenant.fleet, tenant.fleet.device(device_index(tenant, request)))})


async def unlock_pin(tenant: Tenant, request: Request) -> Response:
    return answer({"pin": tenant.locks.pin(device_index(tenant, request))})


async def recovery(tenant: Tenant, request: Request) -> Response:
    device = tenant.fleet.device(device_index(tenant, request))
    return answer({"recovery_password": recovery_password(tenant.fleet, device)})
