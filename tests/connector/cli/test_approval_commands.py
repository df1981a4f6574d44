"""`upcard approvals`, `upcard kill-switch` and `upcard audit`, as an operator uses them, over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import respx
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from connector.cli import app
from connector.cli.key import ready_key
from connector.cli.serve import server, serving
from tests.conftest import Upcard, opened

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def upcard(tmp_path: Path) -> AsyncIterator[Upcard]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def upcard_command(upcard: Upcard, tmp_path: Path) -> AsyncIterator[Command]:
    """`await upcard_command("audit", "verify")`: with the key in the data folder, which is not the caller's."""
    ready_key(upcard.host.keys, tmp_path)
    listening = server(upcard.app, "127.0.0.1", 0)
    port = listening.listening.getsockname()[1]
    env = {"UPCARD_DATA_DIR": str(tmp_path), "UPCARD_PORT": str(port)}

    async def command(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=env)

    async with serving(listening):
        yield command


@pytest.fixture
async def held(upcard: Upcard, kandji: respx.MockRouter) -> str:
    """The ID of an approval that waits."""
    kandji.get("/devices/d2").respond(200, json={"device_id": "d2", "serial_number": "DMPX2"})
    kandji.post("/devices/d2/action/clearpasscode").respond(200)
    await upcard.http.patch("/v1/connections/acme", json={"policy": {"destroy": "approve"}})
    await upcard.call("kandji.clear_passcode", inputs={"device_id": "d2"}, reason="Sold")
    found: str = (await upcard.http.get("/v1/approvals")).json()["items"][0]["id"]
    return found


async def test_a_second_person_approves(upcard_command: Command, held: str) -> None:
    """DA-5: they see what it is about, and agree."""
    listed = await upcard_command("approvals", "list")
    agreed = await upcard_command("approvals", "approve", held, "--reason", "Seen")
    late = await upcard_command("approvals", "refuse", held)

    assert all(word in listed.stdout for word in (held, "kandji.clear_passcode", "DMPX2", "Sold"))
    assert (agreed.exit_code, json.loads(agreed.stdout)["state"]) == (0, "approved")
    assert (late.exit_code, late.stderr) == (1, "The approval does not wait any more.\n")


async def test_a_second_person_refuses(upcard_command: Command, held: str) -> None:
    """DA-5: and it is shown among those that were refused."""
    refused = await upcard_command("approvals", "refuse", held)
    listed = await upcard_command("approvals", "list", "--state", "refused", "--json")

    assert refused.exit_code == 0
    assert [found["id"] for found in json.loads(listed.stdout)] == [held]


async def test_the_kill_switch_is_turned(upcard: Upcard, upcard_command: Command) -> None:
    """DA-6: on, looked at, and off."""
    turned = await upcard_command("kill-switch", "on", "--reason", "stolen")
    looked = await upcard_command("kill-switch")
    was_on = upcard.host.switch.is_on
    await upcard_command("kill-switch", "off")

    assert json.loads(turned.stdout) == json.loads(looked.stdout)
    assert (json.loads(looked.stdout)["reason"], was_on, upcard.host.switch.is_on) == ("stolen", True, False)


async def test_the_audit_is_verified(upcard: Upcard, upcard_command: Command, tmp_path: Path) -> None:
    """DA-8: with the head that was, it shows what was changed, and ends with 1."""
    await upcard.host.audit.note("call", "k1", card="kandji.lock_device")

    whole = await upcard_command("audit", "verify")
    head = whole.stdout.split()[-1]
    with upcard.host.store.engine.begin() as db:
        db.execute(sa.text("UPDATE audit SET entry = replace(entry, 'lock', 'find')"))
    broken = await upcard_command("audit", "verify", "--head", head)
    wrong = await upcard_command("audit", "verify", "--head", "1")

    assert (whole.exit_code, whole.stdout.split(". ")[0]) == (0, "The audit is whole: 1 entries")
    assert (broken.exit_code, "Entry 1 was changed." in broken.stderr) == (1, True)
    assert wrong.exit_code == 2
