"""Create a model, of which assets can then be; its category and fieldset are those of all of them."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import CATEGORIES, ID, REFUSED, STATUS
from connector import CardInputs, CardOutputs, Explanation, StatusCode, Text, card, field


class Inputs(CardInputs):
    name: str = field("Name of the model", max_length=255, target=True)
    category_id: str = field("ID of the category", pattern=ID, choices=CATEGORIES)
    model_number: Text = field("Number of the model", max_length=255)
    manufacturer_id: Text = field("ID of the manufacturer", pattern=ID)
    fieldset_id: Text = field("ID of the fieldset, as another model has it", pattern=ID)


class Outputs(CardOutputs):
    model_id: Text = field("Snipe-IT's ID of the model", at="id")
    name: Text = field("Name of the model")
    model_number: Text = field("Number of the model")
    category_id: Text = field("ID of the category", at="category.id")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


@card("Create Model", effect="write", keywords=("add", "product"))
async def create_model(inputs: Inputs, snipeit: SnipeIT) -> Outputs:
    return Outputs.of(await snipeit.create("models", inputs.given()))
