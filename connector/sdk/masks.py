"""What must not be seen: the secrets of services in use, blotted out of words and of the log (SEC-4, SEC-5).

Secrets are known as they are, in base64 (also in the midst of it), in hex, and as URLs, JSON and HTML have them.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus
from weakref import WeakSet

HIDDEN = "[redacted]"
SHORTEST = 4  # what is shorter is no secret, and would blot out half of every word
KEY = re.compile(r"kc_[a-z]+_[0-9a-f]{16}_[\w-]{43}")  # a caller's key; the host has only its hash
ESCAPE = re.compile("%[0-9A-F]{2}")
SECRET_LIKE = re.compile(  # a name whose value is one, whoever gave it
    r"(?i:pass(?:word|wd|code|phrase)|token|secret|credential|authorization|cookie|key|(?<![a-z])pin(?![a-z]))|Pin(?![a-z])"
)


class Mask:
    """Blots out the secrets of one service; the log does so as long as the mask is in use."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        self.forms = sorted(forms, key=len, reverse=True)
        self.shortest = min(map(len, forms), default=0)
        IN_USE.add(self)

    def __call__(self, words: str) -> str:
        return _without(self.forms, words)

    def within(self, value: Any) -> Any:
        """The same for JSON: every text in it."""
        return _masked(value, self.forms)


IN_USE: WeakSet[Mask] = WeakSet()  # of the process, as its log is


def masked(value: Any) -> Any:
    """A value of the log without callers' keys and without the secrets of any service in use.

    All its words are looked through at once: each call writes a line, and hardly any has a secret.
    """
    texts = list(_texts(value))
    if not texts:
        return value
    longest, words = max(map(len, texts)), "\n".join(texts)
    found = [form for mask in IN_USE if mask.shortest <= longest for form in mask.forms if form in words]
    return _masked(value, sorted(found, key=len, reverse=True)) if found or "kc_" in words else value


def _forms(secret: str) -> Iterator[str]:
    """Every way in which words may repeat a secret."""
    raw = secret.encode()
    yield from (secret, raw.hex(), raw.hex().upper())
    for encode in (b64encode, urlsafe_b64encode):
        whole = encode(raw).decode()
        yield from (whole, whole.rstrip("="), *(_amid(encode, raw, before) for before in range(3)))
    escaped = json.dumps(secret)[1:-1]
    yield from (escaped, escaped.replace("/", "\\/"), escape(secret), escape(secret, quote=False))
    for quoted in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield from (quoted, ESCAPE.sub(lambda escape: escape[0].lower(), quoted))


def _amid(encode: Callable[[bytes], bytes], raw: bytes, before: int) -> str:
    """What of a secret does not change with what is encoded along with it, after so many bytes: `user:secret`."""
    return encode(b"\0" * before + raw)[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6].decode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _masked(value: Any, forms: list[str]) -> Any:
    if isinstance(value, str):
        return _without(forms, KEY.sub(HIDDEN, value) if "kc_" in value else value)
    if isinstance(value, dict):
        return {key: _masked(item, forms) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, forms) for item in value]
    return value


def _without(forms: list[str], words: str) -> str:
    """Longer forms come first: one may begin with another."""
    for form in forms:
        if form in words:
            words = words.replace(form, HIDDEN)
    return words
