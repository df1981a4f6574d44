"""Unlock a local user account of a Mac, after too many wrong passwords."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Status
from connector import card, field


class Inputs(DeviceTarget):
    username: str = field("User name of the local account", at="UserName", max_length=255)


@card("Unlock User Account", effect="write", disruptive=True)
async def unlock_user_account(inputs: Inputs, kandji: Kandji) -> Status:
    return Status.of_reply(await kandji.command(inputs.device_id, "unlockaccount", inputs.given(but="device_id")))
