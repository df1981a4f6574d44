"""List assets, oldest first, each with who has it.

Deleted ones, and archived ones unless a setting shows them, are listed only when asked for.
"""

from typing import Literal

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import Asset
from connector import CardInputs, Cursor, Page, ResultSet, Text, field, list_card


class Inputs(CardInputs):
    state: Literal["Deployed", "RTD", "Pending", "Undeployable", "Archived", "Requestable", "Deleted"] | None = field(
        "Only assets in this state; empty for all but deleted and archived ones",
        labels={"RTD": "Ready to Deploy"},
        at="status",
        default=None,
    )
    serial: Text = field("The whole serial number")
    asset_tag: Text = field("The whole asset tag")


@list_card("List Assets", ResultSet(first=200, into="assets"), keywords=("hardware", "inventory", "who has"))
async def list_assets(inputs: Inputs, page: Cursor, snipeit: SnipeIT) -> Page[Asset]:
    return await snipeit.page(Asset, "hardware", after=page, **inputs.given())
