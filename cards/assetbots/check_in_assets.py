"""Check assets in, whoever has them.

Assets that nobody has are left out; when that is all of them, Assetbots refuses with status 409.
"""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import REFUSED, STATUS
from connector import CardInputs, CardOutputs, Date, Explanation, List, StatusCode, Text, card, field


class Inputs(CardInputs):
    asset_ids: list[str] = field("Assetbots' IDs of the assets", label="Asset IDs", min_length=1, at="assetIds")
    date: Date = field("When they came back; empty for now")
    notes: Text = field("Note on the check-in")


class Outputs(CardOutputs):
    left_out: List = field("IDs of the assets that were not checked in; empty where Assetbots does not say")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


@card("Check In Assets", effect="write", keywords=("return", "unassign", "give back"))
async def check_in_assets(inputs: Inputs, assetbots: Assetbots) -> Outputs:
    return Outputs.of(await assetbots.check_in(inputs.given()))
