"""The way back from a run: what it did, line by line, with what was there before."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from connector.sdk.inventory import Value
from connector.sync.apply.outcomes import Made
from connector.sync.entities import NEW, Base, Change, Notice, Op
from connector.sync.plan.plan import Plan, numbered
from connector.sync.store.lines import Line

BACK: dict[Op, Op] = {
    "update_asset": "update_asset",
    "update_device": "update_device",
    "assign": "assign",
    "check_in": "check_out",
    "check_out": "check_in",
}
ORDER: tuple[Op, ...] = ("update_asset", "check_in", "check_out", "update_device", "assign")
FOR_GOOD: dict[Op, str] = {  # what no line takes back
    "create_person": "people that were created stay",
    "create_asset": "assets that were created stay, with all that they were given",
    "create_field": "fields that were created stay",
    "update_person": "emails and names that people lacked stay",
    "archive": "assets that were archived stay so",
    "restore": "assets that were brought back stay so",
    "act": "a command to a device cannot be taken back",
}


def undone(run: str, lines: Iterable[Line], person_of: Mapping[str, str]) -> Plan:
    """The plan that takes back what a run did. `person_of`: the person of each user.

    What is put back stays, as if both sides had agreed to differ, until somebody changes one of them.
    """
    there = [line for line in lines if line.status == "done"]
    made = Made({line.change.target: line.made for line in there if line.made})
    done = [_real(line.change, made) for line in there]
    ours = [real for line, real in zip(there, done, strict=True) if _is_back(line.change)]
    last = {(base.link, base.field): base for line in done for base in line.bases}
    back = [_back(line, f"undoes {run}", last, person_of) for line in ours]
    back.sort(key=lambda line: (ORDER.index(line.op), line.target, line.field or ""))
    left = sorted({FOR_GOOD[line.op] for line in done if line.op in FOR_GOOD})
    return Plan(inputs=run, lines=numbered(back), warnings=tuple(Notice(run, why) for why in left))


def _real(line: Change, made: Made) -> Change:
    """With the IDs that the run's new people and assets got."""
    after = made.id(line.after) if isinstance(line.after, str) and line.op == "check_out" else line.after
    return replace(line, after=after, bases=tuple(made.real(base) for base in line.bases))


def _is_back(line: Change) -> bool:
    """What is about a new asset stays with it, the tag included that it was given."""
    return line.op in BACK and not any(base.link.startswith(f"device/{NEW}") for base in line.bases)


def _back(line: Change, why: str, last: Mapping[tuple[str, str], Base], person_of: Mapping[str, str]) -> Change:
    after: Any = line.after
    shown = line.shown[::-1] if line.shown else None
    put: Value = person_of.get(str(line.before)) if line.op == "assign" else line.before
    bases = [last[base.link, base.field] for base in line.bases]
    in_asset = line.side == "asset"
    agreed = tuple(replace(base, asset_value=put) if in_asset else replace(base, mdm_value=put) for base in bases)
    return replace(line, op=BACK[line.op], before=after, after=line.before, why=why, shown=shown, bases=agreed)
