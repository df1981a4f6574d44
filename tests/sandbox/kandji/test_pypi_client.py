"""The PyPI client `kandji` 0.1.0, written against the real service, against a real server of the sandbox.

Its documentation gives the base URL of 2022; it puts `/api/v1` after whatever it is given.
"""

import pytest
from kandji import Kandji

from tests.sandbox.kandji.tenants import Served


@pytest.fixture
def kandji(served: Served) -> Kandji:
    return Kandji(served.url, served.app.tenant.token)


def test_devices_and_everything_about_one(kandji: Kandji) -> None:
    """Each call gives the answer itself, not the client's `{"response": ...}` of a failure."""
    device_id = kandji.list_devices(platform="Mac", limit=5)[4]["device_id"]

    assert kandji.get_device(device_id)["platform"] == "Mac"
    assert kandji.get_device_details(device_id)["general"]["device_id"] == device_id
    assert kandji.get_device_activity(device_id)["activity"]["count"] == 1
    assert kandji.get_device_apps(device_id)["apps"]
    assert kandji.get_device_libraryitems(device_id)["library_items"]
    assert kandji.get_device_parameters(device_id)["parameters"]
    assert kandji.get_device_status(device_id)["library_items"]
    assert kandji.get_device_commands(device_id)["commands"]["results"] == []


def test_notes_and_secrets(kandji: Kandji) -> None:
    """Notes that are there from the start are read one by one."""
    devices = kandji.list_devices()
    noted = next(device["device_id"] for device in devices if kandji.list_device_notes(device["device_id"]))
    note = kandji.list_device_notes(noted)[0]

    assert kandji.get_device_note(noted, note["note_id"]) == note
    assert "user_based_albc" in kandji.get_device_bypasscode(noted)
    assert "key" in kandji.get_device_filevaultkey(noted)
    assert kandji.get_device_unlockpin(noted) == {"pin": ""}


def test_blueprints(kandji: Kandji) -> None:
    """List, templates and one by id."""
    blueprint = kandji.list_blueprints(name="Engineering")["results"][0]

    assert kandji.get_blueprint(blueprint["id"]) == blueprint
    assert kandji.get_blueprint_templates()["count"] == 3


def test_enrolment(kandji: Kandji) -> None:
    """Integrations, their devices, and the public key, which is no JSON."""
    integration = kandji.list_ade_integrations()["results"][0]

    assert kandji.get_ade_integration(integration["id"]) == integration
    assert kandji.list_ade_devices(integration["id"])["count"] == integration["device_counts"]["total"]
    assert kandji.get_ade_public_key().startswith("-----BEGIN CERTIFICATE-----")


def test_a_failure_is_only_a_status(kandji: Kandji) -> None:
    """All that this client tells about one."""
    assert kandji.get_device("nothing") == {"response": {"status": 404}}
