"""`POST /devices/{id}/action/{name}`: what each action needs, queues and does to the device."""

from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import lostmode
from sandbox.kandji.api.asked import Asked
from sandbox.kandji.api.bodies import NOT_BOOLEAN, REQUIRED, boolean, fields
from sandbox.kandji.api.erase import erase
from sandbox.kandji.api.errors import Refused, already_running, answer, empty, invalid, not_allowed, not_found
from sandbox.kandji.api.resource import device_index
from sandbox.kandji.clock import iso
from sandbox.kandji.facts.details import local_user
from sandbox.kandji.state.tenant import Tenant

MAC = frozenset({"Mac"})
MOBILE = frozenset({"iPhone", "iPad"})
APPLE = MAC | MOBILE | {"AppleTV"}

# What Kandji queues for an inventory update.
INVENTORY = (
    "AvailableOSUpdates",
    "DeviceInformation",
    "SecurityInfo",
    "UserList",
    "InstalledApplicationList",
    "ProfileList",
    "CertificateList",
)


class Action(NamedTuple):
    """The platforms that take it, and what it does; some answer with a body."""

    platforms: frozenset[str]
    carry_out: Callable[[Asked], Response | None]


async def act(tenant: Tenant, request: Request) -> Response:
    name = request.path_params["action"]
    action = ACTIONS.get(name)
    if action is None:
        raise not_found()
    index = device_index(tenant, request)
    given = await fields(request)
    record = tenant.devices.record(index)
    if record["platform"] not in action.platforms or not record["mdm_enabled"]:
        raise not_allowed()
    if name != "disablelostmode" and tenant.commands.is_running(index, name):
        raise already_running()
    asked = Asked(tenant, tenant.fleet.device(index), name, given, request.state.by)
    return action.carry_out(asked) or empty()


def _queues(command_type: str) -> Callable[[Asked], None]:
    return lambda asked: asked.queue(command_type)


def _blank_push(asked: Asked) -> None:
    """No command: the device is woken and checks in."""
    asked.tenant.devices.change(asked.device.index, {"checked_in": iso(asked.tenant.clock.now())})


def _update_inventory(asked: Asked) -> None:
    for command_type in INVENTORY:
        asked.queue(command_type, effect=lambda: _blank_push(asked))


def _lock(asked: Asked) -> Response | None:
    """A Mac answers its PIN; the lock screen of the others needs none."""
    locks, index = asked.tenant.locks, asked.device.index
    if asked.device.platform != "Mac":
        asked.queue("DeviceLock")
        return None
    if locks.is_locked(index):
        raise Refused(400, "This device is already locked.")
    asked.queue("DeviceLock")
    return answer({"PIN": locks.lock(index)})


def _remote_desktop(asked: Asked) -> None:
    turn_on = boolean(asked.required("EnableRemoteDesktop"))
    if turn_on is None:
        raise invalid({"EnableRemoteDesktop": [NOT_BOOLEAN]})
    devices, index = asked.tenant.devices, asked.device.index
    if not turn_on and not devices.has_remote_desktop(index):
        raise not_allowed()
    asked.queue(
        "EnableRemoteDesktop" if turn_on else "DisableRemoteDesktop",
        effect=lambda: devices.change(index, {"has_remote_desktop": turn_on}),
    )


def _set_name(asked: Asked) -> None:
    name = asked.required_text("DeviceName")
    tenant, index = asked.tenant, asked.device.index

    def rename() -> None:
        old = tenant.devices.record(index)["device_name"]
        tenant.devices.change(index, {"name": name})
        tenant.activity.note(index, "name_changed", old_name=old, new_name=name)

    asked.queue("SetDeviceName", request_type="Settings", metadata={"DeviceName": name}, effect=rename)


def _unlock_account(asked: Asked) -> None:
    """The Mac itself knows its accounts: for an unknown one the command is sent, and fails."""
    name = asked.required_text("UserName")
    user = local_user(asked.tenant.fleet, asked.device)
    is_known = user is not None and user.login == name
    failure = None if is_known else f"The user {name} does not exist."
    asked.queue("UnlockUserAccount", metadata={"UserName": name}, failure=failure)


def _delete_user(asked: Asked) -> None:
    if not boolean(asked.given.get("DeleteAllUsers", False)) and not asked.given.get("UserName"):
        raise invalid({"UserName": [REQUIRED]})
    asked.queue("DeleteUser", metadata=asked.given)


ACTIONS = {
    "blankpush": Action(APPLE, _blank_push),
    "clearpasscode": Action(MOBILE, _queues("ClearPasscode")),
    "dailycheckin": Action(APPLE, _blank_push),
    "deleteuser": Action(MAC, _delete_user),
    "disablelostmode": Action(MOBILE, lostmode.turn_off),
    "enablelostmode": Action(MOBILE, lostmode.turn_on),
    "erase": Action(APPLE, erase),
    "lock": Action(APPLE, _lock),
    "playlostmodesound": Action(MOBILE, lostmode.play_sound),
    "reinstallagent": Action(MAC, _queues("InstallEnterpriseApplication")),
    "remotedesktop": Action(MAC, _remote_desktop),
    "renewmdmprofile": Action(APPLE, _queues("InstallProfile")),
    "restart": Action(APPLE, _queues("RestartDevice")),
    "setname": Action(APPLE, _set_name),
    "shutdown": Action(MAC | MOBILE, _queues("ShutDownDevice")),
    "unlockaccount": Action(MAC, _unlock_account),
    "updateinventory": Action(APPLE, _update_inventory),
    "updatelocation": Action(MOBILE, lostmode.update_location),
}
