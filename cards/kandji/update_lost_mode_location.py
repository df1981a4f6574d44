"""Ask an iPhone or iPad in Lost Mode for its current location."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, LostMode
from connector import card


@card("Update Lost Mode Location", effect="write")
async def update_lost_mode_location(inputs: DeviceTarget, kandji: Kandji) -> LostMode:
    return LostMode.of(await kandji.command_on(inputs.device_id, "updatelocation"))
