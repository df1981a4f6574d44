"""`upcard keys`, as an operator uses it, against a host over a real socket."""

import json
from pathlib import Path

from tests.conftest import Upcard
from tests.connector.cli.conftest import Command


async def test_a_key_is_printed_once_and_alone(upcard: Upcard, command: Command) -> None:
    """AU-2: what is printed is the key, so that a script can keep it; that it is the only time is said beside."""
    created = await command(
        "keys", "create", "nightly", "--scope", "cards:read", "--scope", "runs", "--card", "kandji.*"
    )

    caller = upcard.host.keys.caller(created.stdout.strip())
    assert (caller.grant.scopes, caller.grant.cards) == (frozenset({"cards:read", "runs"}), ("kandji.*",))
    assert created.stderr == "This key is shown only here.\n"


async def test_keys_are_listed_without_their_secrets(upcard: Upcard, command: Command) -> None:
    """AU-2: as a table, and as JSON."""
    key = (await command("keys", "create", "nightly", "--connection", "acme", "--expires", "2999-01-01")).stdout.strip()

    table, document = await command("keys", "list"), await command("keys", "list", "--json")

    assert "nightly" in table.stdout
    assert [found["connections"] for found in json.loads(document.stdout)] == [None, None, ["acme"]]
    assert key.split("_")[3] not in table.output + document.output


async def test_a_key_is_created_as_json(command: Command) -> None:
    """The whole answer."""
    created = json.loads((await command("keys", "create", "nightly", "--json")).stdout)

    assert created["key"].split("_")[2] == created["id"]


async def test_a_key_is_revoked(upcard: Upcard, command: Command) -> None:
    """Exit status 0; 1 where there is none."""
    created = json.loads((await command("keys", "create", "nightly", "--json")).stdout)

    revoked = [(await command("keys", "revoke", created["id"])).exit_code for _ in range(2)]

    assert revoked == [0, 1]
    assert created["id"] not in [key.caller.id for key in upcard.host.keys.all()]


async def test_what_is_wrong_is_told(command: Command) -> None:
    """Exit status 2, and every fault with its place."""
    refused = await command("keys", "create", "nightly", "--scope", "runs", "--scope", "all", "--expires", "yesterday")

    assert refused.exit_code == 2
    assert "scopes/1: Scopes must be some of" in refused.output
    assert "expires: Expires must be a date and time" in refused.output


async def test_without_a_key_nothing_is_listed(command: Command, tmp_path: Path) -> None:
    """Exit status 4: the key."""
    (tmp_path / "key").unlink()

    assert (await command("keys", "list")).exit_code == 4
