"""A sync that ran once, and ways to give its services trouble."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.sync.apply import course
from sandbox.faults import Fault, Kind
from tests.connector.sync.office import Office, office

LOOSE: dict[str, Any] = {"max_changes": 999, "max_check_ins": 999, "max_creates": 999}


@asynccontextmanager
async def synced(folder: Path, **parts: Any) -> AsyncIterator[Office]:
    """Twelve devices with their assets and people; somebody has none. Nobody waits for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "PAUSES", (0.01, 0.01, 0.01))
        patch.setattr("connector.sdk.http._jitter", lambda _: 0.01)
        async with office(folder) as found:
            await found.set_up(**{"safety": LOOSE, **parts})
            last = (await owned(found, -1))["user"]["id"]
            for device in [each for each in await found.devices() if each["user"] and each["user"]["id"] == last]:
                await give(found, device, None)
            await found.apply()
            found.forget_requests()
            yield found


def fault(here: Office, kind: Kind, method: str, path: str, **more: Any) -> Fault:
    """Of the service that has such a path; once, unless `times` says otherwise."""
    service = here.tenant.tenant if path.startswith(("/devices", "/users")) else here.workspace.database
    return service.faults.add(Fault(kind, method=method, path=path, **{"times": 1, **more}))


def mended(here: Office) -> None:
    here.tenant.tenant.faults.remove(None)
    here.workspace.database.faults.remove(None)


async def owned(here: Office, place: int = 0) -> dict[str, Any]:
    """A device that somebody has."""
    return [each for each in await here.devices() if each["user"]][place]


async def tag(here: Office, device: dict[str, Any], value: str) -> None:
    """An administrator changes the tag in Kandji."""
    await here.kandji("PATCH", f"/devices/{device['device_id']}", {"asset_tag": value})


async def give(here: Office, device: dict[str, Any], user: dict[str, Any] | None) -> None:
    """An administrator assigns the device in Kandji, to nobody as well."""
    await here.kandji("PATCH", f"/devices/{device['device_id']}", {"user": user["id"] if user else None})


async def newcomer(here: Office) -> dict[str, Any]:
    """Somebody in Kandji's directory whom the asset system does not know yet."""
    known = await here.people()
    found: list[dict[str, Any]] = (await here.kandji("GET", "/users"))["results"]
    return next(user for user in found if user["email"] not in known and not user["archived"])


async def holder(here: Office, serial: str) -> str | None:
    """The email of who has the asset."""
    people = {person.sys_id: person.email for person in await here.system.people()}
    return people.get((await here.asset(serial)).assignee.id or "")


def writes(here: Office) -> list[str]:
    """What was written to both services since requests were forgotten, notes apart."""
    return [each for each in here.requests() if not each.startswith("GET ")]
