"""List the apps installed on a device; on iOS, iPadOS and tvOS the built-in ones are not known."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import App, DeviceTarget
from connector import CardOutputs, List, card, field, rows_of


class Outputs(CardOutputs):
    apps: List = field("The apps", items=App)


@card("List Device Apps")
async def list_device_apps(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    return Outputs(apps=rows_of(await kandji.get("devices", inputs.device_id, "apps"), "apps"))
