"""The four Lost Mode actions, for supervised phones and tablets."""

from sandbox.kandji.api.asked import Asked
from sandbox.kandji.api.errors import Refused, not_allowed
from sandbox.kandji.state.lostmode import ENABLED

OFF_IS_PENDING = "Disable lost mode is already pending for this device."


def turn_on(asked: Asked) -> None:
    tenant, index = asked.tenant, asked.device.index
    if not tenant.fleet.is_supervised(index) or tenant.lost.of(index) is not None:
        raise not_allowed()
    message, phone, footnote = (str(asked.given.get(key) or "") for key in ("Message", "PhoneNumber", "Footnote"))
    tenant.lost.request(index, asked.by, message=message, phone=phone, footnote=footnote)
    tenant.devices.change(index, {})
    asked.queue("EnableLostMode", effect=lambda: tenant.lost.enable(index))


def turn_off(asked: Asked) -> None:
    tenant, index = asked.tenant, asked.device.index
    if tenant.commands.is_running(index, asked.action):
        raise Refused(400, OFF_IS_PENDING)
    _require_lost(asked)
    tenant.lost.request_off(index, asked.by)
    tenant.devices.change(index, {})
    asked.queue("DisableLostMode", effect=lambda: tenant.lost.off(index))


def play_sound(asked: Asked) -> None:
    _require_lost(asked)
    asked.queue("PlayLostModeSound", effect=lambda: asked.tenant.lost.sound(asked.device.index))


def update_location(asked: Asked) -> None:
    _require_lost(asked)
    asked.queue("DeviceLocation", effect=lambda: asked.tenant.lost.locate(asked.device.index))


def _require_lost(asked: Asked) -> None:
    if asked.tenant.lost.status(asked.device.index) != ENABLED:
        raise not_allowed()
