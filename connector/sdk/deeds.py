"""What a call does, which decides who may make it; a request that a caller wrote does what the equal card does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connector.sdk.card import Card, Effect
from connector.sdk.http import READS
from connector.sdk.masks import masked

ANY = "*"  # one segment of a path


@dataclass(frozen=True)
class Deed:
    """What scopes, policy and audit go by: whose policy applies, and what is acted on, such as a device.

    Of a written request the target is the request itself, without its query and body.
    The target is kept in clear: a key or a token that was given in its place is hidden in it.
    """

    card: str
    effect: Effect
    disruptive: bool
    secret: bool
    target: str | None


def deed_of(card: Card, target: str | None) -> Deed:
    return Deed(card.key, card.effect, card.disruptive, card.only_secrets, masked(target))


def deed_of_request(card: Card, method: str, path: Sequence[str], cards: Mapping[str, Card]) -> Deed:
    """Of a written request: the equal card's; of another GET, to read; of any other, all that `card` could do.

    The answer comes as the service gave it, so that one secret in it makes it a secret.
    """
    target = f"{method} {'/'.join(path)}"
    for asked, name in card.client.same.items():
        if _equal(asked, method, path):
            equal = cards[f"{card.connector}.{name}"]
            return replace(deed_of(equal, target), secret=equal.gives_secrets)
    if method in READS:
        return Deed(card.key, "read", disruptive=False, secret=False, target=masked(target))
    return deed_of(card, target)


def _equal(asked: str, method: str, path: Sequence[str]) -> bool:
    """Whether a pattern such as `POST devices/*/action/lock` is this request; letter case does not matter."""
    verb, _, where = asked.partition(" ")
    parts = where.split("/")
    return (
        verb == method
        and len(parts) == len(path)
        and all(part == ANY or part == given.casefold() for part, given in zip(parts, path, strict=True))
    )
