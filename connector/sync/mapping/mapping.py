"""The mapping file: what goes where between an MDM and an asset system. Its tables are its JSON Schema."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from connector.sdk.inventory import Kind
from connector.sync.mapping.values import PATH, TRANSFORMS
from connector.sync.plan.three_way import Direction, Rule, Winner

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TEMPLATE = r"^(auto|from-mdm|[^{}]*(\{(serial|name|model|platform|asset_tag|mdm_id)\}[^{}]*)*)$"
IDENTITIES = {"tag", "serial"}  # cut short, these would name something else


def wrong(why: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{why}", {"why": why})


def _share(value: Any) -> Any:
    """`25%` as 0.25; a number stays a count."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d+)?\s*%", value) and float(value.rstrip(" %")) <= 100:
        return float(value.rstrip(" %")) / 100
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise wrong("must be a count such as 10, or a share such as 25%")


def _duration(value: Any) -> Any:
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", value) if isinstance(value, str) else None
    if found is None:
        raise wrong("must be a duration such as 60s, 20m, 6h or 1d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _choice(value: Any) -> Any:
    """YAML readers differ about a bare `yes`."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _boolean(value: Any) -> Any:
    if value not in (True, False, "yes", "no"):
        raise wrong("must be true or false")
    return value in (True, "yes")


def _named(value: Any) -> Any:
    if str(value) not in TRANSFORMS:
        raise wrong(f"must be one of: {', '.join(sorted(TRANSFORMS))}")
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]
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
Transform = Annotated[str, Field(json_schema_extra={"enum": sorted(TRANSFORMS)}), BeforeValidator(_named)]
Patterns = tuple[Text, ...]


class Part(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class System(Part):
    """A side: its kind, and the connection to it where there are several; addresses and tokens are the connection's."""

    kind: Text
    connection: Text | None = None


class Excluded(Part):
    """Devices that are left alone: by name patterns, or by what they are."""

    blueprint: Patterns = ()
    name: Patterns = ()
    model: Patterns = ()
    serial: Patterns = ()
    is_missing: YesNo = False
    is_removed: YesNo = True


class Scope(Part):
    """Which devices are synced."""

    platforms: Patterns = ()
    exclude: Excluded = Excluded()


class Match(Part):
    """The rules that find a partner: a link first, then a serial number or an email, then an asset tag or a name."""

    device: tuple[Literal["link", "serial", "asset_tag"], ...] = ("link", "serial")
    person: tuple[Literal["link", "email", "name"], ...] = ("link", "email", "name")


class Creation(Part):
    """What may be created, and with what."""

    assets: Create = "yes"
    people: Create = "yes"
    default_category: Text | None = None
    asset_tag: Annotated[str, StringConstraints(pattern=TEMPLATE, min_length=1)] = "auto"


class People(Part):
    """The labels of a person's columns."""

    email: Text = "email"
    name: Text = "name"


class FieldRow(Part):
    """One property of the MDM and one column of the asset system."""

    from_: Path | None = Field(default=None, alias="from")
    to: Text | None = None
    direction: Direction = "mdm_to_asset"
    winner: Winner | None = None
    when_empty: Literal["keep", "clear"] = "keep"
    drift: Literal["restore", "lock"] = "restore"
    type: Kind = "text"
    case: Literal["exact", "ignore"] = "exact"
    transform: tuple[Transform, ...] = ()
    values: dict[Text, Text] = {}
    too_long: Literal["cut", "refuse"] | None = None
    key: YesNo = False
    create: YesNo = False
    skip: YesNo = False

    @property
    def refuses_long(self) -> bool:
        """Whether a value that is too long is an error of the plan, or is cut."""
        return (self.too_long or ("refuse" if self.key or self.to in IDENTITIES else "cut")) == "refuse"

    def rule(self, asset_length: int | None = None, mdm_length: int | None = None) -> Rule:
        """How it is decided; only lengths that cut count as the same value."""
        ignore = self.case == "ignore"
        lengths = (None, None) if self.refuses_long else (asset_length, mdm_length)
        winner = self.winner or default_winner(self.direction)
        return Rule(self.direction, winner, self.when_empty, self.drift, ignore, *lengths)


class Assignment(Part):
    """Who has a device: the seed's three settings."""

    direction: Literal["both", "mdm_to_asset", "none"] = "mdm_to_asset"
    winner: Winner | None = None
    locations: Literal["ignore"] = "ignore"

    def rule(self) -> Rule:
        """Nobody is a value, and a checkout by hand stays."""
        return Rule(self.direction, self.winner or default_winner(self.direction), when_empty="clear", drift="leave")


class Missing(Part):
    """What happens to an asset whose device is gone."""

    after_runs: Count = 3
    then: Literal["mark", "check_in", "archive", "ignore"] = "mark"


class Safety(Part):
    """The brake: more than this is planned, and not applied without being told so."""

    max_changes: Limit = 0.25
    max_check_ins: Limit = 10
    max_creates: Limit = 200
    empty_source: Literal["stop", "go"] = "stop"


Action = Literal["blankpush", "lock", "restart", "shutdown"]


class Actions(Part):
    """Quick actions; off unless they are switched on."""

    enabled: YesNo = False
    allow: tuple[Action, ...] = ("blankpush", "lock", "restart", "shutdown")
    confirm: tuple[Action, ...] = ("lock", "restart", "shutdown")
    platforms: Literal["guide", "api"] = "guide"


class Schedule(Part):
    """How often a sync runs by itself, and up to how much later, so that not all begin at one moment."""

    every: Duration = timedelta(minutes=20)
    jitter: Duration = timedelta(seconds=60)


class Mapping(Part):
    """A whole mapping file."""

    version: Literal[1]
    mdm: System
    assets: System
    scope: Scope = Scope()
    match: Match = Match()
    create: Creation = Creation()
    people: People = People()
    fields: tuple[FieldRow, ...]
    assignment: Assignment = Assignment()
    missing: Missing = Missing()
    safety: Safety = Safety()
    actions: Actions = Actions()
    schedule: Schedule = Schedule()

    @property
    def mapped(self) -> tuple[FieldRow, ...]:
        """The fields that are synced."""
        return tuple(row for row in self.fields if not row.skip and row.from_ and row.to and row.direction != "none")

    @property
    def fingerprint(self) -> str:
        """What tells it from others that plan differently."""
        return sha256(self.model_dump_json(exclude={"schedule", "actions"}).encode()).hexdigest()


def default_winner(direction: Direction) -> Winner:
    """One-way, the giving side; both ways, nobody."""
    if direction == "mdm_to_asset":
        return "mdm"
    return "asset" if direction == "asset_to_mdm" else "hold"


def schema() -> dict[str, Any]:
    """The published JSON Schema of a mapping file."""
    found = Mapping.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Upcard sync mapping", **found}


def published() -> dict[str, dict[str, Any]]:
    """What `upcard publish` writes for the sync, by path."""
    return {"schemas/sync/mapping.json": schema()}
