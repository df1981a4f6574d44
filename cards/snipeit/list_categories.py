"""List categories, of assets and of all else that Snipe-IT keeps."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import Category
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Categories", ResultSet(first=200, into="categories"), keywords=("kind", "type"))
async def list_categories(page: Cursor, snipeit: SnipeIT) -> Page[Category]:
    return await snipeit.page(Category, "categories", after=page)
