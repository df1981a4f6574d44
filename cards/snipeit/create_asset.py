"""Create an asset of a model, with a status label. It needs a tag, unless the server numbers assets itself."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, LABELS, MODELS, AssetChange, ChangedAsset
from connector import card, field


class Inputs(AssetChange):
    model_id: str = field("ID of the model", pattern=ID, choices=MODELS)
    status_id: str = field("ID of the status label", pattern=ID, choices=LABELS)


@card("Create Asset", effect="write", keywords=("hardware", "add", "register"))
async def create_asset(inputs: Inputs, snipeit: SnipeIT) -> ChangedAsset:
    return ChangedAsset.of(await snipeit.create("hardware", inputs.given()))
