"""What stops a plan: half a world as its input, or more changes than anyone means."""

from collections import Counter
from collections.abc import Iterator
from math import ceil

from connector.sync.entities import CREATES, NEW, NOTED, Change
from connector.sync.mapping.mapping import Mapping
from connector.sync.plan.ground import Memory, Sides, user_key

HALF = 0.5
FEW = 10  # so many changes, or people who are gone, are no landslide, however small the fleet
NO_CHANGE = {*NOTED, *CREATES}  # of a record that was there


def implausible(sides: Sides, memory: Memory, mapping: Mapping) -> str | None:
    """Why there is no plan: a side is empty, or under half of what it was."""
    if mapping.safety.empty_source == "go":
        return None
    linked = sum(link.kind == "device" and link.state == "active" for link in memory.links)
    if not sides.devices:
        return "The MDM lists no devices."
    if short := _short("The MDM", "devices", len(sides.devices), memory.devices_before or linked):
        return short
    if short := _short("The asset system", "assets", len(sides.assets), memory.assets_before or linked):
        return short
    return _without_people(sides, memory)


def _without_people(sides: Sides, memory: Memory) -> str | None:
    """Most of those who have a device are gone: all of them would be created anew."""
    users, there = {user_key(device) for device in sides.devices}, {person.sys_id for person in sides.people}
    linked = [link.sys_id for link in memory.links if link.kind == "user" and link.mdm_id in users]
    left = sum(person in there for person in linked)
    if there and len(linked) - left <= FEW:
        return None
    return _short("The asset system", "people who have a device", left, len(linked))


def _short(who: str, what: str, now: int, before: int) -> str | None:
    return f"{who} lists {now} {what}; there were {before}." if now < before * HALF else None


def over_limits(lines: tuple[Change, ...], assets: int, mapping: Mapping) -> Iterator[str]:
    """The limits that a plan exceeds, each as a sentence."""
    safety, count = mapping.safety, Counter(line.op for line in lines if line.status == "planned")
    changed = {(line.side, line.target) for line in lines if line.status == "planned" and line.op not in NO_CHANGE}
    known = {target for target in changed if not target[1].startswith(NEW)}
    if len(known) > max(FEW, most := _most(safety.max_changes, assets)):
        yield f"{len(known)} records change; max_changes allows {max(FEW, most)}."
    if count["check_in"] > (most := _most(safety.max_check_ins, assets)):
        yield f"{count['check_in']} check-ins; max_check_ins allows {most}."
    for op in CREATES:
        if count[op] > (most := _most(safety.max_creates, assets)):
            yield f"{count[op]} lines {op}; max_creates allows {most}."


def _most(limit: float, assets: int) -> int:
    """A share is one of the assets there are."""
    return ceil(limit * assets) if isinstance(limit, float) else limit
