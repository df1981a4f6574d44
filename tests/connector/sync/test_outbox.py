"""The outbox: what people change in the asset system is told to Kandji at once, once, and when Kandji can hear it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.sync.store import memory
from connector.sync.store.tables import sync_links, sync_outbox
from tests.connector.sync.office import NAME, Office
from tests.connector.sync.trouble import fault, mended, owned, synced, writes


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    """Enabled, with its first whole run behind it."""
    async with synced(tmp_path) as found:
        await found.syncs.change(NAME, enabled=True)
        await found.look()
        found.forget_requests()
        yield found


async def tagged(here: Office, value: str) -> tuple[str, str]:
    """Somebody changes a tag in Assetbots, which is announced; serial number and asset."""
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.system.update_asset(asset.sys_id, {"tag": value})
    await here.syncs.announce(NAME, [asset.sys_id], "hook")
    return device["serial_number"], asset.sys_id


async def test_a_burst_of_announcements_is_one_push(here: Office) -> None:
    serial, asset = await tagged(here, "T-1")
    await here.system.update_asset(asset, {"tag": "T-2"})
    for _ in range(20):
        await here.syncs.announce(NAME, [asset], "hook")
    here.forget_requests()

    found = await here.look()

    assert [run.mode for run in found] == ["push"]
    assert (await here.device(serial))["asset_tag"] == "T-2"
    assert [each.split("/")[1] for each in writes(here)] == ["devices"]
    assert await here.look() == []


async def test_a_push_waits_while_a_run_is_at_work(here: Office) -> None:
    serial, _ = await tagged(here, "T-1")
    run = await here.syncs.plan(NAME, "a person")

    await here.schedule.look()
    waiting = [each.asset for each in await here.syncs.outbox(NAME)]
    await here.worked(run)
    (push,) = await here.look()

    assert (len(waiting), push.mode, push.state) == (1, "push", "succeeded")
    assert (await here.device(serial))["asset_tag"] == "T-1"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_kandji_is_away_and_told_later(here: Office, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Attempts with growing pauses, then the next whole run; it is told once."""
    serial, asset = await tagged(here, "T-1")
    fault(here, "status", method, "/devices*", status=503, times=None)

    pauses = []
    for _ in range(4):
        assert len(await here.look()) == 1
        assert await here.look() == []
        (entry,) = await here.syncs.outbox(NAME)
        pauses.append((entry.due or 0) - time.time())
        monkeypatch.setattr("time.time", lambda due=entry.due: due + 1)
    assert len(await here.look()) == 1
    (entry,) = await here.syncs.outbox(NAME)
    assert (entry.asset, entry.due, entry.attempts) == (asset, None, 5)
    assert entry.why
    assert pauses == sorted(pauses)

    mended(here)
    monkeypatch.undo()
    await here.apply()
    assert (await here.device(serial))["asset_tag"] == "T-1"
    assert await here.syncs.outbox(NAME) == []


async def test_what_is_announced_while_a_push_reads_is_not_lost(here: Office) -> None:
    serial, asset = await tagged(here, "T-1")
    await here.schedule.look()
    (run,) = [each for each in (await here.syncs.runs(NAME, None, 9))[0] if each.state == "queued"]

    assert await here.worker.go_on(run.id, run.segment, "h")  # planned from what was read
    await here.system.update_asset(asset, {"tag": "T-2"})
    await here.syncs.announce(NAME, [asset], "hook")
    while await here.worker.go_on(run.id, run.segment, "h"):
        pass

    assert [each.asset for each in await here.syncs.outbox(NAME)] == [asset]
    await here.look()
    assert (await here.device(serial))["asset_tag"] == "T-2"
    assert await here.syncs.outbox(NAME) == []


async def test_what_is_announced_before_another_host_takes_a_push_up_is_not_lost(here: Office) -> None:
    serial, asset = await tagged(here, "T-1")
    await here.schedule.look()
    (run,) = [each for each in (await here.syncs.runs(NAME, None, 9))[0] if each.state == "queued"]

    assert await here.worker.go_on(run.id, run.segment, "h")
    await here.system.update_asset(asset, {"tag": "T-2"})
    await here.syncs.announce(NAME, [asset], "hook")
    await here.worked(run)

    assert [each.asset for each in await here.syncs.outbox(NAME)] == [asset]
    await here.look()
    assert (await here.device(serial))["asset_tag"] == "T-2"


