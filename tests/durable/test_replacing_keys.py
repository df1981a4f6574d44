"""A key is replaced under a host at work, as the README says: no record is lost, and the old key is not needed then."""

import asyncio
import base64
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, HostProcess, tenant
from tests.receiver import receiving

DEVICES, KILLED = 1500, 3
OLD, NEW = (f"{kid}:{base64.b64encode(kid.encode() * 16).decode()}" for kid in ("k1", "k2"))

pytestmark = pytest.mark.slow


async def test_a_key_is_replaced_while_a_host_works(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC-2: rotated again and again while a stream runs, killed now and then; then without the old key."""
    with tenant(DEVICES) as (service, token):
        host = HostProcess(tmp_path, service, database)
        async with receiving(delay=0.05) as receiver:
            monkeypatch.setenv("UPCARD_SECRET_KEYS", f"{OLD},{NEW}")
            await asyncio.to_thread(host.start)
            await asyncio.to_thread(host.connect, token, receiver.url)
            (run,) = await host.streams(1, concurrency=16)
            for _ in range(KILLED):
                await asyncio.to_thread(_rotated, host, random.uniform(0.5, 2.5))
            during = await host.run(run)
            ended = await host.reaches(run, "succeeded", "failed", within=60)
            host.stop()

            monkeypatch.setenv("UPCARD_SECRET_KEYS", f"{NEW},{OLD}")
            status = await asyncio.to_thread(_rotated, host)
            monkeypatch.setenv("UPCARD_SECRET_KEYS", NEW)
            await asyncio.to_thread(host.start)
            again = await host.reaches((await host.streams(1, concurrency=200))[0], "succeeded", "failed", within=60)
            host.kill()

    assert (during["state"], status) == ("running", 0)
    assert [(each["state"], each["progress"]["delivered"]) for each in (ended, again)] == [("succeeded", DEVICES)] * 2
    assert len({record["device_id"] for record in receiver.of(run).records}) == DEVICES


def _rotated(host: HostProcess, killed: float | None = None) -> int | None:
    """`upcard secrets rotate` with the new key in front; killed after so many seconds, unless it was ready before."""
    settings = {"UPCARD_DATABASE_URL": host.database_url, "UPCARD_SECRET_KEYS": f"{NEW},{OLD}"}
    command = [sys.executable, "-m", "connector.cli", "secrets", "rotate"]
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    try:
        return subprocess.run(command, cwd=host.folder, env=environment, timeout=killed, capture_output=True).returncode
    except subprocess.TimeoutExpired:
        return None
