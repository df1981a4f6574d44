"""A million devices in the memory of a few."""

import tracemalloc

from tests.sandbox.kandji.tenants import Api

MILLION = 1_000_000


async def test_a_million_devices_need_no_memory(api: Api) -> None:
    """Starting and reading pages at both ends stays below four megabytes."""
    tracemalloc.start()
    client = api(devices=MILLION)
    for offset in (0, 500_000, 999_900):
        await client.get(f"/devices?offset={offset}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4_000_000


async def test_the_last_page_of_a_million(api: Api) -> None:
    """It holds what is left, and the counts know the whole."""
    answer = await api(devices=MILLION).get("/devices?offset=999900")

    assert (len(answer.json()), answer.headers["x-total-count"]) == (100, "1000000")


async def test_any_device_of_a_million_is_found_at_once(api: Api) -> None:
    """By id, serial number and user, without a search."""
    client = api(devices=MILLION)
    device = next(each for each in (await client.get("/devices?offset=900000")).json() if each["user"])
    email = device["user"]["email"]

    assert (await client.get(f"/devices/{device['device_id']}")).json() == device
    assert (await client.get(f"/devices?serial_number={device['serial_number']}")).json() == [device]
    assert device in (await client.get(f"/devices?user_email_exact={email}")).json()


async def test_a_search_goes_no_further_than_its_page(api: Api) -> None:
    """A total would need the whole fleet, so a large one tells none, but where the next page is."""
    answer = await api(devices=MILLION).get("/devices?platform=iPad&limit=50")

    assert len(answer.json()) == 50
    assert "x-total-count" not in answer.headers
    assert 'offset=50>; rel="next"' in answer.headers["link"]


async def test_enrolment_counts_a_million_by_arithmetic(api: Api) -> None:
    """The last page of the assigned devices and the counts agree."""
    client = api(devices=MILLION)
    total = (await client.get("/integrations/apple/ade/devices")).json()["count"]

    last = (await client.get(f"/integrations/apple/ade/devices?page={-(-total // 300)}")).json()

    assert len(last["results"]) == total % 300
    assert last["next"] is None


async def test_a_fleet_may_be_empty(api: Api) -> None:
    """Nothing is listed, nothing fails."""
    client = api(devices=0)

    assert (await client.get("/devices")).json() == []
    assert (await client.get("/integrations/apple/ade")).json()["count"] == 4
