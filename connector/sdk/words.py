"""Names and labels: `device_id` is the key of "Device ID", `list_devices` of "List Devices"."""

ACRONYMS = {"id", "ade", "mdm", "os", "pin", "url", "api", "ip", "mac", "udid", "uuid", "prk"}


def label_of(key: str) -> str:
    """`device_id` -> `Device ID`; a label the guide spells otherwise is given with the field."""
    return " ".join(word.upper() if word in ACRONYMS else word[:1].upper() + word[1:] for word in key.split("_"))
