"""Give a device a new name."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card, field


class Inputs(DeviceTarget):
    device_name: str = field("Name to give to the device", at="DeviceName", max_length=255)


@card("Set Device Name", effect="write", keywords=("rename",))
async def set_device_name(inputs: Inputs, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "setname", inputs.given(but="device_id")))
