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
    Pause,
    Template,
    Text,
    Transform,
    YesNo,
)
from connector.sync.mapping.values import steps
from connector.sync.plan.three_way import Direction, Rule, Winner

IDENTITIES = {"tag", "serial"}  # cut short, these would name something else


class Part(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, use_attribute_docstrings=True
    )


class System(Part):
    """A side: its kind, and the connection to it where there are several; addresses and tokens are the connection's."""

    kind: Text
    """Which system it is: a connector, such as `kandji`, or `file` for the asset system that is built in."""
    connection: Text | None = None
    """Name of the connection to it, if there are several; of `file`, the file's name, else `assets`."""


class Excluded(Part):
    """Devices that are left alone: by name patterns, or by what they are."""

    blueprint: Patterns = ()
    """Patterns of blueprint names, such as `Lab*`; `*` is any text, `?` any sign, and case counts."""
    name: Patterns = ()
    """Patterns of device names, as those of blueprints."""
    model: Patterns = ()
    """Patterns of model names, as those of blueprints."""
    serial: Patterns = ()
    """Patterns of serial numbers, as those of blueprints."""
    is_missing: YesNo = False
    """Whether devices are left alone that the MDM calls missing; if left out, they are synced like others."""
    is_removed: YesNo = True
    """Has no effect: devices that were removed from the MDM are left alone in any case, and are gone (`missing`)."""


class Scope(Part):
    """Which devices are synced."""

    platforms: Patterns = ()
    """Names of the platforms to sync, such as `Mac`; if left out or empty, all are."""
    exclude: Excluded = Excluded()
    """Devices to leave alone within that; if left out, none."""


class Match(Part):
    """The rules that find a partner: a link first, then a serial number or an email, then an asset tag or a name."""

    device: tuple[Literal["link", "serial", "asset_tag"], ...] = ("link", "serial")
    """What finds the asset of a device: the link of earlier runs, its serial number, its asset tag; tags only if you
    say so."""
    person: tuple[Literal["link", "email", "name"], ...] = ("link", "email", "name")
    """What finds the person of a user: the link of earlier runs, the email, or a name that one has on each side; if
    left out, all three."""


class Creation(Part):
    """What may be created, and with what."""

    assets: Create = "yes"
    """Whether a device without an asset gets one, as it does if left out: `yes`, `no`, or `ask`, which holds it for
    people to decide."""
    people: Create = "yes"
    """Whether a user who has a device and no person gets one, as they do if left out: `yes`, `no`, or `ask`, which
    holds them."""
    default_category: Text | None = None
    """Category of new assets, unless a field is mapped to `category`; a sync that creates assets is enabled only with
    one of them."""
    asset_tag: Template = "auto"
    """Tag of new assets: `auto` leaves it to the asset system, `from-mdm` takes the device's, and text such as
    `KND-{serial}` makes it of the device's serial, name, model, platform, asset_tag or mdm_id."""


class People(Part):
    """The labels of a person's columns."""

    email: Text = "email"
    """Label of the column that holds a person's email."""
    name: Text = "name"
    """Label of the column that holds a person's name."""


class FieldRow(Part):
    """One property of the MDM and one column of the asset system."""

    from_: Path | None = Field(default=None, alias="from")
    """Path of the property in the MDM, such as `os_version`; those below `details.` take a request for each device."""
    to: Text | None = None
    """Label of the column in the asset system, such as `tag`, `serial` or `OS version`."""
    direction: Direction = "mdm_to_asset"
    """Which way values go, from the MDM if left out; `none` is not synced, and `both` and `asset_to_mdm` are only for
    properties that the MDM lets be written."""
    winner: Winner | None = None
    """Whose value stays where both differ at the first sync, or both changed; if left out, that of the side which
    gives, and `hold`, which writes nothing and asks, where the direction is `both`."""
    when_empty: Literal["keep", "clear"] = "keep"
    """Whether a value that was emptied stays on the other side (`keep`, if left out), or is emptied there too
    (`clear`)."""
    drift: Literal["restore", "lock"] = "restore"
    """What happens where somebody edits the side that only receives: it is written over (`restore`, if left out), or
    stays as it is and is not synced until it is unlocked (`lock`)."""
    type: Kind = "text"
    """What values are compared as, text if left out; as numbers `1.0` is 1, as dates a moment is the same in all time
    zones."""
    case: Literal["exact", "ignore"] = "exact"
    """Whether upper and lower case tell values apart (`exact`, if left out) or not (`ignore`)."""
    transform: tuple[Transform, ...] = ()
    """What is done to the MDM's value, in this order, before it is compared and written; if left out, nothing."""
    values: dict[Text, Text] = {}
    """What is written for which value of the MDM; `*` stands for all others, which stay as they are without it."""
    too_long: Literal["cut", "refuse"] | None = None
    """Whether a value that its new field has no room for is cut, or refused as a line of the plan; if left out, the
    key, `tag` and `serial` are refused, and others cut."""
    key: YesNo = False
    """Whether it tells one device from others, and is refused rather than cut; what finds an asset is in `match`."""
    create: YesNo = False
    """Whether the column is created where it is missing and the asset system can; if left out, the plan warns of it."""
    skip: YesNo = False
    """Whether this row is not synced, and only says that nobody forgot it."""

    @property
    def in_details(self) -> bool:
        """Whether only a request for each device tells the property."""
        return steps(self.from_ or "")[:1] == ("details",)

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
    """Who has a device: its user in the MDM, and the person its asset is checked out to."""

    direction: Literal["both", "mdm_to_asset", "none"] = "mdm_to_asset"
    """Which way it goes, from the MDM if left out; with `both`, checkouts and check-ins go to the MDM too, and with
    `none` nothing does."""
    winner: Winner | None = None
    """Whose word counts where both differ at the first sync, or both changed; if left out, the MDM's, and with `both`
    `hold`, which writes nothing and asks."""
    locations: Literal["ignore"] = "ignore"
    """An asset that is checked out to a place or to another asset is left alone; there is no other choice."""

    def rule(self) -> Rule:
        """Nobody is a value, and a checkout by hand stays."""
        return Rule(self.direction, self.winner or default_winner(self.direction), when_empty="clear", drift="leave")


