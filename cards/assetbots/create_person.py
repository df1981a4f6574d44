"""Create a person to whom assets can be checked out."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import FIELDS, ChangedPerson
from connector import CardInputs, Object, Text, card, field


class Inputs(CardInputs):
    name: str = field("Name", min_length=2, max_length=64, target=True)
    email: Text = field("Email address", max_length=128)
    title: Text = field("Job title", max_length=64)
    fields: Object = field(FIELDS.replace("serialNumber", "department"))


@card("Create Person", effect="write", keywords=("add", "user", "employee"))
async def create_person(inputs: Inputs, assetbots: Assetbots) -> ChangedPerson:
    return ChangedPerson.of(await assetbots.create("people", inputs.given()))
