"""Runs of a sync through HTTP: a host at work, a simulated Kandji, and the built-in asset system or Assetbots."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.processes import ROOT, HostProcess, admin, free_port, tenant, until

pytestmark = pytest.mark.slow

DEVICES = 12
MAPPING = """\
version: 1
mdm: {{ kind: kandji, connection: mdm }}
assets: {{ kind: file, connection: {name} }}
create: {{ default_category: Laptops }}
fields:
  - {{ to: serial, from: serial_number, key: true }}
  - {{ to: name, from: device_name }}
  - {{ to: tag, from: asset_tag, direction: both, winner: asset }}
assignment: {{ direction: both }}
safety: {{ max_creates: {creates} }}
"""
SLOW = {"kind": "latency", "milliseconds": 2000, "path": "/devices"}
SOON = {"Prefer": "respond-async"}
TEXT = {"Accept": "text/plain"}


@dataclass(frozen=True)
class Stage:
    """A host at work, and the services that its connections `mdm` and `office` lead to."""

    host: HostProcess
    mdm: str
    http: httpx.AsyncClient

    async def made(self, name: str, creates: int = 200, *, applied: bool = False) -> str:
        """A sync with a file of its own; gives its address."""
        mapping = MAPPING.format(name=name, creates=creates)
        answer = await self.http.post("/v1/syncs", json={"name": name, "mapping": mapping})
        assert answer.status_code == 201, answer.text
        if applied:
            assert (await self.json("POST", f"/v1/syncs/{name}/apply", force_limits=True))["state"] == "succeeded"
        return f"/v1/syncs/{name}"

    async def json(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.http.request(method, path, json=body or None)
        found: dict[str, Any] = answer.json()
        assert answer.status_code < 300, found
        return found

    async def ended(self, path: str) -> dict[str, Any]:
        """The run, when it is over."""

        async def look() -> dict[str, Any]:
            run = await self.json("GET", path)
            return run if run["state"] not in ("queued", "running") else {}

        return await until(look)

    def rows(self, name: str, query: str) -> list[Any]:
        """What is in the file of the built-in asset system."""
        with sqlite3.connect(self.host.folder / "assets" / f"{name}.sqlite") as db:
            return db.execute(query).fetchall()


@contextmanager
def workspace() -> Iterator[tuple[str, str]]:
    """`python -m sandbox assetbots`; gives its address and key."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "assetbots", "--port", str(port), "--assets", "8", "--people", "5"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        key = next(line.split()[1] for line in running.stdout if "key" in line)
        try:
            yield f"http://127.0.0.1:{port}", key
        finally:
            running.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostProcess, str]]:
    with tenant(DEVICES) as (mdm, token), workspace() as (office, key):
        settings = {"UPCARD_ALLOW_SERVICES": ",".join(url.partition("://")[2] for url in (mdm, office))}
        host = HostProcess(tmp_path_factory.mktemp("syncs"), mdm, settings=settings)
        host.start()
        try:
            for name, connector, fields in (
                ("mdm", "kandji", {"url": mdm, "token": token}),
                ("office", "assetbots", {"url": office, "api_key": key}),
            ):
                made = host.ask("POST", "/v1/connections", {"name": name, "connector": connector, "fields": fields})
                assert "created" in made, made
            yield host, mdm
        finally:
            host.kill()


@pytest.fixture
async def stage(served: tuple[HostProcess, str]) -> AsyncIterator[Stage]:
    host, mdm = served
    async with httpx.AsyncClient(base_url=host.url, headers=host.key, timeout=90) as http:
        yield Stage(host, mdm, http)
    await admin(mdm, "DELETE", "/faults")


async def test_a_plan_is_read_and_then_applied(stage: Stage) -> None:
    """It says line by line what would be done, as JSON and as people read it; apply does just that."""
    sync = await stage.made("planned")

    plan = await stage.json("POST", f"{sync}/plan")
    empty = stage.rows("planned", "SELECT * FROM assets")
    text = await stage.http.get(f"{sync}/runs/{plan['run']}", headers=TEXT)
    done = await stage.json("POST", f"{sync}/apply", plan=plan["run"])

    assert (plan["mode"], plan["state"], plan["exit_code"], empty) == ("plan", "planned", 2, [])
    assert plan["counts"] == {"planned": len(plan["lines"])}
    assert (plan["state"], plan.get("error"), bool(plan["lines"])) == ("planned", None, True)
    assert (tagged["asset"], tagged["tag"]) == (asset, "NEW-1")
    assert refused.status_code in (400, 502)


async def enabled(stage: Stage, sync: str) -> None:
    """Turn a sync on, and let its first run end."""
    await stage.json("PATCH", sync, enabled=True)

    async def look() -> bool:
        found = await stage.json("GET", f"{sync}/runs")
        first = next((run for run in found["items"] if run["by"] == "schedule"), None)
        return first is not None and first["state"] not in ("queued", "running")

    await until(look)


async def told(stage: Stage, sync: str) -> bool:
    """Whether the MDM has heard of everything."""
    found = await stage.json("GET", sync)
    return found["outbox"] == 0 and found["at_work"] is None


async def device_now(stage: Stage, device: str) -> dict[str, Any]:
    call = {"options": {"request_type": "GET"}, "inputs": {"relative_url": f"/devices/{device}"}}
    found: dict[str, Any] = (await stage.json("POST", "/v1/cards/kandji/custom_api_action", **call))["outputs"]["body"]
    return found
