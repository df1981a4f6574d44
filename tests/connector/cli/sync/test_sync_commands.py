"""`upcard sync list`, `create`, `show`, `enable`, `delete`, and what a sync holds, as an operator uses them."""

import json
from pathlib import Path

from connector.sync.store.runs import SyncRun
from sandbox.kandji.state.tokens import Token
from tests.connector.cli.conftest import Command
from tests.connector.cli.sync.conftest import MAPPING, Fleet, Settled
from tests.connector.sync.office import NAME, Office


async def test_where_a_sync_stands_is_shown(settled: Settled) -> None:
    """As people read it, and as JSON."""
    shown, document = await settled.fleet("show"), json.loads((await settled.fleet("show", "--json")).stdout)

    assert "enabled          no" in shown.stdout
    assert (document["outbox"], document["holds"], document["last"]["run"]) == (1, 2, settled.run)


async def test_what_the_token_permits_is_shown(here: Office, fleet: Fleet) -> None:
    """By what it is needed for; something that is missing is told by the exit status."""
    good = await fleet("check")
    here.tenant.tenant.tokens.add(str(here.tenant.tenant.token), Token("narrow", ("GET /devices", "GET /users")))
    narrow = await fleet("check", "--json")

    assert (good.exit_code, "kandji.get_device" in good.stdout) == (0, True)
    assert (narrow.exit_code, json.loads(narrow.stdout)["read"]["missing"]) == (1, ["kandji.get_device"])


async def test_syncs_are_listed(command: Command, here: Office) -> None:
    """One that never ran as well."""
    await here.set_up()

    listed, document = await command("sync", "list"), await command("sync", "list", "--json")

    assert listed.stdout.split()[-2:] == [NAME, "no"]
    assert [sync["last"] for sync in json.loads(document.stdout)] == [None]


async def test_a_sync_is_turned_on_and_off(here: Office, fleet: Fleet) -> None:
    """Its first run starts at once."""
    on = await fleet("enable")
    ended = await _first_run(here)
    off = await fleet("disable", "--json")

    assert (on.exit_code, "enabled          yes" in on.stdout) == (0, True)
    assert (json.loads(off.stdout)["enabled"], ended.state) == (False, "succeeded")


async def test_a_sync_is_made_with_a_proposed_mapping(command: Command, here: Office) -> None:
    """For two connections, and not enabled; deleted again."""
    made = await command("sync", "create", "new", "--mdm", "acme", "--assets", "office")
    shown = await command("sync", "map", "show", "new")
    refused = await command("sync", "delete", "new")
    deleted = await command("sync", "delete", "new", "--yes")
    gone = await command("sync", "show", "new")

    assert (made.exit_code, "enabled          no" in made.stdout) == (0, True), made.output
    assert "to: model, from: model" in shown.stdout
    assert [each.exit_code for each in (refused, deleted, gone)] == [2, 0, 1]
    assert deleted.stdout == "new is forgotten; both systems are as they were.\n"


async def test_a_sync_of_nothing_is_not_made(command: Command, here: Office) -> None:
    """What is missing is told once: it has no place of its own."""
    made = await command("sync", "create", "new")

    assert (made.exit_code, made.stderr) == (2, "Enter at least one of: Mapping, MDM.\n")


async def test_a_sync_is_made_with_a_mapping_file(command: Command, here: Office, tmp_path: Path) -> None:
    """As it is written; for the built-in asset system as well."""
    file = tmp_path / "mapping.yaml"
    file.write_text(MAPPING + "# ours\n")

    made = await command("sync", "create", "new", "--mapping", str(file), "--json")
    built_in = await command("sync", "create", "other", "--mdm", "acme", "--assets", "file")
    shown = await command("sync", "map", "show", "new")

    assert (json.loads(made.stdout)["enabled"], built_in.exit_code) == (False, 0)
    assert shown.stdout == MAPPING + "# ours\n"


async def test_what_is_held_and_what_waits_is_listed(settled: Settled) -> None:
    """What would help, and whom the MDM does not know."""
    holds, outbox = await settled.fleet("holds"), await settled.fleet("outbox")
    documents = [json.loads((await settled.fleet(name, "--json")).stdout) for name in ("holds", "outbox")]

    assert "Correct or remove all but one on each side." in holds.stdout
    assert "no Kandji user for maeve.odell@freelance.example" in outbox.stdout
    assert [len(each) for each in documents] == [2, 1]


async def test_a_field_is_locked(settled: Settled) -> None:
    """It is listed with its reason, and unlocked again."""
    lines = json.loads((await settled.fleet("history", settled.run, "--json")).stdout)["lines"]
    link = f"device/{next(line['target'] for line in lines if line['op'] == 'update_asset')}"

    locked = await settled.fleet("lock", link, "osVersion", "--reason", "a spare disk")
    listed = await settled.fleet("locks")
    unlocked = [(await settled.fleet("unlock", link, "osVersion")).exit_code for _ in range(2)]
    unknown = await settled.fleet("lock", "device/none", "osVersion", "--reason", "x")

    assert (locked.exit_code, unlocked, unknown.exit_code) == (0, [0, 1], 1)
    assert (link in listed.stdout, "a spare disk" in listed.stdout) == (True, True)


async def test_a_field_is_locked_by_the_serial_number_of_its_asset(settled: Settled) -> None:
    """As an asset is checked in; what is true then is told."""
    lines = json.loads((await settled.fleet("history", settled.run, "--json")).stdout)["lines"]
    asset = next(line["target"] for line in lines if line["op"] == "update_asset")
    serial = str(settled.office.workspace.database.assets[asset].fields["serialNumber"])

    locked = await settled.fleet("lock", serial, "osVersion", "--reason", "a spare disk")
    unlocked = await settled.fleet("unlock", serial, "osVersion")
    unknown = await settled.fleet("lock", "none", "osVersion", "--reason", "x")

    assert locked.stdout.startswith(f"osVersion of device/{asset} is reported and not written, since 20"), locked.output
    assert unlocked.stdout == f"osVersion of device/{asset} is written again.\n"
    assert (unknown.exit_code, unknown.stdout) == (1, "")


async def _first_run(here: Office) -> SyncRun:
    """When it is over."""
    while not (found := (await here.syncs.runs(NAME, None, 1))[0]):
        pass
    return await here.syncs.wait(found[0], 30)
