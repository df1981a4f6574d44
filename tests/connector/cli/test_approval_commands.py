"""`upcard approvals`, `upcard kill-switch` and `upcard audit`, as an operator uses them, over a real socket."""

import json

import pytest
import respx
import sqlalchemy as sa

from tests.conftest import Upcard
from tests.connector.cli.conftest import Command


@pytest.fixture
async def held(upcard: Upcard, kandji: respx.MockRouter) -> str:
    """The ID of an approval that waits."""
    kandji.get("/devices/d2").respond(200, json={"device_id": "d2", "serial_number": "DMPX2"})
    kandji.post("/devices/d2/action/clearpasscode").respond(200)
    await upcard.http.patch("/v1/connections/acme", json={"policy": {"destroy": "approve"}})
    await upcard.call("kandji.clear_passcode", inputs={"device_id": "d2"}, reason="Sold")
    found: str = (await upcard.http.get("/v1/approvals")).json()["items"][0]["id"]
    return found


async def test_a_second_person_approves(command: Command, held: str) -> None:
    """DA-5: they see what it is about, and agree."""
    listed = await command("approvals", "list")
    agreed = await command("approvals", "approve", held, "--reason", "Seen")
    late = await command("approvals", "refuse", held)

    assert all(word in listed.stdout for word in (held, "kandji.clear_passcode", "DMPX2", "Sold"))
    assert (agreed.exit_code, json.loads(agreed.stdout)["state"]) == (0, "approved")
    assert (late.exit_code, late.stderr) == (1, "The approval does not wait any more.\n")


async def test_a_second_person_refuses(command: Command, held: str) -> None:
    """DA-5: and it is shown among those that were refused."""
    refused = await command("approvals", "refuse", held)
    listed = await command("approvals", "list", "--state", "refused", "--json")

    assert refused.exit_code == 0
    assert [found["id"] for found in json.loads(listed.stdout)] == [held]


async def test_the_kill_switch_is_turned(upcard: Upcard, command: Command) -> None:
    """DA-6: on, looked at, and off."""
    turned = await command("kill-switch", "on", "--reason", "stolen")
    looked = await command("kill-switch")
    was_on = upcard.host.switch.is_on
    await command("kill-switch", "off")

    assert json.loads(turned.stdout) == json.loads(looked.stdout)
    assert (json.loads(looked.stdout)["reason"], was_on, upcard.host.switch.is_on) == ("stolen", True, False)


async def test_the_audit_is_verified(upcard: Upcard, command: Command) -> None:
    """DA-8: with the head that was, it shows what was changed, and ends with 1."""
    await upcard.host.audit.note("call", "k1", card="kandji.lock_device")

    whole = await command("audit", "verify")
    head = whole.stdout.split()[-1]
    with upcard.host.store.engine.begin() as db:
        db.execute(sa.text("UPDATE audit SET entry = replace(entry, 'lock', 'find')"))
    broken = await command("audit", "verify", "--head", head)
    wrong = await command("audit", "verify", "--head", "1")

    assert (whole.exit_code, whole.stdout.split(". ")[0]) == (0, "The audit is whole: 1 entries")
    assert (broken.exit_code, "Entry 1 was changed." in broken.stderr) == (1, True)
    assert wrong.exit_code == 2
