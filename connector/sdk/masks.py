"""What must not be seen: the secrets of services in use, blotted out of words and of the log (SEC-4, SEC-5).

Secrets are known as they are; their base64, hex and URL-encoded forms are not looked for.
"""

import re
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

HIDDEN = "[redacted]"
SHORTEST = 4  # what is shorter is no secret, and would blot out half of every word
KEY = re.compile(r"kc_[a-z]+_[0-9a-f]{16}_[\w-]{43}")  # a caller's key; the host has only its hash
SECRET_LIKE = re.compile(  # a name whose value is one, whoever gave it
    r"(?i:pass(?:word|wd|code|phrase)|token|secret|credential|authorization|cookie|key|(?<![a-z])pin(?![a-z]))|Pin(?![a-z])"
)


class Mask:
    """Blots out the secrets of one service; the log does so as long as the mask is in use."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = sorted((secret for secret in secrets if len(secret) >= SHORTEST), key=len, reverse=True)
        IN_USE.add(self)

    def __call__(self, words: str) -> str:
        return _without(self.secrets, words)

    def within(self, value: Any) -> Any:
        """The same for JSON: every text in it."""
        return _masked(value, self.secrets)


IN_USE: WeakSet[Mask] = WeakSet()  # of the process, as its log is


def masked(value: Any) -> Any:
    """A value of the log without callers' keys and without the secrets of any service in use."""
    return _masked(value, sorted((secret for mask in IN_USE for secret in mask.secrets), key=len, reverse=True))


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        return _without(secrets, KEY.sub(HIDDEN, value) if "kc_" in value else value)
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, secrets) for item in value]
    return value


def _without(secrets: list[str], words: str) -> str:
    """Longer secrets come first: one may begin with another."""
    for secret in secrets:
        if secret in words:
            words = words.replace(secret, HIDDEN)
    return words
