"""Remove the passcode of an iPhone or iPad. Other devices answer with status 400."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card


@card("Clear Passcode", effect="destroy")
async def clear_passcode(inputs: DeviceTarget, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "clearpasscode"))
