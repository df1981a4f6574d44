"""Take an iPhone or iPad out of Managed Lost Mode."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, LostMode
from connector import card


@card("Turn Off Lost Mode", effect="write")
async def turn_off_lost_mode(inputs: DeviceTarget, kandji: Kandji) -> LostMode:
    return LostMode.of(await kandji.command_on(inputs.device_id, "disablelostmode"))
