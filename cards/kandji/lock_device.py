"""Lock a device now. A Mac is locked with a six-digit PIN, which comes back."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import CommandedDevice, DeviceTarget
from connector import Text, card, field


class Outputs(CommandedDevice):
    pin: Text = field("PIN that unlocks the Mac", at="reply.PIN", secret=True)


@card("Lock Device", effect="write", disruptive=True, keywords=("lost", "stolen", "offboard"))
async def lock_device(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    return Outputs.of(await kandji.command_on(inputs.device_id, "lock"))
