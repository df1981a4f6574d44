"""What is on a device and what happened to it: apps, library items, parameters, status, commands, activity."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.errors import answer
from sandbox.kandji.api.resource import device_index
from sandbox.kandji.clock import iso, iso_of
from sandbox.kandji.state.activity import Event
from sandbox.kandji.state.commands import PENDING, Command
from sandbox.kandji.state.tenant import Tenant

IN_STATUS = ("id", "item_id", "name", "status", "reported_at", "type", "last_audit_log", "log", "rules_present")


async def apps(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    found = tenant.inventory.apps(tenant.fleet.device(index))
    headers = pages.whole(request, len(found))
    return answer({"device_id": request.path_params["device_id"], "apps": found}, headers=headers)


async def library_items(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    return answer({"device_id": request.path_params["device_id"], "library_items": _items(tenant, index)})


async def parameters(tenant: Tenant, request: Request) -> Response:
    device = tenant.fleet.device(device_index(tenant, request))
    return answer({"device_id": device.id, "parameters": tenant.inventory.parameters(device)})


async def status(tenant: Tenant, request: Request) -> Response:
    device = tenant.fleet.device(device_index(tenant, request))
    items = [{key: item[key] for key in IN_STATUS} for item in _items(tenant, device.index)]
    return answer({"device_id": device.id, "library_items": items, "parameters": tenant.inventory.parameters(device)})


async def commands(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    asked = [_command(command) for command in tenant.commands.of(index)]
    return answer({"device_id": request.path_params["device_id"], "commands": pages.sliced(request, asked)})


async def activity(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    record = tenant.devices.record(index)
    enrolled = {"blueprint_name": record["blueprint_name"], "enrollment_type": "MDM"}
    events = [_event(record, index % 50_000, "enrollment", iso_of(record["first_enrollment"]), enrolled)]
    events += [_happened(record, event) for event in tenant.activity.of(index)]
    return answer({"device_id": request.path_params["device_id"], "activity": pages.sliced(request, events)})


def _items(tenant: Tenant, index: int) -> list[dict[str, Any]]:
    record = tenant.devices.record(index)
    blueprint = {"id": record["blueprint_id"], "name": record["blueprint_name"]}
    return tenant.inventory.library_items(tenant.fleet.device(index), record["device_name"], blueprint)


def _command(command: Command) -> dict[str, Any]:
    is_done = command.status != PENDING
    return {
        "uuid": command.uuid,
        "error_chain": [{"LocalizedDescription": command.failure}] if is_done and command.failure else [],
        "command_type": command.type,
        "request_type": command.request_type,
        "metadata": command.metadata,
        "request_requires_network_tether": False,
        "status": command.status,
        "attempts": 1,
        "date_requested": iso(command.asked_at),
        "date_completed": iso(command.due_at) if is_done else None,
        "last_pushed": iso(command.asked_at),
        "user": None,
        "priority": 0,
    }


def _happened(record: dict[str, Any], event: Event) -> dict[str, Any]:
    return _event(record, event.number, event.action_type, iso(event.at), event.details)


def _event(record: dict[str, Any], number: int, action_type: str, at: str, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": at,
        "action_type": action_type,
        "details": details,
        "computer": {"id": record["device_id"], "name": record["device_name"], "is_removed": record["is_removed"]},
        "blueprint": {"id": record["blueprint_id"], "name": record["blueprint_name"], "is_removed": False},
        "user": None,
        "external_token": None,
    }
