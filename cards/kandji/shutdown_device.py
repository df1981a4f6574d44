"""Tell a device to shut down."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card


@card("Shutdown Device", effect="write", disruptive=True)
async def shutdown_device(inputs: DeviceTarget, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "shutdown"))
