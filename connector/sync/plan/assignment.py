"""Who has a device: the three-way rule on "a person's id or nobody"; checkouts on one side, users on the other."""

from collections.abc import Iterator

from connector.sdk.inventory import Device, User
from connector.sync.entities import ASSIGNEE, NEW, Base, Change, Hold, Link, Notice, Status
from connector.sync.plan.fields import ADVICE, Item, able
from connector.sync.plan.ground import Ground
from connector.sync.plan.matching import Pair
from connector.sync.plan.three_way import Verdict, decide


def assigned(pair: Pair, ground: Ground) -> Iterator[Item]:
    """What happens to the assignment of a device and its asset."""
    if ground.mapping.assignment.direction == "none":
        return
    if pair.asset.assignee.kind in ("location", "asset"):
        yield from _elsewhere(pair, ground)
    elif ground.knows_person(pair.device):
        yield from _decided(pair, ground)


def _elsewhere(pair: Pair, ground: Ground) -> Iterator[Item]:
    """An asset that is at a place, or part of another asset, is left alone."""
    base = ground.bases.get((pair.link.id, ASSIGNEE))
    mdm = ground.person(pair.device) if ground.knows_person(pair.device) else None
    if mdm != (base.mdm_value if base else None):
        yield Notice(pair.asset.label, f"is checked out to a {pair.asset.assignee.kind}, so its user is left alone")


def _decided(pair: Pair, ground: Ground) -> Iterator[Item]:
    mdm, asset = ground.person(pair.device), pair.asset.assignee.id
    key = (pair.link.id, ASSIGNEE)
    base = ground.base(key, mdm, asset)
    found = decide(mdm, asset, base, ground.mapping.assignment.rule(), locked=key in ground.locks)
    yield from ground.agreed(Base(*key, mdm, asset) if found.act == "agree" else base)
    if found.act == "write_asset":
        yield from _handed(pair, mdm, found, base, ground)
    elif found.act == "write_mdm":
        yield _told(pair, asset, found, ground)
    elif found.act != "agree":
        yield _open(pair, found, ground)


def _open(pair: Pair, found: Verdict, ground: Ground) -> Item:
    says = f"{found.why} (MDM: {_user(pair.device)}, asset: {who(pair.asset.assignee.id, ground)})"
    if found.act == "leave":
        return Notice(f"{pair.asset.label}: {ASSIGNEE}", says)
    about = (pair.device.mdm_id, pair.asset.sys_id)
    return Hold("conflict", about, f"{pair.asset.label}: {ASSIGNEE}: {says}", ADVICE, ASSIGNEE)


def _handed(pair: Pair, mdm: str | None, found: Verdict, base: Base | None, ground: Ground) -> Iterator[Item]:
    """To nobody, to somebody, or from one to the other: then back first, so that an interruption goes on from there."""
    before, can = pair.asset.assignee.id, able(can=ground.sides.asset_can.assign)
    target, done = (pair.asset.sys_id, pair.asset.label, found.why, ASSIGNEE), Base(pair.link.id, ASSIGNEE, mdm, mdm)
    between = (Base(pair.link.id, ASSIGNEE, base.mdm_value, None),) if base else ()
    if before is not None:
        bases = between if mdm is not None else (done,)
        shown = who(before, ground), "nobody"
        yield Change("check_in", "asset", *target, before=before, shown=shown, status=can, bases=bases)
    if mdm is not None:
        shown = "nobody", who(mdm, ground)
        yield Change("check_out", "asset", *target, after=mdm, shown=shown, status=can, bases=(done,))


def handed_new(device: Device, ground: Ground) -> Iterator[Item]:
    """The checkout of an asset that is created."""
    if ground.mapping.assignment.direction == "none" or not ground.knows_person(device):
        return
    if (person := ground.person(device)) is not None:
        link = Link("device", device.mdm_id, NEW + device.mdm_id)
        yield Change(
            *("check_out", "asset", link.sys_id, device.label, "its user in the MDM", ASSIGNEE),
            after=person,
            shown=("nobody", who(person, ground)),
            status=able(can=ground.sides.asset_can.assign),
            bases=(Base(link.id, ASSIGNEE, person, person),),
        )


def _told(pair: Pair, asset: str | None, found: Verdict, ground: Ground) -> Change:
    """The MDM is told; it waits for a user that the MDM does not have."""
    user = ground.people.user_of.get(asset or "")
    unknown = asset is not None and (user is None or user.archived)
    status: Status = "waiting" if unknown else able(can=ground.sides.mdm_can.writes("user"))
    return Change(
        *("assign", "mdm", pair.device.mdm_id, pair.device.label),
        why=_missing(pair, user, ground) if unknown else found.why,
        field="user",
        before=pair.device.user_id,
        after=user.mdm_id if user else None,
        shown=(_user(pair.device), who(asset, ground)),
        status=status,
        bases=() if unknown else (Base(pair.link.id, ASSIGNEE, asset, asset),),
    )


def _missing(pair: Pair, user: User | None, ground: Ground) -> str:
    name, system = who(pair.asset.assignee.id, ground), ground.mapping.mdm.kind.capitalize()
    return f"cannot: the {system} user {name} is archived" if user else f"cannot: no {system} user for {name}"


def who(person: str | None, ground: Ground) -> str:
    """A person by email or name."""
    return "nobody" if person is None else ground.names.get(person, person)


def _user(device: Device) -> str:
    return device.user_email or device.user_name or device.user_id or "nobody"
