"""API tokens, each with the calls it permits: patterns such as `GET *` or `POST /devices/*/action/lock`."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

EVERYTHING = ("*",)


@dataclass(frozen=True)
class Token:
    name: str
    permissions: tuple[str, ...] = EVERYTHING

    def permits(self, method: str, path: str) -> bool:
        """The path is the one after `/api/v1`."""
        return any(fnmatchcase(f"{method} {path}", pattern) for pattern in self.permissions)


class Tokens:
    """By their secret; revoking one takes effect at once."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def add(self, secret: str, token: Token) -> None:
        self._tokens[secret.lower()] = token

    def revoke(self, secret: str) -> bool:
        return self._tokens.pop(secret.lower(), None) is not None

    def of(self, authorization: str) -> Token | None:
        """The token of an `Authorization` header."""
        scheme, _, secret = authorization.partition(" ")
        return self._tokens.get(secret.strip().lower()) if scheme.lower() == "bearer" else None

    def listed(self) -> dict[str, Token]:
        return dict(self._tokens)
