"""Tell a Mac to reinstall the Kandji Agent."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card


@card("Reinstall Kandji Agent", effect="write")
async def reinstall_kandji_agent(inputs: DeviceTarget, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "reinstallagent"))
