"""Get an Automated Device Enrollment (ADE) integration: token, organization, default Blueprint, device counts."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import AdeTarget
from connector import CardOutputs, Date, Number, Text, card, field, record_of


class Outputs(CardOutputs):
    default_blueprint_id: Text = field("ID of the Blueprint that new devices get", at="blueprint.id")
    default_blueprint_name: Text = field("Name of that Blueprint", at="blueprint.name")
    default_blueprint_color: Text = field("Code of its color", at="blueprint.color")
    default_blueprint_icon: Text = field("Code of its icon", at="blueprint.icon")
    access_token_expiry: Date = field("When the token expires")
    server_name: Text = field("Name of the MDM server in Apple Business Manager")
    server_uuid: Text = field("UUID of that server")
    organization_name: Text = field("Name of the organization", at="org_name")
    organization_email: Text = field("Email address of the organization", at="org_email")
    organization_phone: Text = field("Phone number of the organization", at="org_phone")
    stoken_file_name: Text = field("Name of the server token file")
    last_device_sync: Date = field("When devices were last synchronized")
    default_email: Text = field("Default email address for support", at="defaults.email")
    default_phone: Text = field("Default phone number for support", at="defaults.phone")
    days_left: Number = field("Days until the token expires")
    status: Text = field("SUCCESS, or BROKEN when Apple refuses the token")
    status_reason: Text = field("Why it is broken")
    status_received_at: Date = field("When that status was received")
    apple_tv_device_count: Number = field(
        "Number of Apple TVs", label="Apple TV Device Count", at="device_counts.AppleTV", default=0
    )
    ipad_device_count: Number = field("Number of iPads", label="iPad Device Count", at="device_counts.iPad", default=0)
    iphone_device_count: Number = field(
        "Number of iPhones", label="iPhone Device Count", at="device_counts.iPhone", default=0
    )
    mac_device_count: Number = field("Number of Macs", label="Mac Device Count", at="device_counts.Mac", default=0)
    total_device_count: Number = field("Number of devices", at="device_counts.total", default=0)


@card("Get ADE Integration")
async def get_ade_integration(inputs: AdeTarget, kandji: Kandji) -> Outputs:
    return Outputs.of(record_of(await kandji.get(*kandji.ADE, inputs.ade_token_id)))
