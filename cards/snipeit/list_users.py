"""List users, to whom assets can be checked out. Several may have the same email address."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import User
from connector import CardInputs, Cursor, Page, ResultSet, Text, field, list_card


class Inputs(CardInputs):
    email: Text = field("The whole email address")
    username: Text = field("The whole user name")


@list_card("List Users", ResultSet(first=200, into="users"), keywords=("people", "employees"))
async def list_users(inputs: Inputs, page: Cursor, snipeit: SnipeIT) -> Page[User]:
    return await snipeit.page(User, "users", after=page, **inputs.given())
