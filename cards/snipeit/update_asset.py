"""Change what is given of an asset, or empty what is named. Who has it stays as it is.

A status label of the type archived archives it.
"""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, LABELS, MODELS, AssetChange, AssetTarget, ChangedAsset
from connector import List, Text, card, field


class Inputs(
    AssetChange,
    AssetTarget,
    any_of=(
        *("asset_tag", "name", "serial", "notes", "location_id", "order_number", "purchase_date", "fields"),
        *("model_id", "status_id", "empty"),
    ),
):
    model_id: Text = field("ID of the model", pattern=ID, choices=MODELS)
    status_id: Text = field("ID of the status label", pattern=ID, choices=LABELS)
    empty: List = field("Which of name, serial, notes, order_number and purchase_date to empty")


@card("Update Asset", effect="write", keywords=("hardware", "edit", "archive", "retire"))
async def update_asset(inputs: Inputs, snipeit: SnipeIT) -> ChangedAsset:
    return ChangedAsset.of(await snipeit.update("hardware", inputs.asset_id, inputs.given(but="asset_id")))
