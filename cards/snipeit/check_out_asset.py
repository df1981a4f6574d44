"""Check an asset out to a user, a location or another asset.

Snipe-IT refuses unless it is free and its status label deployable. It may send the user an email.
"""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import DAY, ID, LABELS, MOMENT, NOTE, AssetTarget, Moved
from connector import Text, card, field


class Inputs(AssetTarget, any_of=("user_id", "location_id", "to_asset_id")):
    user_id: Text = field("ID of the user who gets it", pattern=ID, at="assigned_user")
    location_id: Text = field("ID of the location it goes to", pattern=ID, at="assigned_location")
    to_asset_id: Text = field("ID of the asset it belongs to", label="To Asset ID", pattern=ID, at="assigned_asset")
    note: Text = field(NOTE)
    date: Text = field("When it was handed over, in the server's time; empty for now", pattern=MOMENT, at="checkout_at")
    due: Text = field("Day when it is due back, as 2026-02-03", pattern=DAY, at="expected_checkin")
    status_id: Text = field("ID of the status label from now on; a deployable one", pattern=ID, choices=LABELS)


@card("Check Out Asset", effect="write", keywords=("hardware", "assign", "hand over", "loan"))
async def check_out_asset(inputs: Inputs, snipeit: SnipeIT) -> Moved:
    return Moved.of(await snipeit.check_out(inputs.asset_id, inputs.given(but="asset_id")))
