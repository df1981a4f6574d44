"""Turn Apple Remote Desktop of a Mac on or off, with Observe and Control for all users."""

from typing import Literal

from cards.kandji._client import Kandji
from cards.kandji._shapes import STATUS, DeviceTarget
from connector import CardOutputs, Explanation, StatusCode, card, field


class Inputs(DeviceTarget):
    manage_remote_desktop: Literal["on", "off"] = field(
        "Whether Remote Management is turned on or off", labels={"on": "Turn On", "off": "Turn Off"}
    )


class Outputs(CardOutputs):
    status_code: StatusCode = field(STATUS)
    body: Explanation = field("Why Kandji refused, such as a command that is still pending")


@card("Manage Apple Remote Desktop", effect="write", keywords=("ard", "screen sharing"))
async def manage_apple_remote_desktop(inputs: Inputs, kandji: Kandji) -> Outputs:
    wanted = {"EnableRemoteDesktop": inputs.manage_remote_desktop == "on"}
    reply = await kandji.command(inputs.device_id, "remotedesktop", wanted)
    return Outputs(status_code=reply.status)
