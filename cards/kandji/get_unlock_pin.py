"""Get the PIN that unlocks a locked Mac."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget
from connector import CardOutputs, Text, card, field


class Outputs(CardOutputs):
    pin: Text = field("PIN that unlocks the Mac; empty when Kandji holds none", secret=True)


@card("Get Unlock PIN")
async def get_unlock_pin(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    return Outputs.of(await kandji.device(inputs.device_id, "secrets", "unlockpin"))
