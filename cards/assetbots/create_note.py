"""Write a note on an asset, a person, a location or a checkout."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import ID, REFUSED, STATUS
from connector import CardInputs, CardOutputs, Date, Explanation, StatusCode, Text, card, field


class Inputs(CardInputs):
    target_id: str = field("Assetbots' ID of what the note is about", pattern=ID, target=True)
    note: str = field("Text of the note")


class Outputs(CardOutputs):
    note_id: Text = field("ID of the note", at="id")
    note: Text = field("Text of the note", at="value")
    created: Date = field("When it was written", at="createDate")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


@card("Create Note", effect="write", keywords=("comment", "remark"))
async def create_note(inputs: Inputs, assetbots: Assetbots) -> Outputs:
    return Outputs.of(await assetbots.note(inputs.target_id, inputs.note))
