"""What the sync speaks of: two sides, what joins them, and the lines of a plan. No service's own form is known here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from connector.sdk.inventory import Value

Side = Literal["mdm", "asset"]
LinkState = Literal["active", "held", "missing", "retired"]
Noted = Literal["link", "move_link", "lock"]
Op = Literal[  # in the order in which the lines of a plan are carried out
    Noted,
    "create_field",
    "create_person",
    "update_person",
    "create_asset",
    "restore",
    "update_asset",
    "mark",
    "archive",
    "check_in",
    "check_out",
    "update_device",
    "assign",
    "act",
]
Status = Literal["planned", "waiting", "unsupported", "refused"]

NOTED: tuple[Op, ...] = get_args(Noted)  # lines that write to neither system
CREATES: tuple[Op, ...] = ("create_asset", "create_person")
ASSIGNEE = "assignee"
NEW = "new:"  # stands before the MDM's id where the asset system has none yet; apply puts the real one


@dataclass(frozen=True, slots=True)
class Link:
    """A device and its asset, or a user and their person; `absent` counts the runs without the device."""

    kind: Literal["device", "user"]
    mdm_id: str
    sys_id: str
    matched_by: str = ""
    since: str = ""
    state: LinkState = "active"
    absent: int = 0

    @property
    def id(self) -> str:
        """Stays when a device is enrolled again with a new id."""
        return f"{self.kind}/{self.sys_id}"


@dataclass(frozen=True, slots=True)
class Base:
    """What each side held when they last agreed; a field without one was never synced."""

    link: str
    field: str
    mdm_value: Value
    asset_value: Value


@dataclass(frozen=True, slots=True)
class Lock:
    """A field that is reported and never written."""

    link: str
    field: str
    reason: str
    by: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a plan. What is planned is done in order; `link` and `bases` are recorded once that is confirmed.

    `shown` is what people know `before` and `after` by, where these are ids.
    """

    op: Op
    side: Side
    target: str
    name: str
    why: str
    field: str | None = None
    before: Value = None
    after: Value | Mapping[str, Value] = None
    shown: tuple[str, str] | None = None
    status: Status = "planned"
    link: Link | None = None
    bases: tuple[Base, ...] = ()
    seq: int = 0

    @property
    def takes_made_tag(self) -> bool:
        """Whether it tells a device the tag that the asset system makes for its new asset, known only then."""
        return self.op == "update_device" and self.after == NEW + self.target


@dataclass(frozen=True, slots=True)
class Hold:
    """What the planner does not decide, and what would help."""

    kind: str
    about: tuple[str, ...]
    why: str
    todo: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is worth knowing, and stops nothing."""

    about: str
    why: str
