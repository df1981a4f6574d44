"""A sync with one linked device on a host without a worker: what tests of its surface begin with."""

from typing import Any

import httpx
import respx
import sqlalchemy as sa

from connector.sdk.inventory import Asset
from connector.sync.entities import Link
from connector.sync.store import memory
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import sync_runs
from tests.conftest import Upcard, asked

SYNC = "/v1/syncs/fleet"
SERIAL, PIN = "C02MAC1", "730512"
MAC = {"device_id": "d1", "device_name": "Mac 1", "platform": "Mac", "serial_number": SERIAL, "mdm_enabled": True}
ON = "actions: { enabled: true }\n"
ALL = "actions: { enabled: true, confirm: [] }\n"
MAPPING = """\
version: 1
mdm: { kind: kandji, connection: acme }
assets: { kind: file, connection: fleet }
create: { default_category: "Kandji" }
fields:
  - { to: serial, from: serial_number, key: true }
  - { to: name, from: device_name }
assignment: { direction: both }
"""


async def a_sync(upcard: Upcard, more: str = "", name: str = "fleet") -> httpx.Response:
    answer = await upcard.http.post("/v1/syncs", json={"name": name, "mapping": MAPPING + more})
    assert answer.status_code == 201, answer.text
    return answer


async def linked(upcard: Upcard, more: str = "", serial: str = SERIAL, device: str = "d1", **link: Any) -> Asset:
    """An asset of the sync `fleet` that is linked to a device; the sync is made where it is not there yet."""
    if (await upcard.http.get(SYNC)).status_code == 404:
        await a_sync(upcard, more)
    syncs = upcard.host.syncs
    asset = await syncs.both(await syncs.get("fleet")).assets.create_asset({"serial": serial, "tag": f"T-{device}"})
    made = Link("device", device, asset.sys_id, "serial", **link)
    await syncs.store.run(lambda db: memory.record_links(db, "fleet", [made]))
    return asset


def listed(kandji: respx.MockRouter, **facts: Any) -> None:
    """The tenant has one device, and takes every command."""
    device = {**MAC, **facts}
    kandji.get("/devices").respond(json=[device])
    kandji.get("/devices/d1").respond(json=device)
    kandji.post("/devices/d1/action/lock").respond(json={"PIN": PIN})
    kandji.post(path__regex=r".*/devices/d1/action/(blankpush|restart|shutdown)").respond(200, json={})


async def act(upcard: Upcard, action: str, headers: dict[str, str] | None = None, **said: Any) -> httpx.Response:
    body = {"asset": SERIAL, "action": action, **said}
    return await upcard.http.post(f"{SYNC}/actions", json=body, headers=headers)


async def recorded(upcard: Upcard) -> list[SyncRun]:
    """The runs of the sync, newest first."""
    found, _ = await upcard.host.syncs.runs("fleet", None, 100)
    return found


async def audited(upcard: Upcard, event: str) -> list[dict[str, Any]]:
    found, _ = await upcard.host.audit.entries(caller=None, card=None, connection=None, cursor=None, limit=100)
    return [entry for entry in found if entry["event"] == event]


def told(kandji: respx.MockRouter) -> list[str]:
    """What the device was told."""
    return [each.url.path.rpartition("/")[2] for each in asked(kandji) if each.method == "POST"]


async def long_ago(upcard: Upcard) -> None:
    """All that was recorded until now is older than any limit."""
    at = {"started": "2026-01-01T00:00:00.000Z"}
    await upcard.host.store.run(lambda db: db.execute(sa.update(sync_runs).values(at)))
