"""List all assets, archived and deleted ones too, each with who has it."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import Asset
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Assets", ResultSet(first=200, into="assets"), keywords=("inventory", "who has"))
async def list_assets(page: Cursor, assetbots: Assetbots) -> Page[Asset]:
    return await assetbots.page(Asset, "assets", after=page)
