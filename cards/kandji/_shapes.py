"""Tables that several Kandji cards share, and the records of Kandji's lists as the service sends them."""

from connector import (
    AnyJson,
    Boolean,
    CardInputs,
    CardOutputs,
    Date,
    Integer,
    List,
    Object,
    Record,
    Reply,
    StatusCode,
    Text,
    field,
)

ID = r"^[0-9A-Za-z_-]{1,64}$"
STATUS = "HTTP status of Kandji's answer: 2xx when it took the request, 4xx when it refused"


class DeviceTarget(CardInputs):
    """The device a card is about."""

    device_id: str = field("Kandji's ID of the device", pattern=ID, target=True)


class AdeTarget(CardInputs):
    """The Automated Device Enrollment integration a card is about."""

    ade_token_id: str = field(
        "ID of the ADE token", label="ADE Token ID", pattern=ID, choices="kandji.list_ade_integrations:id,server_name"
    )


class Status(CardOutputs):
    """What a card answers that only sends a command."""

    status_code: StatusCode = field(STATUS)

    @classmethod
    def of_reply(cls, reply: Reply) -> "Status":
        return cls(status_code=reply.status)


class CommandedDevice(CardOutputs):
    """The device a command was for, read after the command was queued."""

    device_id: Text = field("Kandji's ID of the device")
    device_name: Text = field("Name of the device")
    serial_number: Text = field("Serial number of the device")
    platform: Text = field("Mac, iPhone, iPad or AppleTV")
    user_email: Text = field("Email address of the assigned user", at="user.email")
    status_code: StatusCode = field(STATUS)


class LostMode(CommandedDevice):
    """What the Lost Mode cards answer."""

    message: Text = field("What Kandji said when it refused; else the message on the lock screen, if one was set")


class DeviceSummary(CardOutputs):
    """The top-level details that the device cards share."""

    device_id: Text = field("Kandji's ID of the device")
    device_name: Text = field("Name of the device")
    model: Text = field("Model of the device")
    serial_number: Text = field("Serial number of the device")
    platform: Text = field("Mac, iPhone, iPad or AppleTV")
    os_version: Text = field("Version of the operating system")
    last_check_in: Date = field("When the device last checked in with MDM", label="Last Check-in")
    asset_tag: Text = field("Asset tag")
    blueprint_id: Text = field("ID of the assigned Blueprint")
    agent_installed: Boolean = field("Whether the Kandji Agent is installed")
    is_missing: Boolean = field("Whether Kandji considers the device missing")
    is_removed: Boolean = field("Whether the device was removed from Kandji")
    agent_version: Text = field("Version of the Kandji Agent")
    first_enrollment: Date = field("When the device was first enrolled")
    last_enrollment: Date = field("When the device was last enrolled")
    blueprint_name: Text = field("Name of the assigned Blueprint")


class EnrolledDevice(DeviceSummary):
    """A single device."""

    mdm_enabled: Boolean = field("Whether MDM is enabled on the device", label="MDM Enabled")


class Device(Record, identity="device_id"):
    """A device in Kandji's list."""

    device_id: Text = field("Kandji's ID of the device")
    device_name: Text = field("Name of the device")
    model: Text = field("Marketing name of the model")
    serial_number: Text = field("Serial number")
    platform: Text = field("Mac, iPhone, iPad or AppleTV")
    os_version: Text = field("Version of the operating system")
    last_check_in: Text = field("When the device last checked in; blank if never", label="Last Check-in")
    user: AnyJson = field("The assigned user (email, name, id, is_archived); blank text when nobody is assigned")
    asset_tag: Text = field("Asset tag; blank when there is none")
    blueprint_id: Text = field("ID of the assigned Blueprint")
    blueprint_name: Text = field("Name of the assigned Blueprint")
    mdm_enabled: Boolean = field("Whether MDM is enabled", label="MDM Enabled")
    agent_installed: Boolean = field("Whether the Kandji Agent is installed")
    is_missing: Boolean = field("Whether Kandji considers the device missing")
    is_removed: Boolean = field("Whether the device was removed from Kandji")
    agent_version: Text = field("Version of the Kandji Agent; blank when there is none")
    first_enrollment: Text = field("When the device was first enrolled")
    last_enrollment: Text = field("When the device was last enrolled")
    lost_mode_status: Text = field("ENABLED, or blank when not lost")
    tags: List = field("Names of the device's tags")


class Blueprint(Record, identity="id"):
    """A Blueprint in Kandji's list."""

    id: Text = field("ID of the Blueprint")
    name: Text = field("Name of the Blueprint")
    icon: Text = field("Code of its icon")
    color: Text = field("Code of its color")
    description: Text = field("Description")
    params: Object = field("Parameters by their ID")
    computers_count: Integer = field("Number of assigned devices")
    enrollment_code: Object = field("The code for manual enrollment, and whether it is active", secret=True)
    type: Text = field("classic or map")


class AdeIntegration(Record, identity="id"):
    """An Automated Device Enrollment integration in Kandji's list."""

    id: Text = field("ID of the ADE token")
    blueprint: Object = field("The default Blueprint; empty when Blueprint Routing is used")
    access_token_expiry: Text = field("When the token expires")
    server_name: Text = field("Name of the MDM server in Apple Business Manager")
    server_uuid: Text = field("UUID of that server")
    org_name: Text = field("Name of the organization", label="Organization Name")
    last_device_sync: Text = field("When devices were last synchronized")
    days_left: Integer = field("Days until the token expires")
    status: Text = field("SUCCESS or BROKEN")
    device_counts: Object = field("Devices by family; a family without devices is left out")


class AdeDevice(Record, identity="id"):
    """A device that Apple assigned to the MDM server."""

    id: Text = field("ID of the ADE device, which is not its device ID")
    serial_number: Text = field("Serial number")
    model: Text = field("Model")
    device_family: Text = field("Mac, iPhone, iPad or AppleTV")
    os: Text = field("OSX, iOS, iPadOS or tvOS")
    profile_status: Text = field("assigned, empty, pushed or removed")
    asset_tag: Text = field("Asset tag")
    mdm_device: Object = field("The enrolled device; empty while it awaits enrollment")
    dep_account: Object = field("The ADE token it belongs to")


class App(Record):
    """An app on a device. Kandji gives every value as text."""

    app_id: Text = field("ID of the app")
    app_name: Text = field("Name of the app")
    bundle_id: Text = field("Bundle identifier")
    version: Text = field("Version")
    path: Text = field("Where it is installed, on a Mac")


class LibraryItem(Record):
    """A Library Item of a device and its status."""

    item_id: Text = field("ID of the Library Item")
    name: Text = field("Name of the Library Item")
    type: Text = field("Kind of Library Item, such as profile or automatic-app")
    status: Text = field("PASS, PENDING, ERROR and others; lower case for profiles")
    reported_at: Text = field("When the status was reported")


class Note(Record):
    """A note on a device."""

    note_id: Text = field("ID of the note")
    content: Text = field("Text of the note; HTML when it was written in the web app")
    author: Text = field("Administrator or API token that wrote it")
    created_at: Text = field("When it was written")
    updated_at: Text = field("When it was last changed")
