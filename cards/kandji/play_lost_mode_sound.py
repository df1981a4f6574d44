"""Play a sound on an iPhone or iPad in Lost Mode, for two minutes or until somebody stops it."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, LostMode
from connector import card


@card("Play Lost Mode Sound", effect="write")
async def play_lost_mode_sound(inputs: DeviceTarget, kandji: Kandji) -> LostMode:
    return LostMode.of(await kandji.command_on(inputs.device_id, "playlostmodesound"))
