"""Change an asset's tag, description, category or custom fields; at least one of them."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import FIELDS, ID, AssetTarget, ChangedAsset
from connector import List, Object, Text, card, field


class Inputs(AssetTarget, any_of=("tag", "description", "category_id", "empty", "fields")):
    tag: Text = field("Asset tag", max_length=48)
    description: Text = field("Description", max_length=256)
    category_id: Text = field("ID of the category, as another asset has it", pattern=ID, at="category.id")
    empty: List = field("Which of tag, description and category to empty")
    fields: Object = field(FIELDS + "; null empties one")


@card("Update Asset", effect="write", keywords=("asset tag", "edit"))
async def update_asset(inputs: Inputs, assetbots: Assetbots) -> ChangedAsset:
    return ChangedAsset.of(await assetbots.update("assets", inputs.asset_id, inputs.given(but="asset_id")))
