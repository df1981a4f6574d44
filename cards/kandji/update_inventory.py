"""Tell a device to report its inventory and run its daily MDM commands now."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card


@card("Update Inventory", effect="write")
async def update_inventory(inputs: DeviceTarget, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "updateinventory"))
