"""The record of a device in Apple Business Manager, in its two shapes."""

from typing import Any

from sandbox.kandji.clock import iso_of
from sandbox.kandji.facts.words import COLORS, MODELS, OS_NAMES
from sandbox.kandji.state.ade import AdeDevice
from sandbox.kandji.state.tenant import Tenant

NOT_ENROLLED = {"profile_status": "assigned", "profile_push_time": None}
PUSHED = {"profile_status": "pushed", "profile_push_time": "2026-01-10T10:05:00Z"}


def listed(tenant: Tenant, device: AdeDevice) -> dict[str, Any]:
    """As lists show it since 2026."""
    integration = tenant.ade.integrations[device.slot.integration or 0]
    models = MODELS[device.slot.platform]
    model = models[device.number % len(models)] if device.device is None else tenant.fleet.device(device.device).model
    color = COLORS[device.number % len(COLORS)]
    enrolled = _mdm_device(tenant, device)
    change = tenant.ade.changes.get(device.number, {})
    return {
        "blueprint_id": change.get("blueprint_id", _first_blueprint(tenant, device)),
        "mdm_device": enrolled,
        "user_id": change.get("user_id", _first_user(tenant, device)),
        "tags": [],
        "dep_account": {"id": integration.id, "server_name": integration.server},
        "asset_tag": change.get("asset_tag"),
        "color": color,
        "description": f"{model.family} {color}",
        "device_assigned_by": "abm@example.com",
        "device_assigned_date": "2025-01-02T10:00:00Z",
        "device_family": device.slot.platform,
        "model": model.family,
        "os": OS_NAMES[device.slot.platform],
        "profile_assign_time": "2025-01-02T10:01:00Z",
        **(PUSHED if enrolled else NOT_ENROLLED),
        "serial_number": device.serial,
        "id": device.id,
        "last_assignment_status": "SUCCESS",
        "failed_assignment_attempts": 0,
        "assignment_status_received_at": "2025-01-02T10:01:01.000001Z",
        "use_blueprint_routing": integration.number == 1,
    }


def single(tenant: Tenant, device: AdeDevice) -> dict[str, Any]:
    """As Get answers it: the keys of both generations at once."""
    row = listed(tenant, device)
    return {**row, "blueprint": row["blueprint_id"], "user": row["user_id"]}


def _mdm_device(tenant: Tenant, device: AdeDevice) -> dict[str, Any] | None:
    """Nothing while enrolment is awaited, and again when the device was removed."""
    if device.device is None or device.device not in tenant.devices:
        return None
    record = tenant.devices.record(device.device)
    return {
        "id": record["device_id"],
        "enrolled_at": iso_of(record["first_enrollment"]),
        "name": record["device_name"],
        "enrollment_status": 3,
        "deferred_install": False,
        "is_missing": record["is_missing"],
        "is_removed": record["is_removed"],
    }


def _first_blueprint(tenant: Tenant, device: AdeDevice) -> str | None:
    """Nothing where blueprint routing decides."""
    return None if device.slot.integration == 1 else tenant.fleet.blueprints[device.slot.blueprint]


def _first_user(tenant: Tenant, device: AdeDevice) -> str | None:
    if device.device is not None or device.number % 3:
        return None
    return tenant.fleet.person(device.number % tenant.fleet.people).id
