"""Check an asset in, whoever has it.

Snipe-IT refuses when nobody has. It also frees the license seats of the asset, and ends acceptances that are pending.
"""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import DAY, ID, LABELS, NOTE, AssetTarget, Moved
from connector import Text, card, field


class Inputs(AssetTarget):
    note: Text = field(NOTE)
    date: Text = field("Day when it came back, as 2026-02-03; empty for today", pattern=DAY, at="checkin_at")
    location_id: Text = field("ID of the location where it is from now on", pattern=ID)
    status_id: Text = field("ID of the status label from now on", pattern=ID, choices=LABELS)


@card("Check In Asset", effect="write", keywords=("hardware", "return", "unassign", "give back"))
async def check_in_asset(inputs: Inputs, snipeit: SnipeIT) -> Moved:
    given = inputs.given(but="asset_id")
    return Moved.of(await snipeit.act("hardware", inputs.asset_id, "checkin", inputs=given))
