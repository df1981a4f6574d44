"""Change a person's name, email address, title or custom fields. Assetbots needs the name every time."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import FIELDS, ChangedPerson, PersonTarget
from connector import Object, Text, card, field


class Inputs(PersonTarget):
    name: str = field("Name, also when it stays as it is", min_length=2, max_length=64)
    email: Text = field("Email address", max_length=128)
    title: Text = field("Job title", max_length=64)
    fields: Object = field(FIELDS.replace("serialNumber", "department") + "; null empties one")


@card("Update Person", effect="write", keywords=("rename", "edit"))
async def update_person(inputs: Inputs, assetbots: Assetbots) -> ChangedPerson:
    return ChangedPerson.of(await assetbots.update("people", inputs.person_id, inputs.given(but="person_id")))
