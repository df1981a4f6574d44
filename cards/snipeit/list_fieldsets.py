"""List fieldsets, which say what custom fields the assets of a model have."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import Fieldset
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Fieldsets", ResultSet(first=200, into="fieldsets"), keywords=("custom field", "model"))
async def list_fieldsets(page: Cursor, snipeit: SnipeIT) -> Page[Fieldset]:
    return await snipeit.page(Fieldset, "fieldsets", after=page)
