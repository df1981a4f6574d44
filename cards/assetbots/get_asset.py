"""Get an asset, who has it, and what holds it."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import AssetDetails, AssetTarget
from connector import card


@card("Get Asset", keywords=("look up", "owner", "who has"))
async def get_asset(inputs: AssetTarget, assetbots: Assetbots) -> AssetDetails:
    return AssetDetails.of(await assetbots.record("assets", inputs.asset_id))
