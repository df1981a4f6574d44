"""The first key: there is always one that administers, and never more than it takes."""

import stat
from pathlib import Path

import pytest

from connector.cli.key import first_key, ready_key
from connector.engine import keys as engine
from connector.engine.callers import SCOPES, Grant
from connector.engine.keys import Keys
from connector.engine.store import Store

SOON = "2999-01-01T00:00:00.000Z"


@pytest.fixture
def keys(sqlite_database: str) -> Keys:
    store = Store(sqlite_database)
    store.migrate()
    return Keys(store)


def labels(keys: Keys) -> list[str]:
    return [key.label for key in keys.all()]


def test_the_first_key_allows_everything(keys: Keys, tmp_path: Path) -> None:
    """SEC-8: it is in a file that only its owner can read."""
    first_key(keys, tmp_path)

    file = tmp_path / "key"
    assert keys.caller(file.read_text().strip()).grant == Grant.everything()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_that_administers_is_enough(keys: Keys, tmp_path: Path) -> None:
    """AU-2: also on another host, which has no file; a key that was revoked does not come back as a new one."""
    keys.mint("administers", Grant(frozenset({"admin"})))

    first_key(keys, tmp_path)

    assert labels(keys) == ["administers"]
    assert not (tmp_path / "key").exists()


def test_other_keys_are_not_enough(keys: Keys, tmp_path: Path) -> None:
    """Else nobody could make keys any more."""
    keys.mint("calls", Grant(frozenset(SCOPES) - {"admin"}))

    first_key(keys, tmp_path)

    assert labels(keys) == ["calls", "made at the start"]


def test_a_key_that_has_ended_is_not_enough(keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AU-2: it administers nothing any more."""
    keys.mint("ended", expires=SOON)
    monkeypatch.setattr(engine, "now", lambda: SOON)

    first_key(keys, tmp_path)

    assert sorted(labels(keys)) == ["ended", "made at the start"]


def test_up_keeps_a_key_that_is_right(keys: Keys, tmp_path: Path) -> None:
    """What was pasted yesterday works today."""
    assert ready_key(keys, tmp_path) == ready_key(keys, tmp_path)
    assert len(keys.all()) == 1


def test_up_makes_another_where_the_file_s_is_wrong(keys: Keys, tmp_path: Path) -> None:
    """It prints calls to paste, and they work."""
    before = ready_key(keys, tmp_path)
    keys.mint("administers")
    keys.revoke(keys.caller(before).id)

    after = ready_key(keys, tmp_path)

    assert keys.caller(after)
    assert (tmp_path / "key").read_text() == after + "\n"
