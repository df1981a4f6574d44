"""How lines, links and values are kept: as JSON, and back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from gzip import GzipFile
from io import BytesIO
from typing import Any

import orjson
from pydantic import TypeAdapter

from connector.sdk.inventory import Value
from connector.sync.entities import Base, Change, Link

LINE = TypeAdapter(Change)


@dataclass(frozen=True)
class Agreed:
    """What a plan records without writing to a service, and how much it was made from."""

    bases: Iterable[Base] = ()
    links: tuple[Link, ...] = ()
    devices: int | None = None
    assets: int | None = None


@dataclass(frozen=True)
class PackedBases:
    """The bases of a plan, unpacked one by one, as often as they are gone through: of a large fleet they are many."""

    packed: bytes

    def __iter__(self) -> Iterator[Base]:
        with GzipFile(fileobj=BytesIO(self.packed)) as lines:
            next(lines)
            for line in lines:
                link, field, mdm, asset = orjson.loads(line)
                yield Base(link, field, _value(mdm), _value(asset))


def line_written(line: Change) -> str:
    return LINE.dump_json(line).decode()


def line_read(text: str) -> Change:
    return LINE.validate_json(text)


def agreed_written(agreed: Agreed) -> bytes:
    """A line for all but the bases, then one for each of these; compressed."""
    packed = BytesIO()
    with GzipFile(fileobj=packed, mode="wb", compresslevel=1) as lines:
        lines.write(_line({"links": agreed.links, "devices": agreed.devices, "assets": agreed.assets}))
        for base in agreed.bases:
            lines.write(_line((base.link, base.field, base.mdm_value, base.asset_value)))
    return packed.getvalue()


def agreed_read(packed: bytes) -> Agreed:
    with GzipFile(fileobj=BytesIO(packed)) as lines:
        first = orjson.loads(next(lines))
    links = tuple(Link(**link) for link in first["links"])
    return Agreed(PackedBases(packed), links, first["devices"], first["assets"])


def value_written(value: Value) -> str:
    return orjson.dumps(value).decode()


def value_read(text: str) -> Value:
    return _value(orjson.loads(text))


def plain(records: Iterable[Any]) -> list[Any]:
    """Dataclasses as JSON has them."""
    found: list[Any] = orjson.loads(orjson.dumps(list(records)))
    return found


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _value(found: Any) -> Value:
    return tuple(found) if isinstance(found, list) else found
