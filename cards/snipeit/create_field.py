"""Create a custom field. Assets have it once Associate Field has put it into the fieldset of their model."""

from typing import Literal

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import REFUSED, STATUS
from connector import CardInputs, CardOutputs, Explanation, StatusCode, Text, card, field


class Inputs(CardInputs):
    name: str = field("Label of the custom field", max_length=255, target=True)
    element: Literal["text", "textarea", "listbox", "checkbox", "radio"] = field(
        "How it is entered", labels={"textarea": "Text Area", "listbox": "List Box"}, default="text"
    )
    format: str = field(
        "What it takes: ANY, ALPHA, NUMERIC, EMAIL, DATE, URL, IP, IPV4, IPV6, MAC, BOOLEAN or regex:…",
        max_length=191,
        default="ANY",
    )
    field_values: Text = field("What can be chosen, a line each; for List Box, Checkbox and Radio")
    help_text: Text = field("Words beside it")


class Outputs(CardOutputs):
    field_id: Text = field("Snipe-IT's ID of the custom field", at="id")
    name: Text = field("Its label")
    column: Text = field("Its column, by which it is written", at="db_column")
    format: Text = field("What it takes")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


@card("Create Field", effect="write", keywords=("add", "custom field"))
async def create_field(inputs: Inputs, snipeit: SnipeIT) -> Outputs:
    return Outputs.of(await snipeit.create("fields", inputs.given()))
