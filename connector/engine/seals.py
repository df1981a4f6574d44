"""Secrets at rest: AES-256-GCM, bound to their place in the store, with a list of keys (SEC-1, SEC-2).

Sealed is `kid.` and nonce + ciphertext, in base64 for text. The first key seals, all of them open.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12  # bytes, as NIST SP 800-38D recommends for GCM


class NoKeys(Exception):
    """There is no key to seal with, or the key list cannot be read; says what to do."""


class Broken(Exception):
    """A sealed value was changed, moved to another place, or sealed with a key that is gone."""


class Seals:
    """Seals and opens texts for a place such as `connections/acme/fields`."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {kid: AESGCM(key) for kid, key in keys.items()}
        self._first = next(iter(keys))

    def seal(self, text: str, place: str) -> str:
        kid, _, raw = self.seal_bytes(text.encode(), place).partition(b".")
        return f"{kid.decode()}.{base64.b64encode(raw).decode()}"

    def open(self, sealed: str, place: str) -> str:
        kid, _, packed = sealed.partition(".")
        try:
            raw = base64.b64decode(packed, validate=True)
        except ValueError as error:
            raise Broken(f"The secret at {place} cannot be opened with the keys at hand.") from error
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
            raise Broken(f"The secret at {place} cannot be opened with the keys at hand.") from error


def _bound(kid: str, place: str) -> bytes:
    return f"{kid}|{place}".encode()


def load(setting: str, data_dir: Path) -> Seals:
    """The keys of the setting (a list or a file), else of `secret-keys` in the data folder."""
    text = setting if ":" in setting else _file(setting, data_dir)
    try:
        pairs = [entry.strip().partition(":") for entry in text.replace("\n", ",").split(",") if entry.strip()]
        keys = {kid: base64.b64decode(key, validate=True) for kid, _, key in pairs}
    except ValueError as error:
        raise NoKeys("UPCARD_SECRET_KEYS must be kid:base64 entries of 32 bytes each.") from error
    if not keys or any(len(key) != 32 or not kid.isalnum() for kid, key in keys.items()):
        raise NoKeys("UPCARD_SECRET_KEYS must be kid:base64 entries of 32 bytes each.")
    return Seals(keys)


def _file(setting: str, data_dir: Path) -> str:
    path = Path(setting) if setting else data_dir / "secret-keys"
    try:
        return path.read_text()
    except OSError as error:
        raise NoKeys("No keys to seal secrets with: set UPCARD_SECRET_KEYS (`upcard up` makes some to try).") from error


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
