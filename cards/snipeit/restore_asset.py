"""Restore an asset that was deleted; Snipe-IT refuses when it is not."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import AssetTarget, Moved
from connector import card


@card("Restore Asset", effect="write", keywords=("hardware", "undelete", "trash"))
async def restore_asset(inputs: AssetTarget, snipeit: SnipeIT) -> Moved:
    return Moved.of(await snipeit.act("hardware", inputs.asset_id, "restore"))
