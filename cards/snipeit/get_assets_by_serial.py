"""Get the assets with a serial number: none, one, or several, as Snipe-IT lets assets share one unless told not to."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import Asset
from connector import Boolean, CardInputs, CardOutputs, List, Number, card, field


class Inputs(CardInputs):
    serial: str = field("The whole serial number", max_length=255, target=True)
    deleted: Boolean = field("Whether deleted assets count too")


class Outputs(CardOutputs):
    assets: List = field("The assets, as Snipe-IT sends them", items=Asset)
    count: Number = field("How many there are")


@card("Get Assets by Serial", keywords=("hardware", "serial number", "find", "look up"))
async def get_assets_by_serial(inputs: Inputs, snipeit: SnipeIT) -> Outputs:
    return Outputs.of(await snipeit.by_serial(inputs.serial, deleted=bool(inputs.deleted)))
