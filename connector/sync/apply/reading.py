"""Read both sides: all that there is, or only what a few assets are about."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from connector.sdk.errors import Refused, Unavailable, Unexpected
from connector.sdk.inventory import Asset, Device, Named, Person, User
from connector.sdk.kinds import Json
from connector.sdk.systems import AssetSystem, Mdm
from connector.sync.entities import Link, Notice
from connector.sync.mapping.mapping import Mapping as MappingFile
from connector.sync.mapping.values import steps
from connector.sync.plan.ground import Memory, Sides, in_scope, user_key
from connector.sync.systems.systems import Both

DAY = 86400.0  # seconds in which the details of every device are read once
AWAY = 3  # devices whose details the service fails to give, until it is asked for no more of them
LEAST = 100  # devices whose details are read in a run, if there are so many


def in_details(mapping: MappingFile) -> frozenset[str]:
    """The fields that the mapping takes from what only a request for each device tells."""
    return frozenset(row.to or "" for row in mapping.mapped if row.in_details)


def without_details(mapping: MappingFile) -> MappingFile:
    """The mapping as far as lists of both sides tell."""
    return mapping.model_copy(update={"fields": tuple(row for row in mapping.fields if not row.in_details)})


async def whole(both: Both, mapping: MappingFile, detailed: Mapping[str, float]) -> tuple[Sides, list[str]]:
    """Everything on both sides, and whose details were read. `detailed`: when those of each device were, in seconds.

    Details take a request for each device: those never read come first, then the oldest, so many that all are read
    within a day.
    """
    (devices, users), (assets, people, columns) = await asyncio.gather(_mdm(both.mdm, mapping), _assets(both.assets))
    read: list[str] = []
    if in_details(mapping):
        devices, read = await _with_details(devices, both.mdm, mapping, detailed)
    named = frozenset(column.name for column in columns) if columns is not None else None
    sides = Sides(tuple(devices), tuple(users or ()), tuple(assets), tuple(people), both.mdm.can, both.assets.can)
    return replace(sides, columns=named), read


async def _mdm(mdm: Mdm, mapping: MappingFile) -> tuple[list[Device], list[User] | None]:
    """Of each device what the mapping leads into: the rest of a large fleet would be held for nothing."""
    fields = {str(steps(row.from_ or "")[0]) for row in mapping.mapped}
    return await mdm.devices(fields), await mdm.users()


async def _assets(system: AssetSystem) -> tuple[list[Asset], list[Person], tuple[Named, ...] | None]:
    return await system.assets(), await system.people(), await system.columns()


async def _with_details(
    devices: list[Device], mdm: Mdm, mapping: MappingFile, detailed: Mapping[str, float]
) -> tuple[list[Device], list[str]]:
    rounds = max(1.0, DAY / max(1.0, mapping.schedule.every.total_seconds()))
    many = max(LEAST, round(len(devices) / rounds))
    there = [device.mdm_id for device in devices if not device.is_removed and in_scope(device, mapping.scope)]
    found = await _details(mdm, _chosen(there, detailed, many))
    return [replace(each, details=found.get(each.mdm_id)) for each in devices], list(found)


def unread(sides: Sides, read: Collection[str]) -> Iterator[Notice]:
    """Devices whose details were asked for and did not come."""
    asked = frozenset(read)
    for device in sides.devices:
        if device.mdm_id in asked and device.details is None:
            yield Notice(device.label, "its details could not be read; they are asked for again in its turn")


def _chosen(there: list[str], detailed: Mapping[str, float], many: int) -> list[str]:
    """Devices that are not linked, which may stay so, take half of it at most; then the oldest of the others."""
    known = sorted((id_ for id_ in there if id_ in detailed), key=lambda id_: detailed[id_])
    new = [id_ for id_ in there if id_ not in detailed][: max(many // 2, many - len(known))]
    return [*new, *known[: many - len(new)]]


async def _details(mdm: Mdm, devices: list[str]) -> dict[str, Json | None]:
    """None where they cannot be read: the device may be gone. A service that is away is not asked for all of them."""
    found: dict[str, Json | None] = {}
    away = 0
    for id_ in devices:
        try:
            found[id_] = await mdm.details(id_)
        except (Refused, Unavailable, Unexpected) as error:
            if (error.retry and isinstance(error, Refused)) or (error.service and error.service.status in (401, 403)):
                raise
            found[id_] = None
            away += isinstance(error, Unavailable)
        if away == AWAY:
            break
    return found


async def some(both: Both, sys_ids: Collection[str], memory: Memory) -> tuple[Sides, Memory]:
    """These assets with their devices and the people of both, and what is remembered of them."""
    linked = {link.sys_id: link for link in memory.links if link.kind == "device" and link.state == "active"}
    ours = [linked[id_] for id_ in sys_ids if id_ in linked]
    assets = [asset for link in ours if (asset := await both.assets.asset(link.sys_id))]
    devices = [device for link in ours if (device := await both.mdm.device(link.mdm_id))]
    people, users, known = await _people(both, assets, devices, memory)
    sides = Sides(tuple(devices), tuple(users), tuple(assets), tuple(people), both.mdm.can, both.assets.can)
    ids = {link.id for link in ours}
    bases = tuple(base for base in memory.bases if base.link in ids)
    kept = Memory((*ours, *known), bases, memory.locks, memory.begun)
    return sides, kept


async def _people(
    both: Both, assets: list[Asset], devices: list[Device], memory: Memory
) -> tuple[list[Person], list[User], list[Link]]:
    """Who has these assets and devices; of who is linked, the directory is asked only for those who are to get one."""
    links = [link for link in memory.links if link.kind == "user"]
    has = {asset.assignee.id for asset in assets if asset.assignee.kind == "person"}
    uses = {key for device in devices if (key := user_key(device))}
    known = [link for link in links if link.sys_id in has or link.mdm_id in uses]
    people = {id_: await both.assets.person(id_) for id_ in has if id_}
    users: dict[str, User] = {}
    for link in known:
        person = people.get(link.sys_id) or await both.assets.person(link.sys_id)
        people[link.sys_id] = person
        known_as = User(link.mdm_id, person.email if person else None, person.name if person else None)
        users[link.mdm_id] = known_as if link.mdm_id in uses else await _as_listed(both, known_as)
    linked, taken = {link.sys_id for link in known}, {link.mdm_id for link in links}
    for person in [each for id_, each in people.items() if each and id_ not in linked]:
        if (user := await _user_of(both, person)) and user.mdm_id not in taken:
            users[user.mdm_id] = user
    return [person for person in people.values() if person], list(users.values()), known


async def _as_listed(both: Both, user: User) -> User:
    """As the directory has them: they may have left. As they are known by their link where it does not show them."""
    found = await both.mdm.user(user.email) if user.email else None
    return found if found and found.mdm_id == user.mdm_id else user


async def _user_of(both: Both, person: Person) -> User | None:
    """The one user who has the email of this person, where no other person has it."""
    if not person.email or (user := await both.mdm.user(person.email)) is None:
        return None
    same = await both.assets.find_people(person.email, None)
    return user if len([each for each in same if not each.archived]) == 1 else None
