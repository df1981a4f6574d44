"""`upcard keys`, as an operator uses it, against a host over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
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
async def keys(upcard: Upcard, tmp_path: Path) -> AsyncIterator[Command]:
    """`await keys("list")`: with the key in the data folder."""
    ready_key(upcard.host.keys, tmp_path)
    listening = server(upcard.app, "127.0.0.1", 0)
    port = listening.listening.getsockname()[1]
    env = {"UPCARD_DATA_DIR": str(tmp_path), "UPCARD_PORT": str(port)}

    async def command(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["keys", *words], env=env)

    async with serving(listening):
        yield command


async def test_a_key_is_printed_once_and_alone(upcard: Upcard, keys: Command) -> None:
    """AU-2: what is printed is the key, so that a script can keep it; that it is the only time is said beside."""
    created = await keys("create", "nightly", "--scope", "cards:read", "--scope", "runs", "--card", "kandji.*")

    caller = upcard.host.keys.caller(created.stdout.strip())
    assert (caller.grant.scopes, caller.grant.cards) == (frozenset({"cards:read", "runs"}), ("kandji.*",))
    assert created.stderr == "This key is shown only here.\n"


async def test_keys_are_listed_without_their_secrets(upcard: Upcard, keys: Command) -> None:
    """AU-2: as a table, and as JSON."""
    key = (await keys("create", "nightly", "--connection", "acme", "--expires", "2999-01-01")).stdout.strip()

    table, document = await keys("list"), await keys("list", "--json")

    assert "nightly" in table.stdout
    assert [found["connections"] for found in json.loads(document.stdout)] == [None, None, ["acme"]]
    assert key.split("_")[3] not in table.output + document.output


async def test_a_key_is_created_as_json(keys: Command) -> None:
    """The whole answer."""
    created = json.loads((await keys("create", "nightly", "--json")).stdout)

    assert created["key"].split("_")[2] == created["id"]


async def test_a_key_is_revoked(upcard: Upcard, keys: Command) -> None:
    """Exit status 0; 1 where there is none."""
    created = json.loads((await keys("create", "nightly", "--json")).stdout)

    revoked = [(await keys("revoke", created["id"])).exit_code for _ in range(2)]

    assert revoked == [0, 1]
    assert created["id"] not in [key.caller.id for key in upcard.host.keys.all()]


async def test_what_is_wrong_is_told(keys: Command) -> None:
    """Exit status 2, and every fault with its place."""
    refused = await keys("create", "nightly", "--scope", "runs", "--scope", "all", "--expires", "yesterday")

    assert refused.exit_code == 2
    assert "scopes/1: Scopes must be some of" in refused.output
    assert "expires: Expires must be a date and time" in refused.output


async def test_without_a_key_nothing_is_listed(keys: Command, tmp_path: Path) -> None:
    """Exit status 4: the key."""
    (tmp_path / "key").unlink()

    assert (await keys("list")).exit_code == 4
