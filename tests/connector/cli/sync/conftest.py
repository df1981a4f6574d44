"""Two simulated systems in the mess of an office, a sync between them, and its commands."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from sandbox.office import furnish
from tests.conftest import Upcard
from tests.connector.cli.conftest import Command, commanding, reached
from tests.connector.sync.office import NAME, Office, office

STUDIO = "scope: { platforms: [Mac], exclude: { blueprint: [Engineering, Sales, Office] } }\n"
MAPPING = """\
version: 1
mdm: { kind: kandji, connection: acme }
assets: { kind: assetbots, connection: office }
create: { default_category: Kandji }
fields:
  - { to: serial, from: serial_number, key: true, case: ignore }
  - { to: tag, from: asset_tag, direction: both, winner: asset }
  - { to: description, from: device_name }
  - { to: osVersion, from: os_version }
assignment: { direction: both }
"""
Fleet = Callable[..., Awaitable[Result]]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with at_work(tmp_path) as found:
        yield found


@pytest.fixture
async def upcard(here: Office) -> Upcard:
    return here.upcard


@pytest.fixture
async def fleet(here: Office, command: Command) -> Fleet:
    """`await fleet("plan")`: `upcard sync plan` for a sync of the team's Macs."""
    return await fleet_of(here, command)


@dataclass(frozen=True)
class Settled:
    """A sync of which one run was applied, for tests that leave it as it is."""

    office: Office
    fleet: Fleet
    run: str


@pytest.fixture(scope="module")  # a host of one's own and what it patches must not outlive its tests
async def settled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    folder = tmp_path_factory.mktemp("settled")
    async with at_work(folder) as found, reached(found.upcard, folder) as environment:
        fleet = await fleet_of(found, commanding(environment))
        applied = await fleet("apply", "--yes", "--json")
        yield Settled(found, fleet, json.loads(applied.stdout)["run"])


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[Office]:
    """Both systems, and a worker that takes what is queued: 24 Macs of the team, and 12 TVs that have no assets."""
    async with office(folder, devices=240, assets=0, people=0) as found:
        furnish(found.tenant.tenant, found.workspace.database)
        done = asyncio.Event()
        working = asyncio.create_task(_work(found, done))
        yield found
        done.set()
        await working


async def fleet_of(here: Office, command: Command) -> Fleet:
    await here.syncs.create(NAME, MAPPING + STUDIO)

    async def run(*words: str) -> Result:
        count = 2 if words[0] == "map" else 1
        return await command("sync", *words[:count], NAME, *words[count:])

    return run


async def _work(here: Office, done: asyncio.Event) -> None:
    while not done.is_set():
        await here.look()
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 0.02)
