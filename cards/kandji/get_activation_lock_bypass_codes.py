"""Get the codes that bypass Activation Lock on a Mac."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget
from connector import CardOutputs, Text, card, field


class Outputs(CardOutputs):
    user_based_code: Text = field(
        "Code for Activation Lock that a personal Apple Account turned on",
        label="User-Based Activation Lock Bypass Code",
        at="user_based_albc",
        secret=True,
    )
    device_based_code: Text = field(
        "Code for Activation Lock that the MDM server turned on",
        label="Device-Based Activation Lock Bypass Code",
        at="device_based_albc",
        secret=True,
    )


@card("Get Activation Lock Bypass Codes")
async def get_activation_lock_bypass_codes(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    return Outputs.of(await kandji.device(inputs.device_id, "secrets", "bypasscode"))