async def test_a_device_of_which_one_line_waits_and_another_is_refused(here: Office) -> None:
    """It is in the outbox once, to be tried again."""
    serial, asset = await tagged(here, "T-1")
    stranger = await here.system.create_person({"name": "A Stranger", "email": "stranger@nowhere.example"})
    await here.system.check_in(asset, "back")
    await here.system.check_out(asset, stranger.sys_id, "out")
    await here.look()
    await here.system.update_asset(asset, {"tag": "T-2"})
    await here.upcard.host.store.run(lambda db: db.execute(sa.delete(sync_outbox)))
    fault(here, "status", "PATCH", "/devices*", status=400)

    run = await here.apply()

    became = {line.change.op: line.status for line in await here.lines(run)}
    assert (run.state, became) == ("succeeded", {"update_device": "failed", "assign": "waiting"})
    (entry,) = await here.syncs.outbox(NAME)
    assert (entry.asset, entry.field, entry.attempts) == (asset, "asset_tag", 1)
    await here.apply()
    assert (await here.device(serial))["asset_tag"] == "T-2"


async def test_a_push_takes_nobodys_link(here: Office) -> None:
    """The asset is with another person of the same email: only a whole run sees who that could be."""
    device, other = await owned(here), await owned(here, -1)
    email = other["user"]["email"]
    known = (await here.people())[email].sys_id
    double = await here.system.create_person({"name": "Double", "email": email})
    asset = (await here.asset(device["serial_number"])).sys_id
    await here.system.check_in(asset, "back")
    await here.system.check_out(asset, double.sys_id, "out")

    await here.syncs.announce(NAME, [asset], "hook")
    await here.look()

    links = await here.upcard.host.store.run(lambda db: memory.links(db, NAME, sync_links.c.kind == "user"))
    assert [link.sys_id for link in links if link.mdm_id == other["user"]["id"]] == [known]
    assert (await here.device(device["serial_number"]))["user"]["id"] == device["user"]["id"]


async def test_a_push_gives_no_device_to_who_left(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits, as in a whole run."""
    device, other = await owned(here), await owned(here, -1)
    users = here.tenant.tenant.users
    left = users.number(other["user"]["id"])
    monkeypatch.setattr(users, "is_archived", lambda number: number == left)
    asset = (await here.asset(device["serial_number"])).sys_id
    await here.system.check_in(asset, "back")
    await here.system.check_out(asset, (await here.people())[other["user"]["email"]].sys_id, "out")

    await here.syncs.announce(NAME, [asset], "hook")
    await here.look()

    assert (await here.device(device["serial_number"]))["user"]["id"] == device["user"]["id"]
    (entry,) = await here.syncs.outbox(NAME)
    assert "is archived" in (entry.why or "")


async def test_assets_that_are_not_linked_are_ignored(here: Office) -> None:
    stranger = next(each for each in await here.system.assets() if each.at("description") and each.tag)
    linked = {(await here.asset(each["serial_number"])).sys_id for each in await here.devices()}
    assert stranger.sys_id not in linked

    assert await here.syncs.announce(NAME, [stranger.sys_id, "nobody"], "hook") == []
    assert await here.look() == []


async def test_nothing_goes_out_while_the_sync_is_not_enabled(here: Office) -> None:
    await here.syncs.change(NAME, enabled=False)
    _, asset = await tagged(here, "T-1")
    here.forget_requests()

    assert await here.look() == []
    assert here.requests() == []
    assert [each.asset for each in await here.syncs.outbox(NAME)] == [asset]

    await here.syncs.change(NAME, enabled=True)
    await here.look()
    assert (await here.syncs.outbox(NAME)) == []


async def test_a_push_writes_nothing_to_the_asset_system(here: Office) -> None:
    """And its MDM side is left to a whole run."""
    device = await owned(here)
    asset = await here.asset(device["serial_number"])
    await here.kandji("PATCH", f"/devices/{device['device_id']}", {"user": None, "asset_tag": "K-1"})
    await here.syncs.announce(NAME, [asset.sys_id], "hook")
    here.forget_requests()

    (run,) = await here.look()

    assert (run.state, writes(here)) == ("succeeded", [])
    await here.apply()
    now = await here.asset(device["serial_number"])
    assert (now.tag, now.assignee.kind) == ("K-1", "none")
