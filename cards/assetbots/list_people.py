"""List all people to whom assets can be checked out, archived and deleted ones too."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import Person
from connector import Cursor, Page, ResultSet, list_card


@list_card("List People", ResultSet(first=200, into="people"), keywords=("users", "employees"))
async def list_people(page: Cursor, assetbots: Assetbots) -> Page[Person]:
    return await assetbots.page(Person, "people", after=page)
