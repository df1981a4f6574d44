"""Write a note on a device in Kandji."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import STATUS, DeviceTarget
from connector import CardOutputs, Object, StatusCode, card, field


class Inputs(DeviceTarget):
    note: str = field("Text of the note", at="content")


class Outputs(CardOutputs):
    status_code: StatusCode = field(STATUS)
    note: Object = field("The note as Kandji keeps it")


@card("Create Note", effect="write", keywords=("comment",))
async def create_note(inputs: Inputs, kandji: Kandji) -> Outputs:
    reply = await kandji.post("devices", inputs.device_id, "notes", json=inputs.given(but="device_id"))
    return Outputs(status_code=reply.status, note=reply.record())
