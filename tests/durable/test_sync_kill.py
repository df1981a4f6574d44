"""kill -9 while a sync is applied: no asset and no checkout twice, and what both sides said last is on both of them."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from sandbox import assetbots, kandji
from sandbox.faults import Fault
from sandbox.log import RequestLog
from tests.connector.sync.office import MAPPING
from tests.processes import HostProcess, until
from tests.serving import serving

DEVICES, NEW, EDITS, ROUNDS = 12, 2, 6, 20
LATENCY = 60  # milliseconds of each write, so that kills hit requests on their way
KINDS = ("POST /assets", "POST /people", "POST /checkouts", "POST /check-ins", "PATCH /devices/", "")  # that are hit
SYNC = "/v1/syncs/fleet"

pytestmark = pytest.mark.slow


@dataclass
class Scene:
    """Both systems, which live on while hosts die; and who is to have what."""

    tenant: kandji.Sandbox
    workspace: assetbots.Sandbox
    mdm: str
    system: str
    dice: random.Random = field(default_factory=random.Random)
    expected: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)  # email and tag by serial number

    async def ask(self, system: str, method: str, path: str, body: Any = None) -> Any:
        """What a person does in one of the systems."""
        base = {"mdm": f"{self.mdm}/api/v1", "system": f"{self.system}/v1"}[system]
        headers = {"Authorization": f"Bearer {self.tenant.tenant.token}", "X-Api-Key": self.workspace.database.key}
        async with httpx.AsyncClient(headers=headers) as client:
            answer = await client.request(method, f"{base}/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def devices(self) -> dict[str, Any]:
        return {each["serial_number"]: each for each in await self.ask("mdm", "GET", "devices")}

    async def assets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("system", "GET", "assets?limit=1000"))["data"]
        return [each for each in found if each.get("serialNumber")]

    async def edit(self) -> None:
        """People hand devices over and change tags: one of them, on one side, for each device."""
        devices, assets = await self.devices(), {each["serialNumber"]: each for each in await self.assets()}
        people = {each["email"]: each["id"] for each in (await self.ask("system", "GET", "people?limit=1000"))["data"]}
        users = {each["user"]["email"]: each["user"]["id"] for each in devices.values() if each["user"]}
        self.expected = {serial: self.now(device) for serial, device in devices.items()}
        for serial in self.dice.sample(sorted(assets.keys() & devices.keys()), EDITS if assets else 0):
            email = self.dice.choice([None, *sorted(people.keys() & users.keys())])
            if int(serial, 36) % 2:  # always on its side: what goes to and fro is locked by the flap guard
                path, user = f"devices/{devices[serial]['device_id']}", users.get(email or "")
                await self.ask("mdm", "PATCH", path, {"user": user})
                self.expected[serial] = email, self.expected[serial][1]
            else:
                tag = f"T{self.dice.randrange(10**6)}"
                await self._hand(assets[serial], people.get(email or ""), tag)
                self.expected[serial] = email, tag

    async def _hand(self, asset: dict[str, Any], person: str | None, tag: str) -> None:
        now = {"assetIds": [asset["id"]], "date": "2026-01-15T09:00:00Z"}
        if asset["checkout"]:
            await self.ask("system", "POST", "check-ins", now)
        if person:
            await self.ask("system", "POST", "checkouts", {**now, "personId": person})
        await self.ask("system", "POST", f"assets/{asset['id']}", {"tag": tag})

    @staticmethod
    def now(device: dict[str, Any]) -> tuple[str | None, str | None]:
        return device["user"]["email"] if device["user"] else None, device["asset_tag"] or None

    def forget(self) -> None:
        self.tenant.tenant.log, self.workspace.database.log = RequestLog(), RequestLog()

    def refused(self) -> list[str]:
        """Writes that were no use: a checkout of what is out already, a second check-in."""
        logs = self.tenant.tenant.log.shown()["requests"] + self.workspace.database.log.shown()["requests"]
        return [f"{each['method']} {each['path']} {each['status']}" for each in logs if each["status"] >= 400]

    async def is_asked(self, kind: str, within: float) -> None:
        """Returns while a request of this kind is on its way, or after so many seconds."""
        end = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < end:
            logs = self.tenant.tenant.log.shown()["requests"] + self.workspace.database.log.shown()["requests"]
            under_way = [f"{each['method']} {each['path']}" for each in logs if each["status"] == 0]
            if kind and any(each.startswith(kind) for each in under_way):
                return
            await asyncio.sleep(0.01)

    def writes(self) -> int:
        """How many came until now, whether they were answered or not."""
        logs = self.tenant.tenant.log.shown()["requests"] + self.workspace.database.log.shown()["requests"]
        return sum(each["method"] in ("POST", "PATCH") for each in logs)

    def handed(self) -> Counter[str]:
        """How many checkouts each asset ever had that are still open."""
        return Counter(asset for each in self.workspace.database.checkouts.values() for asset in each.out)


@contextmanager
def scene() -> Iterator[Scene]:
    tenant, workspace = kandji.tenant(devices=DEVICES, rate_limit=False), assetbots.workspace(assets=1, people=2)
    workspace.database.assets[next(iter(workspace.database.assets))].fields.pop("serialNumber", None)
    for faults in (tenant.tenant.faults, workspace.database.faults):
        for method in ("POST", "PATCH"):
            faults.add(Fault("latency", method=method, milliseconds=LATENCY))
    with serving(tenant) as mdm, serving(workspace) as system:
        yield Scene(tenant, workspace, mdm, system)


def connect(host: HostProcess, there: Scene) -> None:
    """Both connections, and the sync, which runs when it is told to."""
    mdm = {"url": there.mdm, "token": str(there.tenant.tenant.token)}
    system = {"url": there.system, "api_key": there.workspace.database.key, "requests_per_second": 100}
    (category,) = {
        there.workspace.database.categories[each.own["category"]] for each in there.workspace.database.assets.values()
    }
    mapping = MAPPING | {"create": {"default_category": category}, "safety": {"max_changes": 999, "max_check_ins": 999}}
    for name, fields in (("kandji", mdm), ("assetbots", system)):
        made = host.ask("POST", "/v1/connections", {"name": name, "connector": name, "fields": fields})
        assert "created" in made, made
    made = host.ask("POST", "/v1/syncs", {"name": "fleet", "mapping": orjson.dumps(mapping).decode()})
    assert "created" in made, made


async def ended(host: HostProcess, run: str) -> dict[str, Any]:
    """The run, when it is over."""

    async def look() -> dict[str, Any]:
        found = await asyncio.to_thread(host.ask, "GET", f"{SYNC}/runs/{run}")
        return found if found["state"] not in ("queued", "running") else {}

    return await until(look, 60)


async def test_what_is_applied_is_applied_once(database: str, tmp_path: Path) -> None:
    """Twenty rounds of edits on both sides, each applied with a kill somewhere on the way."""
    with scene() as there:
        host = HostProcess(tmp_path, there.mdm, database, settings={"UPCARD_ALLOW_SERVICES": "127.0.0.1:*"})
        await asyncio.to_thread(host.start)
        await asyncio.to_thread(connect, host, there)
        try:
            cut = [await _round(host, there, KINDS[round_ % len(KINDS)]) for round_ in range(ROUNDS)]
        finally:
            host.kill()
    assert sum(cut) >= ROUNDS / 4  # else the kills came too early or too late to say anything


async def test_another_host_goes_on_where_one_froze(database: str, tmp_path: Path) -> None:
    """It is shut out when it comes back, between two lines or within one: nothing is written twice."""
    with scene() as there:
        allowed = {"UPCARD_ALLOW_SERVICES": "127.0.0.1:*"}
        frozen, other = (HostProcess(tmp_path, there.mdm, database, settings=allowed) for _ in range(2))
        await asyncio.to_thread(frozen.start)
        await asyncio.to_thread(connect, frozen, there)
        try:
            await there.edit()
            run = (await asyncio.to_thread(frozen.ask, "POST", f"{SYNC}/apply", {}, Prefer="respond-async"))["run"]
            await there.is_asked("POST /checkouts", 20)
            frozen.freeze()
            before = there.writes()
            await asyncio.to_thread(other.start)
            found = await ended(other, run)
            frozen.thaw()
            await asyncio.sleep(2)
        finally:
            frozen.kill()
            other.kill()
        assert (found["state"], found["counts"].keys() - {"done"}) == ("succeeded", set()), found
        assert 0 < before < there.writes()
        assert there.refused() == []
        assert max(Counter(each["serialNumber"] for each in await there.assets()).values()) == 1
        assert max(there.handed().values()) == 1
        assert {each["serialNumber"]: _of(each) for each in await there.assets()} == there.expected


async def _round(host: HostProcess, there: Scene, kind: str) -> bool:
    """Whether the kill cut it: some was written before it, and some after."""
    there.tenant.tenant.devices.add(NEW, at_front=False)
    await there.edit()
    there.forget()
    run = (await asyncio.to_thread(host.ask, "POST", f"{SYNC}/apply", {}, Prefer="respond-async"))["run"]
    await there.is_asked(kind, random.uniform(0.05, 2.0))

    host.kill()
    before = there.writes()
    await asyncio.to_thread(host.start)
    found = await ended(host, run)
    again = await asyncio.to_thread(host.ask, "POST", f"{SYNC}/plan", {})

    assert (found["state"], found["counts"].keys() - {"done"}) == ("succeeded", set()), found
    assert (again["state"], again["counts"], again["holds"]) == ("planned", {}, [])
    assert there.refused() == []
    assets = await there.assets()
    assert max(Counter(each["serialNumber"] for each in assets).values()) == 1
    assert max(there.handed().values(), default=0) <= 1
    assert {each["serialNumber"]: _of(each) for each in assets} == there.expected
    assert {serial: there.now(each) for serial, each in (await there.devices()).items()} == there.expected
    return 0 < before < there.writes()


def _of(asset: dict[str, Any]) -> tuple[str | None, str | None]:
    checkout = asset["checkout"]
    return checkout["value"]["person"]["value"]["email"] if checkout else None, asset["tag"]
