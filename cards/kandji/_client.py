"""Kandji's API: the connection, and the kinds of request that the cards make."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cards.kandji._shapes import Blueprint, CommandedDevice
from connector import (
    Client,
    Connection,
    Cursor,
    Json,
    Limits,
    Origin,
    Page,
    Record,
    Refused,
    Reply,
    Unexpected,
    UpcardError,
    field,
    pages,
    record_of,
    rows_of,
)

VISIBLE = r"^[!-~]+$"  # what a header can carry
PAGE = 300  # the most records Kandji returns at once
NOBODY = "00000000-0000-0000-0000-000000000000"  # the ID of nothing
LIMITS = Limits(per_second=50, per_hour=10_000)  # of a tenant, all tokens together; only the hour is documented


class Tenant(
    Connection,
    hosts=(
        "*.api.kandji.io",
        "*.api.eu.kandji.io",
        "*.api.iru.com",
        "*.api.eu.iru.com",
        "*.clients.us-1.kandji.io",  # host names until 2022, still in exported flows
        "*.clients.eu.kandji.io",
    ),
):
    """A Kandji tenant and an API token of it."""

    url: Origin = field("API URL of the tenant, as Settings > Access shows it", label="API URL", max_length=255)
    token: str = field("API token of the tenant", label="API Token", secret=True, max_length=255, pattern=VISIBLE)

    def origin(self) -> str:
        return self.url if "://" in self.url else f"https://{self.url}"

    def credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Kandji(Client[Tenant], title="Kandji", prefix="/api/v1", limits=LIMITS):
    """Kandji's verbs: a device, a command on it, a secret of it, a page of a listing."""

    ADE = ("integrations", "apple", "ade")
    same = {
        "POST blueprints": "create_blueprint",
        "PATCH devices/*": "update_device",
        "POST devices/*/notes": "create_note",
        "POST devices/*/action/blankpush": "send_mdm_blank_push",
        "POST devices/*/action/clearpasscode": "clear_passcode",
        "POST devices/*/action/dailycheckin": "update_inventory",
        "POST devices/*/action/disablelostmode": "turn_off_lost_mode",
        "POST devices/*/action/enablelostmode": "turn_on_lost_mode",
        "POST devices/*/action/erase": "erase_device",
        "POST devices/*/action/lock": "lock_device",
        "POST devices/*/action/playlostmodesound": "play_lost_mode_sound",
        "POST devices/*/action/reinstallagent": "reinstall_kandji_agent",
        "POST devices/*/action/remotedesktop": "manage_apple_remote_desktop",
        "POST devices/*/action/restart": "restart_device",
        "POST devices/*/action/setname": "set_device_name",
        "POST devices/*/action/shutdown": "shutdown_device",
        "POST devices/*/action/unlockaccount": "unlock_user_account",
        "POST devices/*/action/updateinventory": "update_inventory",
        "POST devices/*/action/updatelocation": "update_lost_mode_location",
        "GET blueprints": "list_blueprints",
        "GET blueprints/*": "get_blueprint",
        "GET devices/*/secrets/bypasscode": "get_activation_lock_bypass_codes",
        "GET devices/*/secrets/unlockpin": "get_unlock_pin",
        "GET devices/*/secrets/*": "get_filevault_recovery_key",
        "GET devices/*/secrets": "get_filevault_recovery_key",
    }

    probes = {
        "get_activation_lock_bypass_codes": (f"devices/{NOBODY}/secrets/bypasscode",),
        "get_ade_integration": (f"integrations/apple/ade/{NOBODY}",),
        "get_blueprint": (f"blueprints/{NOBODY}", "blueprints?limit=1"),
        "get_device": (f"devices/{NOBODY}", f"devices/{NOBODY}/details"),
        "get_filevault_recovery_key": (f"devices/{NOBODY}/secrets/filevaultkey",),
        "get_unlock_pin": (f"devices/{NOBODY}/secrets/unlockpin",),
        "list_ade_devices": (f"integrations/apple/ade/{NOBODY}/devices",),
        "list_ade_integrations": ("integrations/apple/ade",),
        "list_blueprints": ("blueprints?limit=1",),
        "list_device_apps": (f"devices/{NOBODY}/apps",),
        "list_device_library_items": (f"devices/{NOBODY}/library-items",),
        "list_device_notes": (f"devices/{NOBODY}/notes",),
        "list_devices": ("devices?limit=1",),
    }

    async def check(self) -> None:
        await self.get("devices", limit=1)

    async def target(self, path: tuple[str, ...]) -> str | None:
        if path[:1] != ("devices",) or len(path) == 1:
            return None
        return CommandedDevice.of(await self.device(path[1])).serial_number

    async def has_fleet(self, least: int) -> bool:
        return bool(rows_of(await self.get("devices", limit=1, offset=least - 1)))

    async def device(self, device_id: str, *part: str) -> Json:
        return record_of(await self.get("devices", device_id, *part))

    async def known(self, device_id: str) -> Json:
        """The device's record, where what a command needs depends on the platform: it is sure to be there."""
        device = await self.device(device_id)
        if CommandedDevice.of(device).platform is None:
            raise Unexpected("The service answered without the platform of the device.")
        return device

    async def command(self, device_id: str, action: str, body: Json | None = None) -> Reply:
        """Queue an MDM command."""
        return await self.post("devices", device_id, "action", action, json=body)

    async def command_on(
        self, device_id: str, action: str, body: Json | None = None, device: Json | None = None
    ) -> Json:
        """Queue an MDM command and say which device it was for: its record, and what became of the command.

        That is `status_code`, `reply`, `message` (why it was refused) and `taken` (what was sent, unless refused).
        The command decides: a refusal is reported, and a device that cannot be read afterwards stays unnamed.
        """
        reply = await self.ask("POST", "devices", device_id, "action", action, json=body)
        known = device or (await self._device_or_nothing(device_id) if reply.status not in (401, 404) else {})
        answer = reply.body if isinstance(reply.body, dict) and reply.status < 400 else {}
        taken = body if body and reply.status < 400 else {}
        told = {"status_code": reply.status, "reply": answer, "taken": taken, "message": reply.said}
        return {"device_id": device_id, **known, **told}

    async def _device_or_nothing(self, device_id: str) -> Json:
        try:
            device = await self.device(device_id)
            CommandedDevice.of(device)  # an odd record must not hide what became of the command
        except UpcardError:
            return {}
        return device

    async def page(self, record: type[Record], *path: str, after: Cursor, **query: Any) -> Page[Any]:
        """One page of a bare list, by limit and offset."""
        offset, size = int(after.at or 0), after.size(PAGE)
        found = rows_of(await self.get(*path, **query, limit=size, offset=offset))
        return Page(found, str(offset + size) if len(found) == size else None)

    async def blueprint(self, id_: str | None, name: str | None) -> Json:
        """The Blueprint with this ID and this whole name; one of them may be None."""
        async for blueprint in self._blueprints(id_, name):
            if name is None or blueprint.get("name") == name:
                return blueprint
        raise Refused.saying(404, "No Blueprint has this ID and name.")

    async def _blueprints(self, id_: str | None, name: str | None) -> AsyncIterator[Json]:
        """The one with this ID, or those whose name contains this one: Kandji has no exact filter."""
        if id_ is not None:
            yield record_of(await self.get("blueprints", id_))
            return
        async for page in pages(lambda at: self.follow(Blueprint, "blueprints", after=at, name=name, limit=PAGE)):
            for blueprint in page.records:
                yield blueprint

    async def follow(self, record: type[Record], *path: str, after: Cursor, **query: Any) -> Page[Any]:
        """One page of an envelope with `results` and a `next` link. The cursor is the link's query (SSRF-13)."""
        asked = dict(parse_qsl(after.at)) if after.at else query
        answer = record_of(await self.get(*path, **asked))
        return Page(rows_of(answer, "results"), self._next(answer.get("next"), path))

    def _next(self, link: Any, path: tuple[str, ...]) -> str | None:
        """Only the query of a link is used; the rest must be what was asked, on whichever host Kandji prints."""
        if not link:
            return None
        parts = split(link)
        if parts.path.rstrip("/") != "/".join([self.prefix, *path]) or not parts.query:
            raise Unexpected("The service sent a link to the next page that leads elsewhere.")
        return parts.query


def split(link: Any) -> SplitResult:
    """A link that the service prints, in its parts; these are empty where it is none."""
    try:
        return urlsplit(str(link))
    except ValueError:
        return urlsplit("")
