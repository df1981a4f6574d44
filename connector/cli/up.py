"""`upcard up`: the host and a simulated tenant in one process, with a key, a connection and something to paste."""

import time
from typing import Any

import uvloop
from rich.console import Console

from connector.cli.demo import CONNECTION, Demonstration
from connector.cli.key import ready_key
from connector.cli.serve import CannotStart, drained, server, serving, until_stopped
from connector.engine import logs, seals
from connector.engine.settings import Settings
from connector.host import Host, open_host
from connector.rest.app import app
from sandbox import kandji

LOOPBACK = "127.0.0.1"

READY = """
Upcard is ready ({seconds:.1f} s): {address}
Key (in {file}): {key}
Connection: {connection}, a simulated Kandji tenant of {devices} devices at {tenant}

Try it:
  KEY={key}
  curl -s {address}/v1/cards/kandji/list_devices -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"options": {{"result_set": "first"}}, "inputs": {{"platform": "Mac"}}}}'
  curl -s {address}/v1/cards/kandji/get_device -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"options": {{"details": "basic"}}, "inputs": {{"device_id": "{device}"}}}}'
  curl -s {address}/v1/cards/kandji/lock_device -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"inputs": {{"device_id": "{device}"}}, "dry_run": true}}'

Stop with Ctrl-C.
"""


def run_up(port: int | None, devices: int, *, once: bool) -> int:
    """Returns the exit status: 0, or 1 where the demonstration's figures disagree."""
    port = port or Settings().port
    settings = Settings(
        host=LOOPBACK, port=port, allow_services=f"{LOOPBACK}:{port + 1}", allow_receivers=f"{LOOPBACK}:*"
    )
    logs.configure("warning")
    seals.generate(settings.data_dir)
    try:
        return uvloop.run(_up(settings, devices, once=once))
    except CannotStart as error:
        raise SystemExit(str(error)) from None


async def _up(settings: Settings, devices: int, *, once: bool) -> int:
    began, console = time.monotonic(), Console(highlight=False, soft_wrap=True)
    tenant = kandji.tenant(devices=devices, seed=7)
    async with (
        open_host(settings) as host,
        serving(server(tenant, LOOPBACK, settings.port + 1), server(app(host), LOOPBACK, settings.port)) as (_, served),
    ):
        address, sandbox = settings.address, f"http://{LOOPBACK}:{settings.port + 1}"
        await _connect(host, sandbox, str(tenant.tenant.token))
        key = ready_key(host.keys, settings.data_dir)
        async with Demonstration.at(address, key) as demonstration:
            if once:
                return await demonstration.run(console, devices)
            device = (await demonstration.a_mac())["device_id"]
        told = {"address": address, "key": key, "file": settings.data_dir / "key", "device": device, "tenant": sandbox}
        seconds = time.monotonic() - began
        console.print(READY.format(**told, seconds=seconds, devices=devices, connection=CONNECTION), markup=False)
        await until_stopped()
        await drained(host, served)
    return 0


async def _connect(host: Host, url: str, token: str) -> None:
    """The connection to the simulated tenant, whose port and token may be new."""
    fields: dict[str, Any] = {"url": url, "token": token}
    if CONNECTION in [account.name for account in host.connections.all()]:
        await host.connections.change(CONNECTION, fields)
    else:
        await host.connections.create(CONNECTION, "kandji", fields)
