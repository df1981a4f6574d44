"""Kandji as the MDM of a sync: its devices and its directory, read and written by its cards."""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cards.kandji._client import split
from cards.kandji._details import Full
from cards.kandji._shapes import Device as Record
from cards.kandji._shapes import DeviceSummary
from connector import Capabilities, Device, InvalidCall, Json, Mdm, Named, Refused, Unexpected, User, Values

KINDS = {each.name: each for table in (Record, DeviceSummary) for each in Named.each(table)}  # dates as dates
MORE = ("tags", "user_id", "user_email", "user_name", "supplemental_build_version", "supplemental_os_version_extra")
VOLUME = ("name", "format", "percent_used", "identifier", "capacity", "available", "encrypted")
LISTED = ("mdm.mdm_enabled_user", *(f"volumes[0].{key}" for key in VOLUME))
KEYS = {"asset_tag": "asset_tag", "user": "kandji_user_id"}  # what can be written, and the card's inputs for it
UNSEEN = (401, 403)  # sources disagree about what a token without a permission is told
API = ("api", "clients", "us-1")  # labels of host names that people's addresses do not have


class KandjiMdm(Mdm):
    """A Kandji tenant."""

    can = Capabilities(writable=frozenset(KEYS))
    properties = (
        *KINDS.values(),
        *map(Named, MORE),
        *Named.each(Full, "details."),
        *(Named(f"details.{path}") for path in LISTED),
    )
    actions = {
        "blankpush": "send_mdm_blank_push",
        "lock": "lock_device",
        "restart": "restart_device",
        "shutdown": "shutdown_device",
    }
    needs = {
        "read": ("list_devices", "get_device"),
        "two_way": ("update_device",),
        "actions": tuple(actions.values()),
    }

    async def devices(self, fields: Collection[str] | None = None) -> list[Device]:
        return [_device(record, fields) async for record in self.cards.records("list_devices")]

    async def users(self) -> list[User] | None:
        return await self._users({})

    async def device(self, mdm_id: str) -> Device | None:
        found = [record async for record in self.cards.records("list_devices", device_id=mdm_id)]
        return next((_device(record) for record in found if record.get("device_id") == mdm_id), None)

    async def user(self, email: str) -> User | None:
        """Kandji finds parts of an email, so that what it found is compared."""
        wanted = email.strip().casefold()
        found = await self._users({"email": email.strip()}) or ()
        exact = [user for user in found if (user.email or "").casefold() == wanted]
        return exact[0] if len(exact) == 1 else None

    async def details(self, mdm_id: str) -> Json:
        """The groups of Get Device; one that only holds a list of its own name is that list, as in Kandji's answer."""
        found = await self.cards.call("get_device", {"details": "full"}, device_id=mdm_id)
        return {key: group[key] if group.keys() == {key} else group for key, group in found.items()}

    async def update(self, mdm_id: str, changes: Values) -> Device:
        """By Update Device; it takes blank for not given, so that what is to be emptied goes in a written request."""
        if wrong := sorted(changes.keys() - KEYS.keys()):
            raise InvalidCall(f"Kandji does not let {', '.join(wrong)} be written.")
        wanted = {key: _filled(value) for key, value in changes.items()}
        if None in wanted.values():
            await self._ask("PATCH", f"/devices/{mdm_id}", body=wanted)
        else:
            inputs = {KEYS[key]: value for key, value in wanted.items()}
            await self.cards.call("update_device", device_id=mdm_id, **inputs)
        if (device := await self.device(mdm_id)) is None:
            raise Unexpected("The device was changed, and is not in the list any more.")
        return device

    async def assign(self, mdm_id: str, user: str | None) -> Device:
        return await self.update(mdm_id, {"user": user})

    def page(self, origin: str, mdm_id: str) -> str:
        """`sub.api.kandji.io` is the API of `sub.kandji.io`; an address without such a part is a simulator's."""
        parts = urlsplit(origin)
        labels = [label for label in parts.netloc.split(".") if label not in API]
        return f"{parts.scheme}://{'.'.join(labels)}/devices/{mdm_id}"

    async def _users(self, query: Json) -> list[User] | None:
        """The directory, which no card of the guide reads, page by page; None where the token may not read it."""
        found: list[User] = []
        asked = [query]
        while True:
            try:
                body = (await self._ask("GET", "/users", query=asked[-1]))["body"]
            except Refused as error:
                if error.service and error.service.status in UNSEEN:
                    return None
                raise
            if not isinstance(body, dict) or not isinstance(body.get("results"), list):
                raise Unexpected("The service answered without a list of users.")
            found += map(_user, body["results"])
            if not body.get("next"):
                return found
            asked.append({**query, **dict(parse_qsl(split(body["next"]).query))})
            if asked[-1] in asked[:-1]:
                raise Unexpected("The service answered with a page of users that leads back.")

    async def _ask(self, method: str, url: str, **inputs: Any) -> Json:
        return await self.cards.call("custom_api_action", {"request_type": method}, relative_url=url, **inputs)


def _device(record: Json, only: Collection[str] | None = None) -> Device:
    fields = {key: _filled(value) for key, value in record.items()}
    user = _assigned(fields.get("user"))
    all_ = {**fields, **user}
    return Device(
        mdm_id=_id(record, "device_id"),
        serial=fields.get("serial_number"),
        name=fields.get("device_name"),
        model=fields.get("model"),
        platform=fields.get("platform"),
        os_version=fields.get("os_version"),
        asset_tag=fields.get("asset_tag"),
        blueprint=fields.get("blueprint_name"),
        mdm_enabled=fields.get("mdm_enabled") is not False,
        is_missing=fields.get("is_missing") is True,
        is_removed=fields.get("is_removed") is True,
        fields=all_ if only is None else {key: all_[key] for key in only if key in all_},
        **user,
    )


def _assigned(user: Any) -> dict[str, Any]:
    """Whose it is, by an object; where it is text, that is an email or an ID, and must not pass for nobody."""
    if isinstance(user, str):
        user = {"email": user} if "@" in user else {"id": user, "name": user}
    user = user or {}
    return {f"user_{key}": _text(user.get(key)) for key in ("id", "email", "name")}


def _user(record: Json) -> User:
    return User(
        mdm_id=_id(record, "id"),
        email=_text(record.get("email")),
        name=_text(record.get("name")),
        archived=record.get("archived") is True,
    )


def _id(record: Json, key: str) -> str:
    if (found := _text(record.get(key))) is None:
        raise Unexpected(f"The service answered with a record without {key}.")
    return found


def _text(value: Any) -> str | None:
    return None if _filled(value) is None else str(value)


def _filled(value: Any) -> Any:
    """Nothing where it is blank text."""
    return None if isinstance(value, str) and not value.strip() else value
