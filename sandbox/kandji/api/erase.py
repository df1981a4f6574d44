"""Erase Device: its body, and a device that is no longer managed once it was erased."""

from typing import Any

from sandbox.kandji.api.asked import Asked
from sandbox.kandji.api.bodies import NOT_BOOLEAN, REQUIRED, boolean
from sandbox.kandji.api.errors import Refused, invalid

PIN_LENGTH = 6
NOT_IN_SCOPE = "The specified profile is not in scope for the device"


def erase(asked: Asked) -> None:
    """The answer is empty; that an erased device stops taking commands is a guess."""
    problems = _pin(asked) | _flags(asked) | _return_to_service(asked)
    if problems:
        raise invalid(problems)
    tenant, index = asked.tenant, asked.device.index
    asked.queue("EraseDevice", effect=lambda: tenant.devices.change(index, {"is_managed": False}))


def _pin(asked: Asked) -> dict[str, Any]:
    """A Mac needs one (Kandji's words for a missing one are not published), others ignore it."""
    if asked.device.platform != "Mac":
        return {}
    pin = asked.given.get("PIN")
    if pin is None:
        return {"PIN": [REQUIRED]}
    return {} if len(str(pin)) == PIN_LENGTH else {"PIN": [f"Ensure this field has exactly {PIN_LENGTH} characters."]}


def _flags(asked: Asked) -> dict[str, Any]:
    flags = ("PreserveDataPlan", "DisallowProximitySetup")
    return {key: [NOT_BOOLEAN] for key in flags if key in asked.given and boolean(asked.given[key]) is None}


def _return_to_service(asked: Asked) -> dict[str, Any]:
    wanted = asked.given.get("ReturnToService")
    if wanted is None or asked.device.platform not in ("iPhone", "iPad"):
        return {}
    if not isinstance(wanted, dict) or "Enabled" not in wanted:
        return {"ReturnToService": {"Enabled": [REQUIRED]}}
    profile = wanted.get("ProfileId")
    if profile and not asked.tenant.inventory.is_profile(str(profile)):
        raise Refused(400, NOT_IN_SCOPE)
    return {}
