"""Lost Mode from on to off."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Act, Api, Device, Find, Hands


@pytest.fixture
async def client(api: Api) -> httpx.AsyncClient:
    return api(devices=300)


@pytest.fixture
async def iphone(client: httpx.AsyncClient, find: Find) -> Device:
    return await find(client, platform="iPhone", supervised="True", lost_mode_status="")


async def _lost_mode(client: httpx.AsyncClient, device: Device) -> Device:
    return dict((await client.get(f"/devices/{device['device_id']}/details/lostmode")).json()["lost_mode"])


async def test_a_device_that_is_not_lost_says_so(client: httpx.AsyncClient, iphone: Device) -> None:
    """The refusal is a JSON list."""
    path = f"/devices/{iphone['device_id']}/details/lostmode"

    for answer in (await client.get(path), await client.delete(path)):
        assert (answer.status_code, answer.json()) == (400, ["Device is not in lost mode."])


async def test_lost_mode_goes_from_pending_to_enabled(
    client: httpx.AsyncClient, iphone: Device, act: Act, hands: Hands
) -> None:
    """The texts of the lock screen are kept, the record shows the status."""
    await act(client, iphone, "enablelostmode", Message="Please return", PhoneNumber="5550100")

    pending = await _lost_mode(client, iphone)
    hands.now += 1
    enabled = await _lost_mode(client, iphone)
    record = (await client.get(f"/devices/{iphone['device_id']}")).json()

    assert (pending["lost_mode_status"], enabled["lost_mode_status"]) == ("PENDING", "ENABLED")
    assert (enabled["lock_screen_message"], enabled["enabled_by"]) == ("Please return", "Sandbox Token")
    assert record["lost_mode_status"] == "ENABLED"


async def test_a_lost_device_sounds_and_tells_where_it_is(
    client: httpx.AsyncClient, iphone: Device, act: Act, hands: Hands
) -> None:
    """Both succeed when their commands completed; places are text."""
    await act(client, iphone, "enablelostmode", Message="Please return")
    hands.now += 1
    await act(client, iphone, "playlostmodesound")
    await act(client, iphone, "updatelocation")
    hands.now += 1

    lost = await _lost_mode(client, iphone)

    assert (lost["sound_status"], lost["last_location_status"]) == ("SUCCESS", "SUCCESS")
    assert isinstance(lost["last_location"]["latitude"], str)


async def test_lost_mode_is_turned_off(client: httpx.AsyncClient, iphone: Device, act: Act, hands: Hands) -> None:
    """Asking twice is refused while the first is pending; then it is off."""
    await act(client, iphone, "enablelostmode", Message="Please return")
    hands.now += 1

    first, second = await act(client, iphone, "disablelostmode"), await act(client, iphone, "disablelostmode")
    hands.now += 1

    assert first.status_code == 200
    assert second.json() == "Disable lost mode is already pending for this device."
    assert (await client.get(f"/devices/{iphone['device_id']}")).json()["lost_mode_status"] == ""


async def test_a_stuck_lost_mode_can_be_cancelled(client: httpx.AsyncClient, iphone: Device, act: Act) -> None:
    """DELETE ends it at once."""
    await act(client, iphone, "enablelostmode", Message="Please return")

    assert (await client.delete(f"/devices/{iphone['device_id']}/details/lostmode")).status_code == 204
    assert (await client.get(f"/devices/{iphone['device_id']}")).json()["lost_mode_status"] == ""


async def test_an_unsupervised_phone_refuses_lost_mode(client: httpx.AsyncClient, find: Find, act: Act) -> None:
    """Only supervised devices have it."""
    iphone = await find(client, platform="iPhone", supervised="False")

    assert (await act(client, iphone, "enablelostmode", Message="Hello")).status_code == 400


async def test_some_devices_are_lost_from_the_start(client: httpx.AsyncClient, find: Find) -> None:
    """Their details hold the same object."""
    device = await find(client, lost_mode_status="ENABLED")

    details = (await client.get(f"/devices/{device['device_id']}/details")).json()

    assert details["lost_mode"] == await _lost_mode(client, device)
