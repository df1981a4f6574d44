"""The record of a device: the seeded device, what changed, and the names of what it points to."""

from dataclasses import replace
from typing import Any, TypedDict

from sandbox.kandji.facts.fleet import Device
from sandbox.kandji.state.blueprints import Blueprints
from sandbox.kandji.state.lostmode import LostModes
from sandbox.kandji.state.tags import Tags
from sandbox.kandji.state.users import Users

Record = dict[str, Any]


class Change(TypedDict, total=False):
    """What differs from the seeded device."""

    name: str
    asset_tag: str
    owner: int | None
    blueprint: str
    tags: tuple[str, ...]
    checked_in: str
    is_managed: bool
    has_remote_desktop: bool


class Records:
    """Writes records as lists and Get Device show them."""

    def __init__(self, users: Users, blueprints: Blueprints, tags: Tags, lost: LostModes) -> None:
        self._users = users
        self._blueprints = blueprints
        self._tags = tags
        self._lost = lost

    def of(self, device: Device, change: Change | None = None) -> Record:
        if not change:
            return self._shown(device, is_managed=True)
        return self._shown(_changed(device, change), is_managed=change.get("is_managed", True))

    def _shown(self, device: Device, *, is_managed: bool) -> Record:
        is_removed = device.blueprint in self._blueprints.deleted
        is_managed = is_managed and not is_removed
        enrolled = f"{device.enrolled}.000001+00:00"
        names = self._tags.names
        return {
            "device_id": device.id,
            "device_name": device.name,
            "model": device.model.name,
            "serial_number": device.serial,
            "platform": device.platform,
            "os_version": device.release.version,
            "supplemental_build_version": device.release.build,
            "supplemental_os_version_extra": "",
            "last_check_in": device.checked_in,
            "user": self._user(device.owner),
            "asset_tag": device.asset_tag,
            "blueprint_id": device.blueprint,
            "mdm_enabled": is_managed,
            "agent_installed": is_managed,
            "is_missing": device.is_missing,
            "is_removed": is_removed,
            "agent_version": device.agent,
            "first_enrollment": enrolled,
            "last_enrollment": enrolled,
            "blueprint_name": self._blueprints.name_of(device.blueprint),
            "lost_mode_status": "" if device.platform == "Mac" else self._lost.status(device.index),
            "tags": [names[tag] for tag in device.tags if tag in names],
        }

    def _user(self, number: int | None) -> Record | str:
        """`""` when nobody is assigned."""
        if number is None:
            return ""
        person = self._users.person(number)
        is_archived = self._users.is_archived(number)
        return {"email": person.email, "name": person.name, "id": person.id, "is_archived": is_archived}


def _changed(device: Device, change: Change) -> Device:
    return replace(
        device,
        name=change.get("name", device.name),
        asset_tag=change.get("asset_tag", device.asset_tag),
        owner=change.get("owner", device.owner),
        blueprint=change.get("blueprint", device.blueprint),
        tags=change.get("tags", device.tags),
        checked_in=change.get("checked_in", device.checked_in),
    )
