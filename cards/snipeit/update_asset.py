"""Change what is given of an asset. A status label of the type archived archives it. Who has it stays as it is."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, LABELS, MODELS, AssetChange, AssetTarget, ChangedAsset
from connector import Text, card, field


class Inputs(
    AssetChange,
    AssetTarget,
    any_of=(
        *("asset_tag", "name", "serial", "notes", "location_id", "order_number", "purchase_date", "fields"),
        *("model_id", "status_id"),
    ),
):
    model_id: Text = field("ID of the model", pattern=ID, choices=MODELS)
    status_id: Text = field("ID of the status label", pattern=ID, choices=LABELS)


@card("Update Asset", effect="write", keywords=("hardware", "edit", "archive", "retire"))
async def update_asset(inputs: Inputs, snipeit: SnipeIT) -> ChangedAsset:
    return ChangedAsset.of(await snipeit.update("hardware", inputs.asset_id, inputs.given(but="asset_id")))
