"""List the notes on a device."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, Note
from connector import CardOutputs, List, card, field, rows_of


class Outputs(CardOutputs):
    notes_list: List = field("The notes", items=Note)


@card("List Device Notes")
async def list_device_notes(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    return Outputs(notes_list=rows_of(await kandji.get("devices", inputs.device_id, "notes")))
