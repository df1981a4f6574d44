"""Create a category, in which models can then be; it is of assets unless told otherwise."""

from typing import Literal

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import REFUSED, STATUS
from connector import CardInputs, CardOutputs, Explanation, StatusCode, Text, card, field


class Inputs(CardInputs):
    name: str = field("Name of the category", max_length=255, target=True)
    category_type: Literal["asset", "accessory", "consumable", "component", "license"] = field(
        "What it is of", default="asset"
    )


class Outputs(CardOutputs):
    category_id: Text = field("Snipe-IT's ID of the category", at="id")
    name: Text = field("Name of the category")
    category_type: Text = field("What it is of")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


@card("Create Category", effect="write", keywords=("add", "kind", "type"))
async def create_category(inputs: Inputs, snipeit: SnipeIT) -> Outputs:
    return Outputs.of(await snipeit.create("categories", inputs.given()))
