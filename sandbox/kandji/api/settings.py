"""Licensing, which tells how many devices of each platform there are."""

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api.errors import answer
from sandbox.kandji.state.tenant import Tenant


async def licensing(tenant: Tenant, request: Request) -> Response:
    counts = {
        "ios_count": tenant.devices.of_platform("iPhone"),
        "ipados_count": tenant.devices.of_platform("iPad"),
        "macos_count": tenant.devices.of_platform("Mac"),
        "tvos_count": tenant.devices.of_platform("AppleTV"),
    }
    limits = {
        "max_devices": len(tenant.devices) + 100,
        "max_devices_per_platform": {"ios_ipados": 0, "macos": 0},
        "plan_type": "single_limit",
    }
    total = {"computers_count": len(tenant.devices)}
    return answer({"counts": {**total, **counts}, "limits": limits, "tenantOverLicenseLimit": False})
