"""List the devices of an ADE integration; one whose mdm_device is empty still awaits enrollment."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import ID, AdeDevice
from connector import CardInputs, Cursor, Page, ResultSet, field, list_card


class Inputs(CardInputs):
    ade_token_id: str = field(
        "ID of the ADE token", label="ADE Token ID", pattern=ID, choices="kandji.list_ade_integrations:id,server_name"
    )


@list_card("List ADE Devices", ResultSet(first=300, into="results"))
async def list_ade_devices(inputs: Inputs, page: Cursor, kandji: Kandji) -> Page[AdeDevice]:
    return await kandji.follow(AdeDevice, *kandji.ADE, inputs.ade_token_id, "devices", after=page)
