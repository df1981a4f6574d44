"""Services that refuse while a plan is carried out: what is tried again, what fails, and what stops the run."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from connector.sync.store.runs import SyncRun
from sandbox.faults import Fault
from tests.connector.sync.office import Office
from tests.connector.sync.trouble import fault, give, holder, mended, owned, synced, tag, writes


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path) as found:
        yield found


async def became(here: Office, run: SyncRun) -> dict[str, str]:
    """What became of the lines of a run, by step."""
    return {line.change.op: line.status for line in await here.lines(run)}


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_asks_for_time_is_asked_again(here: Office, status: int) -> None:
    """Longer than its client is patient."""
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await tag(here, device, "K-1")
    method, path = ("POST", "/check-ins") if status == 429 else ("GET", f"/assets/{asset.sys_id}")
    await give(here, device, None)
    fault(here, "status", method, path, status=status, times=6, retry_after="0")

    run = await here.apply()

    assert await became(here, run) == {"update_asset": "done", "check_in": "done"}


async def test_spent_retries_leave_the_line_failed_and_the_run_goes_on(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    await give(here, device, None)
    await tag(here, other, "K-1")
    fault(here, "status", "POST", "/check-ins", status=429, times=None, retry_after="0")

    run = await here.apply()
    mended(here)
    later = await here.apply()

    assert (run.state, await became(here, run)) == ("succeeded", {"update_asset": "done", "check_in": "failed"})
    assert await became(here, later) == {"check_in": "done"}


async def test_a_checkout_that_is_asked_to_wait_is_not_given_back(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    await give(here, device, other["user"])
    fault(here, "status", "POST", "/checkouts", status=429, times=5, retry_after="0")
    here.forget_requests()

    run = await here.apply()

    assert await became(here, run) == {"check_in": "done", "check_out": "done"}
    assert await holder(here, device["serial_number"]) == other["user"]["email"]


@pytest.mark.parametrize(("status", "path"), [(401, "/assets/*"), (403, "/assets/*"), (401, "/devices/*")])
async def test_a_token_that_is_refused_stops_the_run(here: Office, status: int, path: str) -> None:
    """At once, and clearly; what is left is the next run's."""
    some = [await owned(here, place) for place in range(3)]
    for place, device in enumerate(some):
        asset = await here.asset(device["serial_number"])
        if path == "/devices/*":
            await here.system.update_asset(asset.sys_id, {"tag": f"T-{place}"})
        else:
            await tag(here, device, f"T-{place}")
    here.forget_requests()
    fault(here, "status", "PATCH" if path == "/devices/*" else "POST", path, status=status, times=None)

    run = await here.apply()

    assert run.state == "failed"
    assert str(status) in str(run.error) or "refused" in str(run.error)
    assert sorted(line.status for line in await here.lines(run)) == ["failed", "planned", "planned"]
    assert len([each for each in writes(here) if "/_" not in each]) == 1
    mended(here)
    later = await here.apply()
    assert await here.syncs.counts(later.id) == {"done": 3}


async def test_a_full_plan_of_assetbots_stops_creates_and_no_updates(here: Office) -> None:
    database = here.workspace.database
    database.settings = replace(database.settings, asset_limit=len(database.assets) + 1)
    here.tenant.tenant.devices.add(3, at_front=False)
    await tag(here, await owned(here), "K-1")
    here.forget_requests()

    run = await here.apply()

    found = [(line.change.op, line.status) for line in await here.lines(run)]
    assert run.state == "succeeded"
    assert sorted(status for op, status in found if op == "create_asset") == ["done", "failed", "failed"]
    assert ("update_asset", "done") in found
    assert writes(here).count("POST /assets") == 2
    database.settings = replace(database.settings, asset_limit=None)
    await here.apply()
    assert {each["serial_number"] for each in await here.devices()} <= (await here.assets()).keys()


async def test_a_refused_checkout_gives_the_asset_back_and_the_next_run_tries_again(here: Office) -> None:
    device, other = await owned(here), await owned(here, 3)
    serial = device["serial_number"]
    await give(here, device, other["user"])
    here.workspace.database.faults.add(Fault("status", method="POST", path="/checkouts", status=409, times=1))

    run = await here.apply()

    assert await became(here, run) == {"check_in": "failed", "check_out": "failed"}
    assert await holder(here, serial) == device["user"]["email"]
    assert (await here.device(serial))["user"]["id"] == other["user"]["id"]
    later = await here.apply()
    assert await became(here, later) == {"check_in": "done", "check_out": "done"}
    assert await holder(here, serial) == other["user"]["email"]


async def test_an_asset_that_is_reserved_does_not_flap(here: Office) -> None:
    """It cannot even be given back; the next runs try to hand it out, and take nothing from Kandji."""
    device, other = await owned(here), await owned(here, 3)
    asset = await here.asset(device["serial_number"])
    await give(here, device, other["user"])
    here.workspace.database.assets[asset.sys_id].is_reserved = True

    for _ in range(4):
        await here.apply()

    assert (await here.device(device["serial_number"]))["user"]["id"] == other["user"]["id"]
    here.workspace.database.assets[asset.sys_id].is_reserved = False
    await here.apply()
    assert await holder(here, device["serial_number"]) == other["user"]["email"]
