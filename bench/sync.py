"""`python -m bench.sync`: what a sync costs, between a simulated Kandji and the built-in asset system, whole and quiet.

Kandji is a process of its own and is asked over HTTP; the host and the sync are in this one, with all that they write
down. Plans are made by themselves once more, on what was read, for their time of CPU.
"""

import asyncio
import gc
import json
import resource
import sqlite3
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.processes import MEASURING, SERVED, Program, free_port, pin, running
from bench.stream.figure import at_most, exactly, plain
from connector.catalog.find import catalog
from connector.engine import logs, seals
from connector.engine.settings import Settings
from connector.host import Host, open_host
from connector.sync.apply.reading import whole
from connector.sync.apply.worker import SyncWorker
from connector.sync.plan.plan import plan
from connector.sync.store import memory
from connector.sync.store.runs import SyncRun
from connector.sync.systems.file import FileAssets

MANY, MOST = 5_000, 50_000  # devices
PAGE = 300
INSERT = "INSERT INTO assets (tag, serial, category, fields, created, updated) VALUES (?, ?, ?, ?, ?, ?)"
NAME, TOKEN = "bench", "00000000-0000-4000-8000-000000000000"
MAPPING: dict[str, Any] = {
    "version": 1,
    "mdm": {"kind": "kandji"},
    "assets": {"kind": "file"},
    "create": {"default_category": "Laptops"},
    "safety": {"max_creates": MOST},
    "fields": [
        {"to": "serial", "from": "serial_number", "key": True},
        {"to": "tag", "from": "asset_tag", "direction": "both", "winner": "mdm"},
        {"to": "name", "from": "device_name"},
        {"to": "model", "from": "model"},
    ],
    "assignment": {"direction": "both"},
}


async def main() -> None:
    logs.configure("warning")
    pin(SERVED)
    await _measured(MANY, adopts=False)
    await _measured(MOST, adopts=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    at_most(f"peak memory with {MOST:,} devices and as many assets", peak, 500, " MiB", digits=0)


async def _measured(devices: int, *, adopts: bool) -> None:
    """The first sync, which creates all assets or adopts those that are there, and one that finds nothing to do."""
    port = free_port()
    arguments = ("kandji", "--port", port, "--devices", devices, "--rate-limit", "off", "--token", TOKEN)
    with (
        tempfile.TemporaryDirectory(prefix="upcard-bench-") as name,
        running("sandbox", *arguments, core=MEASURING, port=port) as kandji,
        patch.object(catalog().connector("kandji").client, "limits", None),
    ):
        folder = Path(name)
        seals.generate(folder)
        settings = Settings(data_dir=folder, worker=False, allow_services=f"127.0.0.1:{kandji.port}")
        async with open_host(settings) as host:
            await host.connections.create("tenant", "kandji", {"url": kandji.url, "token": TOKEN})
            await host.syncs.create(NAME, json.dumps(_mapping(adopts=adopts)))
            if adopts:
                await _fill(host, folder / "assets" / "assets.sqlite")
            await _first(host, devices)
            await _quiet(host, kandji, devices)


def _mapping(*, adopts: bool) -> dict[str, Any]:
    return (
        {**MAPPING, "create": {"people": "no", "assets": "no"}, "assignment": {"direction": "none"}}
        if adopts
        else MAPPING
    )


async def _first(host: Host, devices: int) -> None:
    run, seconds, cpu = await _worked(host, await host.syncs.apply(NAME, "bench", forced=True))
    counts = await host.syncs.counts(run.id)
    assert counts.keys() == {"done"}, counts
    plain(f"{devices:,} devices, first sync: lines", counts["done"], digits=0)
    plain(f"{devices:,} devices, first sync", seconds, " s", digits=1)
    plain(f"{devices:,} devices, first sync: CPU of a line", cpu / counts["done"] * 1000, " ms", digits=1)


async def _quiet(host: Host, kandji: Program, devices: int) -> None:
    _sandbox(kandji, "DELETE")
    run, seconds, _ = await _worked(host, await host.syncs.plan(NAME, "bench"))
    asked = _sandbox(kandji, "GET")
    lines = sum((await host.syncs.counts(run.id)).values())
    pages = -(-devices // PAGE) + -(-(devices * 4 // 5) // PAGE)  # of devices, and of the directory's users
    exactly(f"{devices:,} devices, second plan: lines", lines, 0)
    exactly(f"{devices:,} devices, second plan: requests to Kandji, the pages of its lists", asked["total"], pages)
    plain(f"{devices:,} devices, second plan with reading", seconds, " s", digits=1)
    sync = await host.syncs.get(NAME)
    sides, _ = await whole(host.syncs.both(sync), sync.rules, {})
    known = await host.store.run(lambda db: memory.remembered(db, NAME))
    gc.collect()
    began = time.process_time()
    found = plan(sides, known, sync.rules)
    took = time.process_time() - began
    assert not found.lines
    if devices == MANY:
        at_most(f"{devices:,} devices and as many assets, plan after reading", took, 3, " s of CPU")
    else:
        plain(f"{devices:,} devices and as many assets, plan after reading", took, " s of CPU")


async def _worked(host: Host, run: SyncRun) -> tuple[SyncRun, float, float]:
    """The run, its seconds, and those of CPU."""
    worker = SyncWorker(host.store, host.syncs.systems, host.draining)
    began, cpu = time.monotonic(), time.process_time()
    while await worker.go_on(run.id, run.segment, "bench"):
        pass
    ended = await host.syncs.run(NAME, run.id)
    assert ended.state in ("planned", "succeeded"), ended
    return ended, time.monotonic() - began, time.process_time() - cpu


async def _fill(host: Host, path: Path) -> None:
    """An asset for each device, as if somebody had typed them in."""
    both = host.syncs.both(await host.syncs.get(NAME))
    await FileAssets(path).assets()
    with closing(sqlite3.connect(path)) as db, db:
        for device in await both.mdm.devices({"device_name", "model"}):
            fields = json.dumps({"name": device.fields["device_name"], "model": device.fields["model"]})
            db.execute(INSERT, (device.asset_tag, device.serial, "Laptops", fields, "2026-01-15", "2026-01-15"))


def _sandbox(kandji: Program, method: str) -> Any:
    """What it was asked, or that it may forget it."""
    with closing(HTTPConnection("127.0.0.1", kandji.port)) as connection:
        connection.request(method, "/_sandbox/requests")
        return json.load(connection.getresponse())


if __name__ == "__main__":
    asyncio.run(main())
