"""Names that mean the same in MDMs and asset systems, without blanks, case and signs."""

import re

SAME = (
    {"serial", "serialnumber", "serialno", "sn"},
    {"tag", "assettag", "assetid", "assetnumber", "inventorynumber"},
    {"name", "devicename", "computername", "assetname", "hostname"},
    {"model", "modelname", "devicemodel"},
    {"modelidentifier", "modelid", "modelnumber", "hardwareoverviewmodelidentifier"},
    {"osversion", "os", "operatingsystem", "operatingsystemversion", "softwareversion", "systemversion"},
    {"platform", "devicetype", "deviceplatform"},
    {"macaddress", "mac", "wifimac", "wifimacaddress", "networkmacaddress"},
    {"ipaddress", "ip", "localip", "networkipaddress"},
    {"capacity", "storage", "storagegb", "disksize", "diskcapacity", "drivesize", "volumescapacity"},
    {"memory", "ram", "memorygb", "ramgb", "hardwareoverviewmemory"},
    {"processor", "cpu", "processorname", "hardwareoverviewprocessorname"},
    {"lastcheckin", "lastseen", "lastcontact", "lastsync", "lastinventory"},
    {"firstenrollment", "enrolled", "enrollmentdate", "enrolleddate"},
    {"blueprint", "blueprintname", "mdmgroup", "policy"},
    {"useremail", "assigneduseremail", "owneremail"},
    {"username", "assignedusername", "owner"},
)
# Names that mean something only together with what they stand in.
BARE = {"name", "id", "model", "platform", "identifier", "format", "version", "type", "email", "uuid", "os", "tags"}


def plain(name: str) -> str:
    """`OS Version` and `os_version` as `osversion`."""
    return re.sub(r"[\W_]", "", name).casefold()


def names(path: str) -> tuple[str, ...]:
    """What a property may be called: its key, and its key with what it stands in."""
    parts = [plain(part) for part in re.sub(r"\[\d+\]", "", path).split(".")]
    last, whole = parts[-1], "".join(parts[-2:])
    return (last,) if len(parts) == 1 else (whole,) if last in BARE else (whole, last)


def are_same(one: str, other: str) -> bool:
    """Whether two plain names are known to mean the same."""
    return any(one in some and other in some for some in SAME)
