"""List enrolled devices; every filter is optional, and a device must match all that are given."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import Device, DeviceSummary
from connector import CardInputs, Cursor, Object, Page, ResultSet, Text, field, list_card


class Inputs(CardInputs):
    user_email: Text = field("Part of the assigned user's email address")
    user_email_exact: Text = field("The assigned user's whole email address", label="User Email - Exact")
    user_name: Text = field("Part of the assigned user's name")
    kandji_user_id: Text = field("Kandji's ID of the assigned user", at="user_id")
    device_id: Text = field("Kandji's ID of the device")
    device_name: Text = field("Part of the device's name")
    serial_number: Text = field("Part of the serial number")
    mac_address: Text = field("MAC address of the primary network interface")
    asset_tag: Text = field("Asset tag")
    platform: Text = field("Mac, iPhone, iPad or AppleTV")
    model: Text = field("Part of the model's name")
    os_version: Text = field("Part of the operating system's version")
    blueprint_id: Text = field("ID of the assigned Blueprint", choices="kandji.list_blueprints:id,name")


class Outputs(DeviceSummary):
    user: Object = field("The assigned user; empty when nobody is")


@list_card("List Devices", ResultSet(first=200, into="devices", one=Outputs), keywords=("search", "who has", "fleet"))
async def list_devices(inputs: Inputs, page: Cursor, kandji: Kandji) -> Page[Device]:
    return await kandji.page(Device, "devices", after=page, **inputs.given())
