"""List the Library Items of a device and their statuses."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget, LibraryItem
from connector import CardOutputs, List, card, field, rows_of


class Outputs(CardOutputs):
    items_list: List = field("The Library Items", items=LibraryItem)


@card("List Device Library Items")
async def list_device_library_items(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    found = await kandji.get("devices", inputs.device_id, "library-items")
    return Outputs(items_list=rows_of(found, "library_items"))
