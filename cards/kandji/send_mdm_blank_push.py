"""Wake a device's MDM client with an empty push, so that it checks in for waiting commands."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card


@card("Send MDM Blank Push", effect="write")
async def send_mdm_blank_push(inputs: DeviceTarget, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "blankpush"))
