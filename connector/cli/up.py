"""`upcard up`: the host and simulated systems in one process, with a key, connections, a sync and calls to paste."""

import shutil
import time
from typing import Any

import uvloop
from rich.console import Console

from connector.cli.demo import CONNECTION, SYNC, Demonstration
from connector.cli.fleet import ASSETS, ready_fleet
from connector.cli.key import ready_key
from connector.cli.serve import CannotStart, drained, server, serving, until_stopped
from connector.engine import logs, seals
from connector.engine.settings import Settings
from connector.host import Host, open_host
from connector.rest.app import app
from sandbox import assetbots, kandji, office

LOOPBACK = "127.0.0.1"

READY = """
Upcard is ready ({seconds:.1f} s): {address}
Key (in {file}): {key}
Connections: {connection}, a simulated Kandji tenant of {devices} devices at {tenant}
             {assets}, a simulated Assetbots workspace of {many} assets at {workspace}

Try it:
  KEY={key}
  curl -s {address}/v1/cards/kandji/list_devices -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"options": {{"result_set": "first"}}, "inputs": {{"platform": "Mac"}}}}'
  curl -s {address}/v1/cards/kandji/get_device -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"options": {{"details": "basic"}}, "inputs": {{"device_id": "{device}"}}}}'
  curl -s {address}/v1/cards/kandji/lock_device -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"inputs": {{"device_id": "{device}"}}, "dry_run": true}}'

Sync the Macs of one team with their assets:
  {upcard} sync plan {fleet}
  {upcard} sync apply {fleet}
  {upcard} sync show {fleet}

Stop with Ctrl-C.
"""


def run_up(port: int | None, devices: int, *, once: bool) -> int:
    """Returns the exit status: 0, or 1 where the demonstration's figures disagree."""
    given = Settings()
    port = port or given.port
    services = _joined(given.allow_services, f"{LOOPBACK}:{port + 1}", f"{LOOPBACK}:{port + 2}")
    receivers = _joined(given.allow_receivers, f"{LOOPBACK}:*")
    settings = Settings(host=LOOPBACK, port=port, allow_services=services, allow_receivers=receivers)
    logs.configure("warning")
    seals.generate(settings.data_dir)
    try:
        return uvloop.run(_up(settings, devices, once=once))
    except CannotStart as error:
        raise SystemExit(str(error)) from None


def _joined(*allowed: str) -> str:
    return ",".join(filter(None, allowed))


async def _up(settings: Settings, devices: int, *, once: bool) -> int:
    began, console = time.monotonic(), Console(highlight=False, soft_wrap=True)
    tenant, workspace = kandji.tenant(devices=devices, seed=7), assetbots.workspace(assets=0, people=0, seed=7)
    office.furnish(tenant.tenant, workspace.database)
    beside = server(tenant, LOOPBACK, settings.port + 1), server(workspace, LOOPBACK, settings.port + 2)
    async with (
        open_host(settings) as host,
        serving(*beside, served := server(app(host), LOOPBACK, settings.port)),
    ):
        address, urls = settings.address, [f"http://{LOOPBACK}:{settings.port + more}" for more in (1, 2)]
        await _connect(host, CONNECTION, "kandji", {"url": urls[0], "token": str(tenant.tenant.token)})
        pace = {"requests_per_second": 20}  # the simulator takes any number; the service is asked once a second
        await _connect(host, ASSETS, "assetbots", {"url": urls[1], "api_key": workspace.database.key, **pace})
        await ready_fleet(host)
        key = ready_key(host.keys, settings.data_dir)
        async with Demonstration.at(address, key) as demonstration:
            if once:
                return await demonstration.run(console, devices)
            device = (await demonstration.a_mac())["device_id"]
        told = {"address": address, "key": key, "file": settings.data_dir / "key", "device": device, "tenant": urls[0]}
        told |= {"assets": ASSETS, "workspace": urls[1], "many": len(workspace.database.assets)}
        told |= {"upcard": _command(settings.port), "fleet": SYNC, "devices": devices, "connection": CONNECTION}
        console.print(READY.format(**told, seconds=time.monotonic() - began), markup=False)
        await until_stopped()
        await drained(host, served)
    return 0


def _command(port: int) -> str:
    """`upcard` as it is typed here: after a clone its folder is in no PATH, and a port of its own has to be told."""
    command = "upcard" if shutil.which("upcard") else ".venv/bin/upcard"
    return command if port == Settings().port else f"UPCARD_PORT={port} {command}"


async def _connect(host: Host, name: str, connector: str, fields: dict[str, Any]) -> None:
    """The connection to a simulated system, whose port and token may be new."""
    if name in [account.name for account in host.connections.all()]:
        await host.connections.change(name, fields)
    else:
        await host.connections.create(name, connector, fields)