class Missing(Part):
    """What happens to an asset whose device is gone."""

    after_runs: Count = 3
    """In how many runs, one after the other, a device is not there until it counts as gone; if left out, three."""
    then: Literal["mark", "check_in", "archive", "ignore"] = "mark"
    """What happens then, once: `mark`, if left out, only notes it in Upcard, `check_in` takes the asset back from its
    person, `archive` puts it away where the asset system can, and `ignore` counts no runs."""


class Safety(Part):
    """The brake: more than this is planned, and not applied without being told so."""

    max_changes: Limit = Field(default="25%", validate_default=True)
    """How many records that were there may change: a count, or a share of all assets, a quarter if left out; ten
    always may."""
    max_check_ins: Limit = 10
    """How many assets may be taken back: a count, or a share of all assets; if left out, 10."""
    max_creates: Limit = 200
    """How many assets, and how many people, may be created: a count, or a share of all assets; if left out, 200."""
    empty_source: Literal["stop", "go"] = "stop"
    """Whether there is no plan (`stop`, if left out) where the MDM lists no devices, or a side under half of what it
    did; `go` plans all the same."""


Action = Literal["blankpush", "lock", "restart", "shutdown"]


class Actions(Part):
    """Quick actions; off unless they are switched on."""

    enabled: YesNo = False
    """Whether there are any; if left out, none."""
    allow: tuple[Action, ...] = ("blankpush", "lock", "restart", "shutdown")
    """Which ones there are once they are enabled; if left out, all."""
    confirm: tuple[Action, ...] = ("lock", "restart", "shutdown")
    """Which ones want the device's serial number typed; if left out, all but the blank push."""
    platforms: Literal["guide", "api"] = "guide"
    """What may be restarted and shut down: Macs only (`guide`, if left out), or iPhones and iPads too, and Apple TVs
    restarted (`api`)."""


class Schedule(Part):
    """How often a sync runs by itself, and up to how much later, so that not all begin at one moment."""

    every: Pause = Field(default="20m", validate_default=True)
    """How long after the start of a run the next one starts, in s, m, h or d, `60s` at least; if left out, `20m`."""
    jitter: Duration = Field(default="60s", validate_default=True)
    """How much longer it may take, at random, in s, m, h or d; if left out, up to `60s`."""


class Mapping(Part):
    """A whole mapping file."""

    version: Literal[1]
    """Which form of this file it is; there is one."""
    mdm: System
    """The device management service."""
    assets: System
    """The asset system."""
    scope: Scope = Scope()
    """Which devices are synced; if left out, all."""
    match: Match = Match()
    """How partners are found."""
    create: Creation = Creation()
    """What may be created, and with what; if left out, assets and people."""
    people: People = People()
    """What the columns of a person are called, if not `email` and `name`."""
    fields: tuple[FieldRow, ...]
    """What goes where, a row for each property and column; what has no row is not synced."""
    assignment: Assignment = Assignment()
    """Who has a device; if left out, its user in the MDM is whom its asset is checked out to."""
    missing: Missing = Missing()
    """What happens to an asset whose device is gone; if left out, it is marked after three runs."""
    safety: Safety = Field(default_factory=Safety)  # a default here would not be as a file writes it
    """What a plan may change at most; beyond it, or where a side looks half empty, nothing is written."""
    actions: Actions = Actions()
    """Which quick actions there are on the devices of assets; if left out, none."""
    schedule: Schedule = Field(default_factory=Schedule)
    """How often an enabled sync runs by itself; if left out, every 20 minutes."""

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
