"""Secrets at rest: AES-256-GCM, bound to their place in the store, with a list of keys (SEC-1, SEC-2).

Sealed is `kid.` and nonce + ciphertext, in base64 for text. The first key seals, all of them open.
"""

import base64
import os
import secrets
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import AnyStr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12  # bytes, as NIST SP 800-38D recommends for GCM


class NoKeys(Exception):
    """There is no key to seal with, or the key list cannot be read; says what to do."""


class Broken(Exception):
    """A sealed value was changed, moved to another place, or sealed with a key that is gone."""

    def __init__(self, place: str) -> None:
        super().__init__(f"The secret at {place} cannot be opened with the keys at hand.")


class Seals:
    """Seals and opens texts for a place such as `connections/acme/fields`."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {kid: AESGCM(key) for kid, key in keys.items()}
        self.kids = tuple(keys)
        self._first = self.kids[0]

    def seal(self, text: str, place: str) -> str:
        kid, _, raw = self.seal_bytes(text.encode(), place).partition(b".")
        return f"{kid.decode()}.{base64.b64encode(raw).decode()}"

    def open(self, sealed: str, place: str) -> str:
        kid, _, packed = sealed.partition(".")
        try:
            raw = base64.b64decode(packed, validate=True)
        except ValueError as error:
            raise Broken(place) from error
        return self.open_bytes(kid.encode() + b"." + raw, place).decode()

    def seal_bytes(self, plain: bytes, place: str) -> bytes:
        nonce = os.urandom(NONCE)
        ciphertext = self._keys[self._first].encrypt(nonce, plain, _bound(self._first, place))
        return self._first.encode() + b"." + nonce + ciphertext

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        kid, _, raw = sealed.partition(b".")
        try:
            return self._keys[kid.decode()].decrypt(raw[:NONCE], raw[NONCE:], _bound(kid.decode(), place))
        except (KeyError, ValueError, InvalidTag) as error:
            raise Broken(place) from error

    def again(self, sealed: AnyStr, place: str) -> AnyStr:
        """The same secret, sealed with the first key."""
        if isinstance(sealed, str):
            return self.seal(self.open(sealed, place), place)
        return self.seal_bytes(self.open_bytes(sealed, place), place)


def _bound(kid: str, place: str) -> bytes:
    return f"{kid}|{place}".encode()


def load(setting: str, data_dir: Path) -> Seals:
    """The keys of the setting (a list or a file), else of `secret-keys` in the data folder."""
    text = setting if ":" in setting else _file(setting, data_dir)
    try:
        pairs = [entry.strip().partition(":") for entry in text.replace("\n", ",").split(",") if entry.strip()]
        keys = [(kid, base64.b64decode(key, validate=True)) for kid, _, key in pairs]
    except ValueError as error:
        raise NoKeys("UPCARD_SECRET_KEYS must be kid:base64 entries of 32 bytes each.") from error
    if not keys or any(len(key) != 32 or not kid.isalnum() for kid, key in keys):
        raise NoKeys("UPCARD_SECRET_KEYS must be kid:base64 entries of 32 bytes each.")
    if twice := [kid for kid, count in Counter(kid for kid, _ in keys).items() if count > 1]:
        raise NoKeys(f"UPCARD_SECRET_KEYS has more than one key with the ID {twice[0]}: each needs its own.")
    return Seals(dict(keys))


def _file(setting: str, data_dir: Path) -> str:
    path = Path(setting) if setting else data_dir / "secret-keys"
    try:
        if _is_open_to_others(path):
            raise NoKeys(f"Others can read the keys in {path}: run chmod 600 {path}, and consider new keys.")
        return path.read_text()
    except OSError as error:
        raise NoKeys("No keys to seal secrets with: set UPCARD_SECRET_KEYS (`upcard up` makes some to try).") from error


def _is_open_to_others(path: Path) -> bool:
    """Whether other users may read it, where that is up to the operator: mounts of secrets are read-only (SEC-8)."""
    return bool(path.stat().st_mode & 0o077) and not os.statvfs(path).f_flag & os.ST_RDONLY


def generate(data_dir: Path) -> None:
    """Make a key for trying things out, in a file only its owner can read, unless there is one."""
    path = data_dir / "secret-keys"
    if not path.exists():
        write_private(path, f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read (SEC-8)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # the file may have been there, with another mode
        file.write(text)
