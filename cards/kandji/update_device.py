"""Change a device's Blueprint, assigned user or asset tag; at least one of them."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import ID, STATUS, DeviceTarget, EnrolledDevice
from connector import Boolean, CardOutputs, StatusCode, Text, card, field, group


class Inputs(DeviceTarget, any_of=("blueprint_id", "kandji_user_id", "asset_tag")):
    blueprint_id: Text = field("ID of the Blueprint to assign", pattern=ID, choices="kandji.list_blueprints:id,name")
    kandji_user_id: Text = field("Kandji's ID of the user to assign", label="Kandji User ID", at="user")
    asset_tag: Text = field("Asset tag to set", label="Asset tag")


class User(CardOutputs):
    user_email: Text = field("Email address of the assigned user", at="email")
    user_name: Text = field("Name of the assigned user", at="name")
    user_id: Text = field("Kandji's ID of the assigned user", at="id")
    user_is_archived: Boolean = field(
        "Whether the assigned user is archived", label="User is Archived", at="is_archived"
    )


class Outputs(CardOutputs):
    status: StatusCode = field(STATUS)
    device: EnrolledDevice = group("Device")
    user: User = group("User")


@card("Update Device", effect="write", keywords=("assign", "asset tag", "owner"))
async def update_device(inputs: Inputs, kandji: Kandji) -> Outputs:
    reply = await kandji.patch("devices", inputs.device_id, json=inputs.given(but="device_id"))
    device = reply.record()
    return Outputs.of({"device": device, "user": device.get("user")}, status=reply.status)
