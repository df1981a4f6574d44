"""Check assets out to a person, a location, or both.

Assets that others have, or that are held, are left out; when none is free, Assetbots refuses with status 409.
"""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import ID, REFUSED, STATUS
from connector import CardInputs, CardOutputs, Date, Explanation, List, StatusCode, Text, card, field


class Inputs(CardInputs, any_of=("person_id", "location_id")):
    asset_ids: list[str] = field("Assetbots' IDs of the assets", label="Asset IDs", min_length=1, at="assetIds")
    person_id: Text = field("ID of the person who gets them", pattern=ID, at="personId")
    location_id: Text = field("ID of the location they go to", pattern=ID, at="locationId")
    date: Date = field("When they were handed over; empty for now")
    due: Date = field("When they are due back", at="dueDate")
    notes: Text = field("Note on the checkout")


class Outputs(CardOutputs):
    checkout_id: Text = field("ID of the checkout", at="id")
    status: Text = field("Status of the checkout")
    person_id: Text = field("ID of the person who has them", at="person.id")
    location_id: Text = field("ID of the location where they are", at="location.id")
    left_out: List = field("IDs of the assets that were not checked out; empty where Assetbots does not say")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


@card("Check Out Assets", effect="write", keywords=("assign", "hand over", "loan"))
async def check_out_assets(inputs: Inputs, assetbots: Assetbots) -> Outputs:
    return Outputs.of(await assetbots.check_out(inputs.given()))
