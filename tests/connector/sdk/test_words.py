"""Labels that are derived from keys."""

import pytest

from connector.sdk.words import label_of


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("device_id", "Device ID"),
        ("list_ade_devices", "List ADE Devices"),
        ("pin", "PIN"),
        ("os_version", "OS Version"),
        ("ip_address", "IP Address"),
        ("mac_address", "MAC Address"),
        ("kandji_user_id", "Kandji User ID"),
        ("first_200", "First 200"),
        ("GET", "GET"),
    ],
)
def test_a_key_has_a_label(key: str, label: str) -> None:
    """Words in title case, acronyms in capitals, as the guide writes them."""
    assert label_of(key) == label
