"""Put a supervised iPhone or iPad into Managed Lost Mode, with a message or a phone number on its lock screen."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, LostMode
from connector import Text, card, field


class Inputs(DeviceTarget, any_of=("lock_message", "phone_number")):
    lock_message: Text = field("Message on the lock screen", at="Message")
    phone_number: Text = field("Phone number on the lock screen", at="PhoneNumber")
    footnote: Text = field("Small text at the foot of the lock screen", at="Footnote")


@card("Turn On Lost Mode", effect="write", disruptive=True, keywords=("lost", "stolen", "phone", "missing"))
async def turn_on_lost_mode(inputs: Inputs, kandji: Kandji) -> LostMode:
    told = await kandji.command_on(inputs.device_id, "enablelostmode", inputs.given(but="device_id"))
    return LostMode.of(told, message=told["message"] or told["taken"].get("Message"))
