"""List the devices of an ADE integration; one whose mdm_device is empty still awaits enrollment."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import AdeDevice, AdeTarget
from connector import Cursor, Page, ResultSet, list_card


@list_card("List ADE Devices", ResultSet(first=300, into="results"))
async def list_ade_devices(inputs: AdeTarget, page: Cursor, kandji: Kandji) -> Page[AdeDevice]:
    return await kandji.follow(AdeDevice, *kandji.ADE, inputs.ade_token_id, "devices", after=page)
