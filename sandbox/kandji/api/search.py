"""The filters and the ordering of List Devices. Identifiers are looked up, everything else is a scan."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from sandbox.kandji.api.pages import Slice
from sandbox.kandji.state.devices import Test
from sandbox.kandji.state.records import Record
from sandbox.kandji.state.tenant import Tenant

Check = Callable[[Record], bool]


def _user(record: Record, key: str) -> str:
    user = record["user"]
    return user[key] if user else ""


def _contains(read: Callable[[Record], str], wanted: str) -> Check:
    """Without regard to case, as Django's `icontains`: a guess, as is that names and asset tags need only contain."""
    wanted = wanted.lower()
    return lambda record: wanted in read(record).lower()


def _equals(read: Callable[[Record], Any], wanted: str) -> Check:
    return lambda record: read(record) == wanted


def _is_platform(wanted: str) -> Check:
    """Without regard to case: kandji2snipe asks for `mac` and `appletv`."""
    return lambda record: record["platform"].lower() == wanted.lower()


def _value(key: str) -> Callable[[Record], str]:
    return lambda record: record[key]


EXACT: dict[str, Callable[[Record], Any]] = {
    "user_id": partial(_user, key="id"),
    "user_email_exact": partial(_user, key="email"),
}
PARTIAL: dict[str, Callable[[Record], str]] = {
    "user_email": partial(_user, key="email"),
    "user_name": partial(_user, key="name"),
    "user": partial(_user, key="name"),
    **{
        key: _value(key) for key in ("device_name", "serial_number", "asset_tag", "model", "os_version", "blueprint_id")
    },
}
TAGGED = ("tag_name", "tag_name_in", "tag_id", "tag_id_in")
OTHERS = ("device_id", "mac_address", "filevault_enabled", "platform")
ORDERED = (
    "asset_tag",
    "blueprint_id",
    "device_id",
    "device_name",
    "last_check_in",
    "model",
    "platform",
    "os_version",
    "serial_number",
    "user",
)
COUNTED = 50_000  # in a larger fleet a filtered list tells no total before its search reached the end


@dataclass(frozen=True)
class Page:
    """The devices of one page; the count is not always known, whether more follow is."""

    indexes: list[int]
    count: int | None
    has_more: bool


async def search(tenant: Tenant, query: Mapping[str, str], at: Slice) -> Page:
    filters = {key: query[key] for key in (*EXACT, *PARTIAL, *TAGGED, *OTHERS) if query.get(key)}
    ordering = [key for key in query.get("ordering", "").split(",") if key.lstrip("-") in ORDERED]
    if filters or ordering:
        return await asyncio.to_thread(_found, tenant, filters, ordering, at)
    count = len(tenant.devices)
    return Page(list(tenant.devices.page(at.offset, at.limit)), count, at.offset + at.limit < count)


def _found(tenant: Tenant, filters: dict[str, str], ordering: list[str], at: Slice) -> Page:
    test = _test(tenant, filters)
    candidates, name = _candidates(tenant, filters), tuple(filters.items())
    devices = tenant.devices
    if candidates is not None:
        found = [index for index in candidates if index in devices and test(index, devices.record(index))]
        return _page(_ordered(tenant, found, ordering), at)
    if ordering:
        return _page(_ordered(tenant, devices.select(name, test), ordering), at)
    if devices.is_searched(name, test) or len(devices) <= COUNTED:
        return _page(list(devices.select(name, test)), at)
    first = list(islice(devices.select(name, test), at.offset, at.offset + at.limit + 1))
    return Page(first[: at.limit], None, len(first) > at.limit)


def _page(found: list[int], at: Slice) -> Page:
    end = at.offset + at.limit
    return Page(found[at.offset : end], len(found), end < len(found))


def _ordered(tenant: Tenant, found: Iterable[int], ordering: list[str]) -> list[int]:
    """All of them have to be found and looked at: slow in a large fleet."""
    indexes = list(found)
    for key in reversed(ordering):
        indexes.sort(key=partial(_rank, tenant, key.lstrip("-")), reverse=key.startswith("-"))
    return indexes


def _candidates(tenant: Tenant, filters: dict[str, str]) -> Iterable[int] | None:
    """The few devices that an identifier leaves in question."""
    fleet = tenant.fleet
    if "device_id" in filters:
        return _some(fleet.device_ids.index(filters["device_id"].lower()))
    if "mac_address" in filters:
        return _some(fleet.macs.index(filters["mac_address"].lower()))
    if "serial_number" in filters and len(filters["serial_number"]) == len(fleet.serials.of(0)):
        return _some(fleet.serials.index(filters["serial_number"].upper()))
    if "user_id" in filters:
        return _owned(tenant, tenant.users.number(filters["user_id"]))
    if "user_email_exact" in filters:
        return _owned(tenant, tenant.users.number_of_email(filters["user_email_exact"]))
    return None


def _owned(tenant: Tenant, number: int | None) -> list[int]:
    return [] if number is None else tenant.devices.owned_by(number)


def _some(index: int | None) -> list[int]:
    return [] if index is None else [index]


def _test(tenant: Tenant, filters: dict[str, str]) -> Test:
    """All of the filters at once."""
    tests = [_equals(EXACT[key], filters[key]) for key in filters if key in EXACT]
    tests += [_is_platform(filters["platform"])] if "platform" in filters else []
    tests += [_contains(PARTIAL[key], filters[key]) for key in filters if key in PARTIAL]
    tests += [_tagged(tenant, key, filters[key]) for key in filters if key in TAGGED]
    encrypted = filters.get("filevault_enabled", "").lower()
    return lambda index, record: (
        all(test(record) for test in tests)
        and (not encrypted or tenant.fleet.has_filevault(index) is (encrypted == "true"))
    )


def _tagged(tenant: Tenant, key: str, wanted: str) -> Check:
    values = set(wanted.split(",")) if key.endswith("_in") else {wanted}
    names = {tenant.tags.names.get(value) for value in values} if key.startswith("tag_id") else values
    return lambda record: not names.isdisjoint(record["tags"])


def _rank(tenant: Tenant, key: str, index: int) -> str:
    record = tenant.devices.record(index)
    return _user(record, "name") if key == "user" else record[key]
