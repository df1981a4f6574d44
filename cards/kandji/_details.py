"""All that Kandji knows of a device (`GET /devices/{id}/details`), in the guide's groups."""

from connector import Boolean, CardOutputs, Date, Json, List, Text, field, group


class General(CardOutputs):
    device_id: Text = field("Kandji's ID of the device")
    device_name: Text = field("Name of the device")
    last_enrollment: Date = field("When the device was last enrolled")
    first_enrollment: Date = field("When the device was first enrolled")
    model: Text = field("Model of the device")
    platform: Text = field("Mac, iPhone, iPad or AppleTV")
    os_version: Text = field("Version of the operating system")
    system_version: Text = field("Version of the operating system with its build")
    boot_volume: Text = field("Name of the boot volume")
    time_since_boot: Text = field("How long ago the device started, in Kandji's words")
    last_user: Text = field("Name of the last user")
    asset_tag: Text = field("Asset tag")
    assigned_user: Text = field("Email address of the assigned user", at="assigned_user.email")
    blueprint_name: Text = field("Name of the assigned Blueprint")
    blueprint_uuid: Text = field("ID of the assigned Blueprint")


class Mdm(CardOutputs):
    mdm_enabled: Boolean = field("Whether MDM is enabled", label="MDM Enabled")
    install_date: Date = field("When MDM was set up")
    last_check_in: Date = field("When the device last checked in with MDM", label="Last Check-in")
    mdm_enabled_user: List = field("Names of the users that MDM is enabled for", label="MDM-enabled User")


class ActivationLock(CardOutputs):
    bypass_code_failed: Boolean = field("Whether the bypass code could not be collected")
    user_activation_lock_enabled: Boolean = field("Whether a user turned Activation Lock on")
    device_activation_lock_enabled: Boolean = field("Whether MDM turned Activation Lock on")
    activation_lock_allowed_while_supervised: Boolean = field("Whether a supervised device may have it on")
    activation_lock_supported: Boolean = field("Whether the device supports Activation Lock")


class FileVault(CardOutputs):
    filevault_enabled: Boolean = field("Whether FileVault is on", label="FileVault Enabled")
    filevault_recovery_key_type: Text = field(
        "Personal or Institutional", label="FileVault Recovery Key Type", at="filevault_recoverykey_type"
    )
    filevault_prk_escrowed: Boolean = field(
        "Whether Kandji holds the personal recovery key", label="FileVault Personal Recovery Key Escrowed"
    )
    filevault_next_rotation: Date = field("When the recovery key is next replaced", label="FileVault Next Rotation")
    filevault_regen_required: Boolean = field(
        "Whether the recovery key must be made anew", label="FileVault Regeneration Required"
    )


class AutomatedDeviceEnrollment(CardOutputs):
    auto_enroll_eligible: Boolean = field("Whether the device may enroll by itself")
    auto_enrolled: Boolean = field("Whether the device enrolled by itself")


class KandjiAgent(CardOutputs):
    agent_installed: Boolean = field("Whether the Kandji Agent is installed")
    install_date: Date = field("When the Kandji Agent was installed")
    last_check_in: Date = field("When the Kandji Agent last checked in", label="Last Check-in")
    agent_version: Text = field("Version of the Kandji Agent")


class HardwareOverview(CardOutputs):
    model_name: Text = field("Apple's name of the model")
    model_identifier: Text = field("Apple's identifier of the model")
    processor_name: Text = field("Name of the processor")
    processor_speed: Text = field("Speed of the processor")
    number_of_processors: Text = field("Number of processors", label="Number of Processors")
    total_number_of_cores: Text = field("Number of cores", label="Total Number of Cores")
    memory: Text = field("Size and kind of the memory")
    udid: Text = field("Apple's unique identifier of the device")


class Volumes(CardOutputs):
    volumes: List = field("Volumes with their format, size and use")


class Network(CardOutputs):
    local_hostname: Text = field("Host name in the local network")
    mac_address: Text = field("MAC address")
    ip_address: Text = field("IPv4 address in the local network")
    public_ip: Text = field("IPv4 address that Kandji sees")


class RecoveryInformation(CardOutputs):
    recovery_lock_enabled: Boolean = field("Whether Recovery Lock is on")
    firmware_password_exists: Boolean = field(
        "Whether an Intel Mac has a firmware password", at="firmware_password_exist"
    )
    firmware_password_pending: Boolean = field("Whether a firmware password is about to be set")
    password_rotation_scheduled: Date = field("When the password is next replaced")


class Users(CardOutputs):
    regular_users: List = field("Local accounts of people")
    system_users: List = field("Local accounts of the system")


class InstalledProfiles(CardOutputs):
    installed_profiles: List = field("Installed configuration profiles")


class AppleBusinessManager(CardOutputs):
    model: Text = field("Model in Apple Business Manager")
    color: Text = field("Color in Apple Business Manager")
    description: Text = field("Description in Apple Business Manager")
    serial_number: Text = field("Serial number")
    device_family: Text = field("Device family in Apple Business Manager")
    os: Text = field("Operating system in Apple Business Manager")
    device_assigned_date: Date = field("When the device was assigned to Kandji")
    device_assigned_by: Text = field("Managed Apple Account that assigned it")


class RemoteDesktop(CardOutputs):
    remote_desktop_enabled: Boolean = field(
        "Whether Apple Remote Desktop is on", label="Apple Remote Desktop Turned On"
    )


class Full(CardOutputs, when={"details": "full"}):
    general: General = group("General")
    mdm: Mdm = group("MDM")
    activation_lock: ActivationLock = group("Activation Lock")
    filevault: FileVault = group("FileVault")
    automated_device_enrollment: AutomatedDeviceEnrollment = group("Automated Device Enrollment")
    kandji_agent: KandjiAgent = group("Kandji Agent")
    hardware_overview: HardwareOverview = group("Hardware Overview")
    volumes: Volumes = group("Volumes")
    network: Network = group("Network")
    recovery_information: RecoveryInformation = group("Recovery Information")
    users: Users = group("Users")
    installed_profiles: InstalledProfiles = group("Installed Profiles")
    apple_business_manager: AppleBusinessManager = group("Apple Business Manager")
    security_information: RemoteDesktop = group("Apple Remote Desktop Turned On")

    @classmethod
    def of_details(cls, found: Json) -> "Full":
        """Kandji's answer, with its two bare lists in their groups and a mobile device's `uuid` as its UDID."""
        hardware = found.get("hardware_overview") or {}
        return cls.of(
            found,
            hardware_overview={"udid": hardware.get("uuid"), **hardware},
            volumes={"volumes": found.get("volumes")},
            installed_profiles={"installed_profiles": found.get("installed_profiles")},
        )
