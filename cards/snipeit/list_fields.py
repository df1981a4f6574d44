"""List custom fields with their columns, by which other cards write them."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import Field
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Fields", ResultSet(first=200, into="fields"), keywords=("custom field", "column"))
async def list_fields(page: Cursor, snipeit: SnipeIT) -> Page[Field]:
    return await snipeit.page(Field, "fields", after=page)
