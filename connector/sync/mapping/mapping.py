"""The mapping file: what goes where between an MDM and an asset system. Its tables are its JSON Schema."""

from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from connector.sdk.inventory import Kind
from connector.sync.mapping.forms import (
    Count,
    Create,
    Duration,
    Limit,
    Path,
    Patterns,
    Template,
    Text,
    Transform,
    YesNo,
)
from connector.sync.plan.three_way import Direction, Rule, Winner

IDENTITIES = {"tag", "serial"}  # cut short, these would name something else


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
    asset_tag: Template = "auto"


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

    max_changes: Limit = Field(default="25%", validate_default=True)
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

    every: Duration = Field(default="20m", validate_default=True)
    jitter: Duration = Field(default="60s", validate_default=True)


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
    safety: Safety = Field(default_factory=Safety)  # a default here would not be as a file writes it
    actions: Actions = Actions()
    schedule: Schedule = Field(default_factory=Schedule)

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
