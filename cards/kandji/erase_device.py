"""Erase a device: everything on it is lost. A Mac needs a six-digit PIN, an iPhone or iPad the two choices."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import CommandedDevice, DeviceTarget
from connector import Boolean, Text, card, field

NEEDED = {
    "Mac": ("pin",),
    "iPhone": ("preserve_data_plan", "disallow_proximity_setup"),
    "iPad": ("preserve_data_plan", "disallow_proximity_setup"),
}


class Inputs(DeviceTarget):
    pin: Text = field("For a Mac: PIN that will unlock it afterwards", at="PIN", digits=6, secret=True)
    preserve_data_plan: Boolean = field(
        "For iOS and iPadOS: whether the cellular data plan stays", label="PreserveDataPlan", at="PreserveDataPlan"
    )
    disallow_proximity_setup: Boolean = field(
        "For iOS and iPadOS: true keeps Setup Assistant from offering setup by a device nearby",
        label="DisallowProximitySetup",
        at="DisallowProximitySetup",
    )


class Outputs(CommandedDevice):
    pin: Text = field("PIN that unlocks the Mac", secret=True)


@card("Erase Device", effect="destroy", keywords=("wipe", "reset", "offboard", "lost", "stolen"))
async def erase_device(inputs: Inputs, kandji: Kandji) -> Outputs:
    device = await kandji.known(inputs.device_id)
    wipe = inputs.required(*NEEDED.get(device["platform"], ()))
    told = await kandji.command_on(inputs.device_id, "erase", wipe or None, device)
    return Outputs.of(told, pin=told["reply"].get("PIN") or told["taken"].get("PIN"))
