"""Put a custom field into a fieldset, so that assets of its models have it; one that is in it already stays."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, Moved
from connector import CardInputs, card, field


class Inputs(CardInputs):
    field_id: str = field("Snipe-IT's ID of the custom field", pattern=ID, target=True)
    fieldset_id: str = field("ID of the fieldset, as a model has it", pattern=ID)


@card("Associate Field", effect="write", keywords=("custom field", "fieldset", "add"))
async def associate_field(inputs: Inputs, snipeit: SnipeIT) -> Moved:
    given = inputs.given(but="field_id")
    return Moved.of(await snipeit.act("fields", inputs.field_id, "associate", inputs=given))
