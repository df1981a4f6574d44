"""The first key: made when nobody could administer the host, and kept in a file that only its owner can read."""

from pathlib import Path

from connector.engine.keys import Keys
from connector.engine.seals import write_private
from connector.sdk.errors import Unauthenticated


def first_key(keys: Keys, data_dir: Path) -> None:
    """Make a key where there is none with the scope `admin`."""
    if not any("admin" in key.caller.grant.scopes and not key.is_over for key in keys.all()):
        _make(keys, data_dir)


def ready_key(keys: Keys, data_dir: Path) -> str:
    """The key in `key` of the data folder, or a new one there."""
    path = data_dir / "key"
    kept = path.read_text().strip() if path.exists() else ""
    try:
        keys.caller(kept)
    except Unauthenticated:
        return _make(keys, data_dir)
    return kept


def _make(keys: Keys, data_dir: Path) -> str:
    made = keys.mint("made at the start")
    write_private(data_dir / "key", made + "\n")
    return made
