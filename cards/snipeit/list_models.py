"""List models, of which assets are; the category and the custom fields of an asset are those of its model."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import Model
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Models", ResultSet(first=200, into="models"), keywords=("hardware", "product"))
async def list_models(page: Cursor, snipeit: SnipeIT) -> Page[Model]:
    return await snipeit.page(Model, "models", after=page)
