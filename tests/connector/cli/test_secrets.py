"""`upcard secrets`: keys are rotated by a command that may be killed, and says what is left."""

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from connector.cli import app
from connector.engine import tables
from connector.engine.seals import Seals
from connector.engine.store import Store

ROOT = Path(__file__).parents[3]
OLD, NEW = b"1" * 32, b"2" * 32
BOTH = f"new:{base64.b64encode(NEW).decode()},old:{base64.b64encode(OLD).decode()}"
MANY = 30_000


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of the working folder, with a flow that the old key has sealed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPCARD_SECRET_KEYS", BOTH)
    made = Store(f"sqlite:///{tmp_path}/.upcard/upcard.db")
    made.migrate()
    keep(made, "onboard", Seals({"old": OLD}))
    return made


def keep(store: Store, name: str, seals: Seals) -> None:
    row = {"name": name, "target": seals.seal("{}", f"flows/{name}/target"), "created": ""}
    store.run_here(lambda db: db.execute(sa.insert(tables.flows).values(row)))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["secrets", *arguments])


def test_a_rotation_tells_what_was_done(store: Store) -> None:
    """SEC-2: a line a column; again, there is nothing left to do."""
    first, again = run("rotate"), run("rotate")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "flows.target: 1 sealed with new, 0 left" in first.stdout.splitlines()
    assert "flows.target: 0 sealed with new, 0 left" in again.stdout.splitlines()


def test_what_is_left_is_told_by_name(store: Store) -> None:
    """SEC-2: exit status 1, so that no script drops a key that is needed."""
    keep(store, "lost", Seals({"gone": b"9" * 32}))

    done = run("rotate")

    assert done.exit_code == 1
    assert "flows.target: 1 sealed with new, 1 left" in done.stdout.splitlines()
    assert done.stderr == "  flows/lost/target cannot be opened with the keys at hand\n"


def test_the_status_counts_by_key(store: Store) -> None:
    """SEC-2: a column a key, one for keys that are not at hand, and the sums."""
    keep(store, "lost", Seals({"gone": b"9" * 32}))

    shown = [line.split() for line in run("status").stdout.splitlines()]

    assert shown[0] == ["new", "old", "another", "key"]
    assert ["flows.target", "0", "1", "1"] in shown
    assert shown[-1] == ["all", "0", "1", "1"]


@pytest.mark.parametrize("command", ["rotate", "status"])
def test_without_keys_nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """SEC-2: one plain sentence, and no store is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UPCARD_SECRET_KEYS", raising=False)

    done = run(command)

    assert done.exit_code == 1
    assert "set UPCARD_SECRET_KEYS" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_reached_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its address, which has a password."""
    monkeypatch.setenv("UPCARD_SECRET_KEYS", BOTH)
    monkeypatch.setenv("UPCARD_DATABASE_URL", "postgresql://upcard:s3cret@127.0.0.1:1/upcard")

    done = run("rotate")

    assert (done.exit_code, done.output) == (1, "The store cannot be reached. Look at UPCARD_DATABASE_URL.\n")


@pytest.mark.slow
def test_a_rotation_can_be_killed(store: Store) -> None:
    """SEC-2: kill -9 after the first lines were written; run again, it does the rest, and no value is lost."""
    old = Seals({"old": OLD})
    rows = [{"run": "r", "first": at, "records": old.seal_bytes(b"[]", f"pages/r/{at}/records")} for at in range(MANY)]
    store.run_here(lambda db: db.execute(sa.insert(tables.pages).values(skipped=0, truncated=False), rows))
    command = [sys.executable, "-m", "connector.cli", "secrets", "rotate"]

    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.readline()
        while sealed(store, b"new.") < 1000:
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
    before = sealed(store, b"new.")

    assert 0 < before < MANY
    assert before % 100 == 0
    assert before + sealed(store, b"old.") == MANY
    assert run("rotate").exit_code == 0
    assert sealed(store, b"new.") == MANY


def sealed(store: Store, begins: bytes) -> int:
    wanted = sa.select(sa.func.count()).where(sa.func.substr(tables.pages.c.records, 1, 4) == begins)
    return int(store.run_here(lambda db: db.execute(wanted).scalar_one()))
