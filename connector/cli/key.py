"""The first key: made when the host has none, and kept in a file that only its owner can read."""

from pathlib import Path

from connector.engine.keys import Keys
from connector.engine.seals import write_private
from connector.sdk.errors import Unauthenticated


def ready_key(keys: Keys, data_dir: Path) -> str:
    """The key in `key` of the data folder, or a new one there."""
    path = data_dir / "key"
    kept = path.read_text().strip() if path.exists() else ""
    try:
        keys.caller(kept)
    except Unauthenticated:
        kept = keys.mint("made at the first start")
        write_private(path, kept + "\n")
    return kept
