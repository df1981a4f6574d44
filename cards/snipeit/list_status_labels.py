"""List status labels; their types say which assets can be checked out, and which are archived."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import StatusLabel
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Status Labels", ResultSet(first=200, into="status_labels"), keywords=("state", "archived"))
async def list_status_labels(page: Cursor, snipeit: SnipeIT) -> Page[StatusLabel]:
    return await snipeit.page(StatusLabel, "statuslabels", after=page)
