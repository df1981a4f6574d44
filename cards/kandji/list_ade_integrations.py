"""List the Automated Device Enrollment (ADE) integrations."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import AdeIntegration
from connector import Cursor, Page, ResultSet, list_card


@list_card("List ADE Integrations", ResultSet(first=200, into="results"))
async def list_ade_integrations(page: Cursor, kandji: Kandji) -> Page[AdeIntegration]:
    return await kandji.follow(AdeIntegration, *kandji.ADE, after=page)
