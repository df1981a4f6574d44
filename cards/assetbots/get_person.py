"""Get a person to whom assets can be checked out."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import PersonDetails, PersonTarget
from connector import card


@card("Get Person", keywords=("look up", "user", "employee"))
async def get_person(inputs: PersonTarget, assetbots: Assetbots) -> PersonDetails:
    return PersonDetails.of(await assetbots.record("people", inputs.person_id))
