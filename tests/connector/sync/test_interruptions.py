"""Whatever breaks on the way of a run, a request or a write to the store: both sides end up as people left them."""

import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connector.engine.store import Store
from connector.sync.apply.worker import SyncWorker
from sandbox.faults import Kind
from tests.connector.sync.office import NAME, Office
from tests.connector.sync.trouble import fault, give, holder, mended, synced, tag

ROUNDS, EDITS = 3, 5
KINDS: list[tuple[Kind, int | None]] = [
    *(("drop", None), ("lost_answer", None), ("cut", None), ("html", None)),
    *(("status", 500), ("status", 503), ("status", 429), ("status", 409)),
]
WHERE = [
    *(("GET", path) for path in ("/assets", "/assets/*", "/assets/*", "/devices", "/devices", "/users", "/people")),
    *(("POST", path) for path in ("/assets", "/assets/*", "/people", "/checkouts", "/checkouts", "/check-ins")),
    *[("PATCH", "/devices/*")] * 2,
]


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Office]:
    async with synced(tmp_path, match={"person": ["link", "email"]}) as found:
        yield found


class Killed(BaseException):
    """The end of the process, as far as the run can tell."""


def breaking(store: Store, dice: random.Random) -> Store:
    """The store, which sometimes is away, before it wrote or after, and sometimes the whole process dies at it.

    A copy: the rest of the host goes on with its own.
    """
    run, found = store.run, copy(store)

    async def broken(work: Any) -> Any:
        chance = dice.random()
        if chance < 0.03:
            raise sa.exc.OperationalError("", {}, Exception("away"))
        done = await run(work)
        if chance > 0.97:
            raise Killed if chance > 0.985 else sa.exc.OperationalError("", {}, Exception("away"))
        return done

    found.run = broken  # type: ignore[method-assign]
    return found


async def edit(here: Office, dice: random.Random) -> dict[str, tuple[str | None, str | None]]:
    """People change tags and hand devices over, each on one side; who and what every device is to have then."""
    devices, people = {each["serial_number"]: each for each in await here.devices()}, await here.people()
    users = {each["email"]: each for each in (await here.kandji("GET", "/users"))["results"] if not each["archived"]}
    assets = await here.assets()
    expected = {key: (each["user"] and each["user"]["email"], each["asset_tag"]) for key, each in devices.items()}
    for serial in dice.sample(sorted(devices.keys() & assets.keys()), EDITS):
        new = f"T-{secrets.token_hex(3)}"
        if dice.random() < 0.5:
            email = dice.choice([None, *sorted(users)])
            await give(here, devices[serial], users[email] if email else None)
            await tag(here, devices[serial], new)
        else:
            email = dice.choice([None, *sorted(users.keys() & people.keys())])
            await hand(here, assets[serial].sys_id, people[email].sys_id if email else None)
            await here.system.update_asset(assets[serial].sys_id, {"tag": new})
        expected[serial] = (email, new)
    return {key: (email or None, value or None) for key, (email, value) in expected.items()}


async def hand(here: Office, asset: str, person: str | None) -> None:
    if (now := await here.system.asset(asset)) and now.assignee.kind != "none":
        await here.system.check_in(asset, "back")
    if person:
        await here.system.check_out(asset, person, "yours")


async def interrupted(here: Office, dice: random.Random) -> None:
    """A run, with something broken at each turn, taken up by other hosts until it is over."""
    host = here.upcard.host
    for _ in range(dice.randrange(1, 5)):
        (kind, status), (method, path) = dice.choice(KINDS), dice.choice(WHERE)
        more = {"after": dice.randrange(6), "times": dice.randrange(1, 7), "status": status, "retry_after": "0"}
        fault(here, kind, method, path, **more)
    run = await here.syncs.apply(NAME, "a test")
    store = breaking(host.store, dice)
    for place in range(40):
        worker = SyncWorker(store, here.syncs.systems, host.draining)
        try:
            while await worker.go_on(run.id, run.segment, f"host {place}"):
                pass
        except (Killed, sa.exc.OperationalError):
            continue
        break
    mended(here)
    await here.worked(run)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_both_sides_end_up_as_people_left_them(here: Office, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(ROUNDS):
        here.tenant.tenant.devices.add(1, at_front=False)
        expected = await edit(here, dice)
        for _ in range(2):
            await interrupted(here, dice)

        later = [await here.apply() for _ in range(2)]

        assert [each.state for each in later] == ["succeeded", "succeeded"]
        assert ((later[-1].said or {})["holds"], await here.lines(later[-1])) == ([], [])
        devices, assets = await here.devices(), await here.system.assets()
        found = {each["serial_number"]: each for each in devices}
        assert {
            key: ((each["user"] or {}).get("email"), each["asset_tag"] or None) for key, each in found.items()
        } == expected
        assert {key: (await holder(here, key), (await here.asset(key)).tag) for key in found} == expected
        assert max(Counter(each.serial for each in assets if each.serial).values()) == 1
        assert max(Counter(each.email for each in await here.system.people()).values()) == 1
