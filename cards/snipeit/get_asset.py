"""Get an asset, deleted or not, and who has it."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import AssetDetails, AssetTarget
from connector import card


@card("Get Asset", keywords=("hardware", "look up", "owner", "who has"))
async def get_asset(inputs: AssetTarget, snipeit: SnipeIT) -> AssetDetails:
    return AssetDetails.of(await snipeit.asset(inputs.asset_id))
