"""Get a user, to whom assets can be checked out."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, UserDetails
from connector import CardInputs, card, field


class Inputs(CardInputs):
    user_id: str = field("Snipe-IT's ID of the user", pattern=ID, target=True)


@card("Get User", keywords=("people", "employee", "look up"))
async def get_user(inputs: Inputs, snipeit: SnipeIT) -> UserDetails:
    return UserDetails.of(await snipeit.user(inputs.user_id))
