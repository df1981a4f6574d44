"""A sync at work between a simulated Kandji and a simulated asset system, over HTTP, with the people on both sides."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from cards.assetbots._assets import AssetbotsAssets
from cards.snipeit._assets import SnipeITAssets
from connector.catalog.find import catalog
from connector.sdk.inventory import Asset, Person
from connector.sdk.systems import AssetSystem
from connector.sync.apply.worker import SyncWorker
from connector.sync.schedule import Schedule
from connector.sync.store.lines import Line
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import sync_runs
from connector.sync.syncs import Sync, Syncs
from connector.sync.systems.cards import ConnectionCards, caller_of
from sandbox import assetbots, kandji, snipeit
from sandbox.log import RequestLog
from tests.conftest import Upcard, opened
from tests.serving import serving

NAME = "fleet"
ADAPTERS: dict[str, type[AssetSystem]] = {"assetbots": AssetbotsAssets, "snipeit": SnipeITAssets}
FIELDS: list[dict[str, Any]] = [
    {"to": "serial", "from": "serial_number", "key": True},
    {"to": "tag", "from": "asset_tag", "direction": "both", "winner": "asset"},
    {"to": "description", "from": "device_name"},
]
MAPPING: dict[str, Any] = {
    "version": 1,
    "mdm": {"kind": "kandji"},
    "assets": {"kind": "assetbots"},
    "create": {"default_category": "Laptops"},
    "fields": FIELDS,
    "assignment": {"direction": "both"},
}


@dataclass
class Office:
    """Both systems, the sync, and what works on it. `system` is how people change things in the asset system.

    `label`: of the column that gets the name of a device.
    """

    upcard: Upcard
    tenant: kandji.Sandbox
    workspace: Any  # the sandbox of the asset system
    system: AssetSystem
    syncs: Syncs
    worker: SyncWorker
    schedule: Schedule
    mapping: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(MAPPING)))
    label: str = "description"

    async def set_up(self, **parts: Any) -> Sync:
        """The sync, with these parts of its mapping; all of it is asked for anew where it is there."""
        self.mapping |= parts
        text = json.dumps(self.mapping)  # which is YAML
        known = [sync.name for sync in await self.syncs.all()]
        return await (self.syncs.change(NAME, mapping=text) if NAME in known else self.syncs.create(NAME, text))

    async def plan(self) -> SyncRun:
        return await self.worked(await self.syncs.plan(NAME, "a test"))

    async def apply(self, plan: SyncRun | None = None, *, forced: bool = False) -> SyncRun:
        """Whatever both sides say now, or a plan."""
        return await self.worked(await self.syncs.apply(NAME, "a test", plan.id if plan else None, forced=forced))

    async def undo(self, run: SyncRun) -> SyncRun:
        return await self.apply(await self.syncs.undo(NAME, run.id, "a test"))

    async def look(self) -> list[SyncRun]:
        """What is due by itself is done; the runs that it took."""
        await self.schedule.look()
        queued = sa.select(sync_runs.c.id).where(sync_runs.c.state == "queued")
        ids = await self.upcard.host.store.run(lambda db: list(db.execute(queued).scalars()))
        return [await self.worked(await self.syncs.run(NAME, id_)) for id_ in ids]

    async def worked(self, run: SyncRun) -> SyncRun:
        """The run, when it is over."""
        holder = secrets.token_hex(4)
        while await self.worker.go_on(run.id, run.segment, holder):
            pass
        return await self.syncs.run(NAME, run.id)

    async def lines(self, run: SyncRun, *ops: str) -> list[Line]:
        """Of a run; only these."""
        found = await self.syncs.lines(NAME, run.id)
        return [line for line in found if not ops or line.change.op in ops]

    async def kandji(self, method: str, path: str, body: Any = None) -> Any:
        """What an administrator does in Kandji."""
        transport = httpx.ASGITransport(self.tenant)
        async with httpx.AsyncClient(transport=transport, base_url="http://kandji.test/api/v1") as client:
            headers = {"Authorization": f"Bearer {self.tenant.tenant.token}"}
            answer = await client.request(method, path, json=body, headers=headers)
            assert answer.status_code < 300, answer.text
            return answer.json() if answer.content else None

    async def devices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.kandji("GET", "/devices")
        return found

    async def device(self, serial: str | None) -> dict[str, Any]:
        return next(each for each in await self.devices() if each["serial_number"] == serial)

    async def asset(self, serial: str) -> Asset:
        (found,) = [each for each in await self.system.assets() if each.serial == serial]
        return found

    async def assets(self) -> dict[str, Asset]:
        """By serial number."""
        return {each.serial: each for each in await self.system.assets() if each.serial}

    async def people(self) -> dict[str, Person]:
        """By email."""
        return {each.email: each for each in await self.system.people() if each.email}

    def forget_requests(self) -> None:
        self.tenant.tenant.log = RequestLog()
        self.workspace.database.log = RequestLog()

    def requests(self) -> list[str]:
        """What both services were asked since then, as `GET /devices`."""
        logs = self.tenant.tenant.log, self.workspace.database.log
        return [f"{entry['method']} {entry['path']}" for log in logs for entry in log.shown()["requests"]]


@asynccontextmanager
async def office(folder: Path, *, devices: int = 12, assets: int = 3, people: int = 3) -> AsyncIterator[Office]:
    """With Assetbots."""
    workspace = assetbots.workspace(assets=assets, people=people)
    async with _office(folder, devices, "assetbots", workspace, {"api_key": workspace.database.key}) as found:
        yield found


@asynccontextmanager
async def snipeit_office(folder: Path, *, devices: int = 12, **settings: Any) -> AsyncIterator[Office]:
    """With Snipe-IT, which gives tags itself."""
    server = snipeit.server(**{"assets": 3, "users": 3, "auto_increment": True} | settings)
    async with _office(folder, devices, "snipeit", server, {"token": server.database.token}) as found:
        found.label = "name"
        fields = [{**row, "to": "name"} if row["to"] == "description" else row for row in FIELDS]
        found.mapping |= {"assets": {"kind": "snipeit"}, "fields": fields}
        yield found


@asynccontextmanager
async def _office(
    folder: Path,
    devices: int,
    connector: str,
    workspace: Any,
    secret: dict[str, str],
) -> AsyncIterator[Office]:
    """The sandboxes are real servers; the sync works when it is told to, on a host that has no worker."""
    tenant = kandji.tenant(devices=devices, rate_limit=False)
    with serving(tenant) as mdm, serving(workspace) as system, pytest.MonkeyPatch.context() as patch:
        for key in ("kandji", connector):
            patch.setattr(catalog().connector(key).client, "limits", None)
        async with opened(folder, services=(), allow_services="127.0.0.1:*") as upcard:
            connections = upcard.host.connections
            await connections.create("acme", "kandji", {"url": mdm, "token": str(tenant.tenant.token)})
            await connections.create("office", connector, {"url": system, **secret})
            host, caller = upcard.host, replace(caller_of("x", "acme", "office"), id="a person")
            cards = ConnectionCards(host.runner, connector, "office", caller)
            worker = SyncWorker(host.store, host.syncs.systems, host.draining)
            made = ADAPTERS[connector](cards)
            yield Office(upcard, tenant, workspace, made, host.syncs, worker, Schedule(host.syncs))
