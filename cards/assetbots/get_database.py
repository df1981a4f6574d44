"""Get the workspace that the connection's API key belongs to, and what its plan allows."""

from cards.assetbots._client import Assetbots
from connector import Boolean, CardOutputs, Integer, Text, card, field


class Outputs(CardOutputs):
    database_id: Text = field("ID of the workspace", at="id")
    name: Text = field("Name of the workspace")
    organization_name: Text = field("Name of the organization", at="organizationName")
    visibility: Text = field("Private or Public")
    asset_limit: Integer = field("Most assets that the plan allows; empty for any number", at="limits.assets")
    automation_limit: Integer = field("Most automations that the plan allows", at="limits.automations")
    kit_limit: Integer = field("Most kits that the plan allows", at="limits.kits")
    import_agreements: Boolean = field("Whether agreements can be imported", at="limits.importAgreements")


@card("Get Database", keywords=("workspace", "plan", "limit"))
async def get_database(assetbots: Assetbots) -> Outputs:
    return Outputs.of(await assetbots.database())
