"""Get a device: its top-level details, or all that Kandji knows of it."""

from typing import Literal

from cards.kandji._client import Kandji
from cards.kandji._details import Full
from cards.kandji._shapes import DeviceTarget, EnrolledDevice
from connector import Boolean, CardOptions, CardOutputs, Text, card, field, group


class Options(CardOptions):
    details: Literal["basic", "full"] = field("How much to return", labels={"basic": "Basic", "full": "Full"})


class User(CardOutputs):
    email: Text = field("Email address of the assigned user")
    name: Text = field("Name of the assigned user")
    user_id: Text = field("Kandji's ID of the assigned user", at="id")
    is_archived: Boolean = field("Whether the assigned user is archived")


class Basic(CardOutputs, when={"details": "basic"}):
    device: EnrolledDevice = group("Device")
    user: User = group("User")


@card("Get Device", keywords=("look up", "owner", "who has"))
async def get_device(options: Options, inputs: DeviceTarget, kandji: Kandji) -> Basic | Full:
    if options.details == "full":
        return Full.of_details(await kandji.device(inputs.device_id, "details"))
    device = await kandji.device(inputs.device_id)
    return Basic.of({"device": device, "user": device.get("user")})
