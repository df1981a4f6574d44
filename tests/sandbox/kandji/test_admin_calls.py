"""The admin calls under `/_sandbox`."""

import re
from pathlib import Path

import httpx
import pytest

from sandbox.admin import ADMIN as ADMIN_PATH
from sandbox.kandji.gateway.admin import CALLS
from tests.sandbox.kandji.tenants import Act, Api, Find

ADMIN = "http://acme.test/_sandbox"


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api()


async def test_requests_are_counted_and_listed(client: httpx.AsyncClient) -> None:
    """With their status and route; forgetting them starts anew."""
    await client.get("/devices?limit=1")
    await client.get("/devices/nothing")

    log = (await client.get(f"{ADMIN}/requests")).json()
    await client.delete(f"{ADMIN}/requests")

    assert [(each["method"], each["path"], each["query"], each["status"]) for each in log["requests"]] == [
        ("GET", "/devices", "limit=1", 200),
        ("GET", "/devices/nothing", "", 404),
    ]
    assert log["routes"] == {"GET /devices": 1, "GET /devices/{device_id}": 1}
    assert (await client.get(f"{ADMIN}/requests")).json()["total"] == 0


async def test_the_log_keeps_the_last_thousand(client: httpx.AsyncClient) -> None:
    """The counters keep counting."""
    for _ in range(1003):
        await client.get("/nothing")

    log = (await client.get(f"{ADMIN}/requests")).json()

    assert (len(log["requests"]), log["total"]) == (1000, 1003)


async def test_reset_starts_again(client: httpx.AsyncClient) -> None:
    """What was changed is gone; other settings may be given."""
    before = (await client.get("/devices")).json()
    await client.request("DELETE", f"{ADMIN}/devices", json={"count": 5})

    await client.post(f"{ADMIN}/reset")
    after = (await client.get("/devices")).json()
    smaller = (await client.post(f"{ADMIN}/reset", json={"devices": 3})).json()

    assert before == after
    assert smaller["devices"] == 3


async def test_commands_complete_on_demand(client: httpx.AsyncClient, find: Find, act: Act) -> None:
    """At once, or by moving the clock."""
    mac = await find(client, platform="Mac")
    await act(client, mac, "setname", DeviceName="One")
    completed = (await client.post(f"{ADMIN}/commands/complete")).json()
    await act(client, mac, "setname", DeviceName="Two")
    state = (await client.post(f"{ADMIN}/clock", json={"seconds": 1})).json()

    assert (completed, state["pending_commands"]) == ({"completed": 1}, 0)
    assert (await client.get(f"/devices/{mac['device_id']}")).json()["device_name"] == "Two"


async def test_added_devices_are_real_ones(client: httpx.AsyncClient) -> None:
    """They are listed, counted and found."""
    added = (await client.post(f"{ADMIN}/devices", json={"count": 3})).json()["device_ids"]

    devices = (await client.get("/devices?offset=100")).json()

    assert [device["device_id"] for device in devices] == added
    assert sum(each["computers_count"] for each in (await client.get("/blueprints")).json()["results"]) == 103


async def test_limits_are_switched(api: Api) -> None:
    """On with other numbers, and off."""
    client = api()
    await client.post(f"{ADMIN}/limits", json={"on": True, "per_second": 1})

    assert [(await client.get("/tags")).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("path", "body"), [("faults", {"kind": "earthquake"}), ("faults", {"kind": "drop", "tmes": 1}), ("clock", {})]
)
async def test_a_wrong_admin_call_is_explained(client: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    """400 with what is wrong, also for a key nobody knows."""
    answer = await client.post(f"{ADMIN}/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json()[0]["loc"]


async def test_admin_calls_come_from_the_same_machine(api: Api) -> None:
    """Another address is refused."""
    app = api()._transport.app  # type: ignore[attr-defined]  # httpx has no public way to the app it was given
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))

    async with httpx.AsyncClient(transport=transport, base_url="http://acme.test") as stranger:
        assert (await stranger.get("/_sandbox")).status_code == 403


def test_the_readme_lists_every_admin_call() -> None:
    """No call is missing from its table, and none is too many."""
    readme = (Path(__file__).parents[3] / "sandbox/README.md").read_text().partition("## Admin calls of `assetbots`")[0]
    calls = {f"{method} {ADMIN_PATH}{path}" for path, methods in CALLS.items() for method in methods}

    assert set(re.findall(r"^\| `([A-Z]+ /_sandbox.*?)` \|", readme, re.MULTILINE)) == {
        call.replace(":int", "") for call in calls
    }
