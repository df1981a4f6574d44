"""The lines for the fields of linked assets, in either direction."""

from collections.abc import Iterator

from connector.sdk.inventory import Value
from connector.sync.entities import Base, Change, Hold, Link, Notice, Status
from connector.sync.plan.ground import Ground, Row
from connector.sync.plan.matching import Pair
from connector.sync.plan.three_way import Verdict, decide

Item = Change | Hold | Notice | Base | Link
ADVICE = "Make both sides the same, or name a winner in the mapping."


def columns(ground: Ground) -> Iterator[Item]:
    """Fields of the mapping that the asset system has not, where it tells."""
    there, can = ground.sides.columns, ground.sides.asset_can.create_fields
    if there is None:
        return
    for row in [each for each in ground.rows if each.to not in there]:
        if row.field.create:
            yield Change("create_field", "asset", row.to, row.to, "there is no such field", status=able(can=can))
        else:
            yield Notice(row.to, "the asset system has no such field; create it, or say create: true")


def another_machine(pair: Pair, ground: Ground) -> Hold | None:
    """The asset was given another key, such as a serial number: it may stand for another machine by now."""
    for row in [each for each in ground.usable if each.field.key]:
        mdm, asset = row.mdm(pair.device), row.asset(pair.asset)
        base = ground.base((pair.link.id, row.to), mdm, asset)
        if base and asset is not None and not (row.rule.equal(asset, mdm) or row.rule.equal(asset, base.asset_value)):
            was = f"{row.to} of {pair.asset.label} was {said(base.asset_value)}"
            why = f"{was}, as {pair.device.label} has it, and is {said(asset)} now"
            todo = "Correct it, or remove the link: it may be another machine."
            return Hold("another_machine", (pair.device.mdm_id, pair.asset.sys_id), why, todo, row.to)
    return None


def pair_fields(pair: Pair, ground: Ground) -> Iterator[Item]:
    """Every field of a device and its asset that differs, and every new agreement."""
    for row in ground.usable:
        if row.is_read(pair.device):
            yield from _field(pair, row, ground)


def _field(pair: Pair, row: Row, ground: Ground) -> Iterator[Item]:
    mdm, asset = row.mdm(pair.device), row.asset(pair.asset)
    key = (pair.link.id, row.to)
    base = ground.base(key, mdm, asset)
    found = decide(mdm, asset, base, row.rule, locked=key in ground.locks)
    yield from ground.agreed(Base(*key, mdm, asset) if found.act == "agree" else base)
    if found.act == "write_asset":
        yield from _to_asset(pair, row, (mdm, asset), found, ground)
    elif found.act == "write_mdm":
        yield from _to_mdm(pair, row, (mdm, asset), found, ground)
    elif found.act != "agree":
        yield _open(pair, row, (mdm, asset), found)


def _open(pair: Pair, row: Row, values: tuple[Value, Value], found: Verdict) -> Item:
    """What is not written: a question, a new lock, or a locked field."""
    says = f"{found.why} (MDM: {said(values[0])}, asset: {said(values[1])})"
    name = pair.asset.label
    if found.act == "lock":
        return Change("lock", "asset", pair.asset.sys_id, name, says, row.to, link=pair.link)
    if found.act == "leave":
        return Notice(f"{name}: {row.to}", says)
    return Hold("conflict", (pair.device.mdm_id, pair.asset.sys_id), f"{name}: {row.to}: {says}", ADVICE, row.to)


def _to_asset(pair: Pair, row: Row, values: tuple[Value, Value], found: Verdict, ground: Ground) -> Iterator[Item]:
    mdm, asset = values
    after = row.kept_by_asset(mdm)
    yield from shortened(pair.asset.label, row.to, mdm, after, row)
    yield Change(
        *("update_asset", "asset", pair.asset.sys_id, pair.asset.label, found.why, row.to),
        before=asset,
        after=after,
        status=fit(mdm, after, row, can=ground.sides.asset_can.writes(row.to)),
        bases=(Base(pair.link.id, row.to, mdm, after),),
    )


def _to_mdm(pair: Pair, row: Row, values: tuple[Value, Value], found: Verdict, ground: Ground) -> Iterator[Item]:
    mdm, asset = values
    after = row.kept_by_mdm(asset)
    yield from shortened(pair.device.label, row.source, asset, after, row)
    yield Change(
        *("update_device", "mdm", pair.device.mdm_id, pair.device.label, found.why, row.source),
        before=mdm,
        after=after,
        status=fit(asset, after, row, can=ground.sides.mdm_can.writes(row.source)),
        bases=(Base(pair.link.id, row.to, after, asset),),
    )


def said(value: Value) -> str:
    """A value as people read it."""
    if value is None:
        return "nothing"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def shortened(name: str, field: str, value: Value, after: Value, row: Row) -> Iterator[Item]:
    """A warning where a value is cut."""
    if row.rule.equal(value, after) or row.field.refuses_long or not isinstance(after, str):
        return
    if isinstance(value, str) and len(after) < len(value):
        yield Notice(f"{name}: {field}", f"is shortened to {len(after)} characters")


def fit(value: Value, after: Value, row: Row, *, can: bool) -> Status:
    """Whether a value can be written, and whole where it must be."""
    if not can:
        return "unsupported"
    shorter = isinstance(value, str) and isinstance(after, str | None) and len(after or "") < len(value)
    return "refused" if shorter and row.field.refuses_long else "planned"


def able(*, can: bool) -> Status:
    """The status of a line, by what the system can do."""
    return "planned" if can else "unsupported"
