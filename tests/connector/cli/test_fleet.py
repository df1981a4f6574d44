"""The sync of `upcard up`: made at the first start, and as new at every other one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.cli import fleet
from connector.cli.fleet import ready_fleet
from sandbox.office import furnish
from tests.connector.sync.office import Office, office


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """The systems of the demonstration, by other names."""
    for name, other in (("CONNECTION", "acme"), ("ASSETS", "office")):
        monkeypatch.setattr(
            fleet, "START", fleet.START.replace(f"connection: {getattr(fleet, name)} ", f"connection: {other} ")
        )
    async with office(tmp_path, devices=240, assets=0, people=0) as found:
        furnish(found.tenant.tenant, found.workspace.database)
        yield found


async def test_its_mapping_is_proposed_and_not_enabled(here: Office) -> None:
    """What is sure of what nobody decided; no property that takes a request for each device."""
    await ready_fleet(here.upcard.host)

    sync = await here.syncs.get("fleet")
    assert not sync.enabled
    assert "  - { to: model, from: model, direction: mdm_to_asset }  # the same key\n" in sync.mapping
    assert [row for row in sync.rules.mapped if str(row.from_).startswith("details.")] == []


async def test_its_first_plan_is_within_the_limits(here: Office) -> None:
    """And holds a serial number that is there twice, and an asset that was lent."""
    await ready_fleet(here.upcard.host)

    run = await here.plan()

    assert run.said
    assert (run.said["stopped"], run.said["brakes"]) == (None, [])
    assert [hold["kind"] for hold in run.said["holds"]] == ["duplicate_serial", "conflict"]


async def test_a_host_that_starts_again_has_it_as_new(here: Office) -> None:
    """With the mapping that it had: what it remembered is of systems that are gone."""
    await ready_fleet(here.upcard.host)
    mapping = (await here.syncs.get("fleet")).mapping + "# ours\n"
    await here.syncs.change("fleet", mapping=mapping, enabled=True)
    await here.apply()

    await ready_fleet(here.upcard.host)

    sync = await here.syncs.get("fleet")
    assert (sync.mapping, sync.enabled, (await here.syncs.status("fleet")).active) == (mapping, False, 0)


async def test_a_run_that_was_cut_off_goes_on(here: Office) -> None:
    """Nothing is forgotten while it does."""
    await ready_fleet(here.upcard.host)
    await here.syncs.plan("fleet", "a test")

    await ready_fleet(here.upcard.host)

    assert (await here.syncs.status("fleet")).at_work
