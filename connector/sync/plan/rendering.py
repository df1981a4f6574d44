"""A plan as people read it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from connector.sync.entities import Change, Hold, Op
from connector.sync.plan.fields import said
from connector.sync.plan.plan import Plan

TITLES: dict[Op, str] = {
    "link": "Link",
    "move_link": "Move links",
    "lock": "Lock fields",
    "create_field": "Create fields",
    "create_person": "Create people",
    "update_person": "Complete people",
    "create_asset": "Create assets",
    "restore": "Restore assets",
    "update_asset": "Update assets",
    "mark": "Mark assets as missing",
    "archive": "Archive assets",
    "check_in": "Check in",
    "check_out": "Check out",
    "update_device": "Update devices in the MDM",
    "assign": "Assign users in the MDM",
    "act": "Quick actions",
}
SHRUNK = "If that is right, let the mapping say safety: { empty_source: go } for a run."
LEFT = {"unsupported": "not supported here", "refused": "refused: too long for its field"}


def text(plan: Plan) -> str:
    """The plan as a diff: what is done by step, then what is not, and why."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    if plan.stopped:
        yield f"Stopped: {plan.stopped} {SHRUNK}"
    else:
        yield _summary(plan)
    yield from (f"Brake: {brake}" for brake in plan.brakes)
    for op, lines in groupby(plan.changes, key=lambda one: one.op):
        some = list(lines)
        yield from ("", f"{TITLES[op]} ({len(some)})", *(row for line in some for row in _change(line)))
    yield from _left(line for line in plan.lines if line.status != "planned")
    yield from _held(plan.holds)
    if plan.warnings:
        yield from ("", f"Warnings ({len(plan.warnings)})", *(f"  {each.about}: {each.why}" for each in plan.warnings))


def _summary(plan: Plan) -> str:
    parts = [
        f"{len(some)} {one if len(some) == 1 else more}"
        for some, one, more in (
            (plan.changes, "change", "changes"),
            (plan.waiting, "waiting", "waiting"),
            (plan.impossible, "not possible", "not possible"),
            (plan.holds, "hold", "holds"),
            (plan.warnings, "warning", "warnings"),
        )
        if some
    ]
    return f"Plan: {', '.join(parts)}." if parts else "Nothing to do."


def _change(line: Change) -> Iterator[str]:
    yield f"  {_mark(line)} {line.name}{_values(line)}  [{line.why}]"
    if isinstance(line.after, Mapping):
        yield from (f"      {key}: {said(value)}" for key, value in line.after.items())


def _mark(line: Change) -> str:
    return "+" if line.op.startswith("create") else "-" if line.op in ("archive", "check_in", "mark") else "~"


def _values(line: Change) -> str:
    if line.field is None or isinstance(line.after, Mapping):
        return ""
    if line.op == "lock":
        return f": {line.field}"
    before, after = line.shown or (said(line.before), said(line.after))
    return f": {line.field}: {before} -> {after}"


def _left(lines: Iterable[Change]) -> Iterator[str]:
    some = list(lines)
    if some:
        yield from ("", f"Not done ({len(some)})")
        yield from (f"  ! {_reason(line)}" for line in some)


def _reason(line: Change) -> str:
    if line.status == "waiting":
        return f"{line.name}: {line.field}  [{line.why}]"
    return f"{line.name}{_values(line)}  [{line.op}: {LEFT[line.status]}]"


def _held(holds: tuple[Hold, ...]) -> Iterator[str]:
    if holds:
        yield from ("", f"Held ({len(holds)})")
        yield from (row for hold in holds for row in (f"  ? {hold.why}", f"      {hold.todo}"))
