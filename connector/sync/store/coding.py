"""How lines, links and values are kept: as JSON, and back."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter

from connector.sdk.inventory import Value
from connector.sync.entities import Base, Change, Link

LINE = TypeAdapter(Change)


@dataclass(frozen=True)
class Agreed:
    """What a plan records without writing to a service, and how much it was made from."""

    bases: tuple[Base, ...] = ()
    links: tuple[Link, ...] = ()
    devices: int | None = None
    assets: int | None = None


AGREED = TypeAdapter(Agreed)


def line_written(line: Change) -> str:
    return LINE.dump_json(line).decode()


def line_read(text: str) -> Change:
    return LINE.validate_json(text)


def agreed_written(agreed: Agreed) -> bytes:
    return zlib.compress(AGREED.dump_json(agreed), 1)


def agreed_read(packed: bytes) -> Agreed:
    return AGREED.validate_json(zlib.decompress(packed))


def value_written(value: Value) -> str:
    return orjson.dumps(value).decode()


def value_read(text: str) -> Value:
    found: Any = orjson.loads(text)
    return tuple(found) if isinstance(found, list) else found


def plain(records: Iterable[Any]) -> list[Any]:
    """Dataclasses as JSON has them."""
    found: list[Any] = orjson.loads(orjson.dumps(list(records)))
    return found
