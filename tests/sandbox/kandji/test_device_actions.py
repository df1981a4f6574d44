"""Actions on a device: who takes them, the queue, what they do."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Act, Api, Device, Find, Hands

NOT_ALLOWED = "Command is not allowed for current device"
RUNNING = "Command already running"


@pytest.fixture
async def client(api: Api) -> httpx.AsyncClient:
    return api(devices=300)


@pytest.fixture
async def mac(client: httpx.AsyncClient, find: Find) -> Device:
    return await find(client, platform="Mac")


async def test_an_action_answers_nothing(client: httpx.AsyncClient, mac: Device, act: Act) -> None:
    """Length 0, no content type."""
    answer = await act(client, mac, "restart")

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
async def test_an_action_needs_no_body(client: httpx.AsyncClient, mac: Device, headers: dict[str, str]) -> None:
    """Clients send none, with and without a content type."""
    answer = await client.post(f"/devices/{mac['device_id']}/action/blankpush", headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("platform", "action"),
    [
        ("Mac", "clearpasscode"),
        ("Mac", "enablelostmode"),
        ("iPhone", "remotedesktop"),
        ("iPad", "reinstallagent"),
        ("iPhone", "unlockaccount"),
        ("AppleTV", "shutdown"),
        ("iPad", "playlostmodesound"),
        ("iPad", "updatelocation"),
        ("iPad", "disablelostmode"),
    ],
)
async def test_a_platform_refuses_what_it_does_not_know(
    client: httpx.AsyncClient, find: Find, act: Act, platform: str, action: str
) -> None:
    """The refusal is a plain JSON string."""
    device = await find(client, platform=platform, lost_mode_status="")

    answer = await act(client, device, action)

    assert (answer.status_code, answer.json()) == (400, NOT_ALLOWED)


async def test_an_action_nobody_knows_is_not_found(client: httpx.AsyncClient, mac: Device, act: Act) -> None:
    """Its name is part of the path."""
    assert (await act(client, mac, "dance")).status_code == 404


async def test_a_command_runs_once_at_a_time(client: httpx.AsyncClient, mac: Device, act: Act, hands: Hands) -> None:
    """A second one of its kind waits for the first, others do not."""
    await act(client, mac, "restart")

    again, other = await act(client, mac, "restart"), await act(client, mac, "shutdown")
    hands.now += 0.5
    later = await act(client, mac, "restart")

    assert (again.status_code, again.json()) == (400, RUNNING)
    assert (other.status_code, later.status_code) == (200, 200)


async def test_a_command_is_listed_until_and_after_it_completes(
    client: httpx.AsyncClient, mac: Device, act: Act, hands: Hands
) -> None:
    """Status 1 while pending, 3 when completed, and then in the activity."""
    path = f"/devices/{mac['device_id']}"
    await act(client, mac, "restart")

    pending = (await client.get(f"{path}/commands")).json()["commands"]["results"]
    hands.now += 1
    completed = (await client.get(f"{path}/commands")).json()["commands"]["results"]
    activity = (await client.get(f"{path}/activity")).json()["activity"]["results"]

    assert [(each["command_type"], each["status"]) for each in pending + completed] == [
        ("RestartDevice", 1),
        ("RestartDevice", 3),
    ]
    assert [event["action_type"] for event in activity] == ["enrollment", "mdm_command_completed"]


async def test_an_inventory_update_queues_seven_commands(client: httpx.AsyncClient, mac: Device, act: Act) -> None:
    """The kinds the vendor names."""
    await act(client, mac, "updateinventory")

    assert (await client.get(f"/devices/{mac['device_id']}/commands")).json()["commands"]["count"] == 7


async def test_a_locked_mac_tells_its_pin(client: httpx.AsyncClient, mac: Device, act: Act) -> None:
    """Sixteen bytes, and the same PIN among the secrets."""
    answer = await act(client, mac, "lock", Message="Call us", PhoneNumber="5550100")

    secret = (await client.get(f"/devices/{mac['device_id']}/secrets/unlockpin")).json()
    assert len(answer.content) == 16
    assert secret == {"pin": answer.json()["PIN"]}


async def test_a_locked_mac_cannot_be_locked(client: httpx.AsyncClient, mac: Device, act: Act, hands: Hands) -> None:
    """Not while the command runs, not afterwards, but once it was unlocked."""
    await act(client, mac, "lock")
    running = await act(client, mac, "lock")
    hands.now += 1
    locked = await act(client, mac, "lock")
    await client.post(f"http://acme.test/_sandbox/devices/{mac['device_id']}/unlock")
    unlocked = await act(client, mac, "lock")

    assert (running.json(), locked.json()) == (RUNNING, "This device is already locked.")
    assert unlocked.status_code == 200


async def test_a_mac_may_unlock_by_itself(api: Api, find: Find, act: Act, hands: Hands) -> None:
    """With `lock_seconds` somebody types the PIN after a while."""
    client = api(lock_seconds=60)
    mac = await find(client, platform="Mac")
    await act(client, mac, "lock")

    hands.now += 61

    assert (await act(client, mac, "lock")).status_code == 200


async def test_a_locked_phone_answers_nothing(client: httpx.AsyncClient, find: Find, act: Act) -> None:
    """Only Macs have a PIN."""
    assert (await act(client, await find(client, platform="iPhone"), "lock")).content == b""


async def test_a_new_name_shows_when_the_command_completed(
    client: httpx.AsyncClient, mac: Device, act: Act, hands: Hands
) -> None:
    """The record keeps the old name while the command is pending."""
    path = f"/devices/{mac['device_id']}"
    await act(client, mac, "setname", DeviceName="Front desk")

    before = (await client.get(path)).json()["device_name"]
    hands.now += 1
    after = (await client.get(path)).json()["device_name"]

    assert (before, after) == (mac["device_name"], "Front desk")


async def test_the_case_of_a_key_matters(client: httpx.AsyncClient, mac: Device, act: Act) -> None:
    """`deviceName` is not `DeviceName`."""
    answer = await act(client, mac, "setname", deviceName="Front desk")

    assert (answer.status_code, answer.json()) == (400, {"DeviceName": ["This field is required."]})


async def test_remote_desktop_turns_on_and_off(client: httpx.AsyncClient, mac: Device, act: Act, hands: Hands) -> None:
    """What is off cannot be turned off."""
    answers = []
    for turn_on in (True, False, False):
        answers.append(await act(client, mac, "remotedesktop", EnableRemoteDesktop=turn_on))
        hands.now += 1
    security = (await client.get(f"/devices/{mac['device_id']}/details")).json()["security_information"]

    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert security == {"remote_desktop_enabled": False}


@pytest.mark.parametrize(("known", "status"), [(True, 3), (False, 4)])
async def test_an_account_is_unlocked_by_the_mac_itself(
    client: httpx.AsyncClient, find: Find, act: Act, hands: Hands, known: bool, status: int
) -> None:
    """The call succeeds for any name; for an unknown one the command fails."""
    mac = await find(client, platform="Mac")
    users = (await client.get(f"/devices/{mac['device_id']}/details")).json()["users"]["regular_users"]

    answer = await act(client, mac, "unlockaccount", UserName=users[0]["username"] if known else "nobody")
    hands.now += 1

    commands = (await client.get(f"/devices/{mac['device_id']}/commands")).json()["commands"]["results"]
    assert (answer.status_code, commands[0]["status"]) == (200, status)


async def test_an_erased_device_takes_no_more_commands(
    client: httpx.AsyncClient, mac: Device, act: Act, hands: Hands
) -> None:
    """It is no longer managed once the command completed."""
    erased = await act(client, mac, "erase", PIN="048213")
    hands.now += 1

    assert (erased.status_code, erased.content) == (200, b"")
    assert (await act(client, mac, "restart")).json() == NOT_ALLOWED


@pytest.mark.parametrize(
    ("platform", "body", "problem"),
    [
        ("Mac", {}, {"PIN": ["This field is required."]}),
        ("Mac", {"PIN": "12"}, {"PIN": ["Ensure this field has exactly 6 characters."]}),
        ("iPad", {"PreserveDataPlan": "perhaps"}, {"PreserveDataPlan": ["Must be a valid boolean."]}),
        ("iPad", {"ReturnToService": {}}, {"ReturnToService": {"Enabled": ["This field is required."]}}),
        (
            "iPad",
            {"ReturnToService": {"Enabled": True, "ProfileId": "x"}},
            "The specified profile is not in scope for the device",
        ),
    ],
)
async def test_erase_checks_its_body(
    client: httpx.AsyncClient, find: Find, act: Act, platform: str, body: Device, problem: object
) -> None:
    """Each problem is named, and nothing is queued."""
    answer = await act(client, await find(client, platform=platform), "erase", **body)

    assert (answer.status_code, answer.json()) == (400, problem)
