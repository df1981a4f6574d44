"""The forms of single values in a mapping file, each with a sentence for what is none."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from connector.sync.mapping.values import PATH, TRANSFORMS

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PARTS = ("serial", "name", "model", "platform", "asset_tag", "mdm_id")  # of a device, in the tag of its new asset
PART = r"\{(" + "|".join(PARTS) + r")\}"
TEMPLATE = rf"^(auto|from-mdm|[^{{}}\x00]*({PART}[^{{}}\x00]*)*)$"
STORED = r"^[^\x00]*$"  # PostgreSQL keeps no NUL
LEAST = timedelta(seconds=60)  # between two runs of a sync


def _wrong(why: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{why}", {"why": why})


def _share(value: Any) -> Any:
    """`25%` as 0.25; a number stays a count."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d+)?\s*%", value) and float(value.rstrip(" %")) <= 100:
        return float(value.rstrip(" %")) / 100
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _wrong("must be a count such as 10, or a share such as 25%")


def _duration(value: Any) -> Any:
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", value) if isinstance(value, str) else None
    if found is None:
        raise _wrong("must be a duration such as 60s, 20m, 6h or 1d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _pause(value: timedelta) -> timedelta:
    if value < LEAST:
        raise _wrong(f"must be {LEAST.seconds}s or more")
    return value


def _choice(value: Any) -> Any:
    """YAML readers differ about a bare `yes`."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _boolean(value: Any) -> Any:
    if value not in (True, False, "yes", "no"):
        raise _wrong("must be true or false")
    return value in (True, "yes")


def _named(value: Any) -> Any:
    if str(value) not in TRANSFORMS:
        raise _wrong(f"must be one of: {', '.join(sorted(TRANSFORMS))}")
    return value


Text = Annotated[str, StringConstraints(pattern=STORED, min_length=1, max_length=256)]
Path = Annotated[str, StringConstraints(pattern=PATH, max_length=256)]
Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
YesNo = Annotated[bool, BeforeValidator(_boolean), WithJsonSchema({"enum": [True, False, "yes", "no"]})]
Create = Annotated[
    Literal["yes", "no", "ask"],
    BeforeValidator(_choice),
    WithJsonSchema({"enum": ["yes", "no", "ask", True, False]}),
]
SHARE = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d{1,3}(\.\d+)?\s*%$"}]}
Limit = Annotated[float | int, BeforeValidator(_share), WithJsonSchema(SHARE)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,6}\s*[smhd]$"}),
]
Pause = Annotated[Duration, AfterValidator(_pause)]
Transform = Annotated[str, Field(json_schema_extra={"enum": sorted(TRANSFORMS)}), BeforeValidator(_named)]
Patterns = tuple[Text, ...]
Template = Annotated[str, StringConstraints(pattern=TEMPLATE, min_length=1)]
