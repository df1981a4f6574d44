"""Create an asset. Assetbots refuses with status 402 when the plan's number of assets is reached."""

from cards.assetbots._client import Assetbots
from cards.assetbots._shapes import FIELDS, ID, ChangedAsset
from connector import CardInputs, Object, Text, card, field


class Inputs(CardInputs, any_of=("tag", "description", "fields")):
    tag: Text = field("Asset tag", max_length=48, target=True)
    description: Text = field("Description", max_length=256)
    category_id: Text = field("ID of the category, as another asset has it", pattern=ID, at="category.id")
    fields: Object = field(FIELDS)


@card("Create Asset", effect="write", keywords=("add", "register"))
async def create_asset(inputs: Inputs, assetbots: Assetbots) -> ChangedAsset:
    return ChangedAsset.of(await assetbots.create("assets", inputs.given()))
