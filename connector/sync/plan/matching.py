"""Which asset is which device: exact rules only, and what they leave open is held, never guessed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from connector.sdk.inventory import Asset, Device
from connector.sync.entities import Hold, Link

T = TypeVar("T")
PLACEHOLDERS = {"", "N/A", "NA", "NONE", "NULL", "UNKNOWN", "DEFAULT STRING", "TO BE FILLED BY O.E.M.", "NOT AVAILABLE"}
PLACEHOLDERS |= {"SYSTEM SERIAL NUMBER", "NOT SPECIFIED", "0", "-"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A device and its asset; `moved` is the link that another device had before it was enrolled again."""

    device: Device
    asset: Asset
    link: Link
    is_new: bool = False
    moved: Link | None = None


@dataclass(frozen=True, slots=True)
class Devices:
    """Every device once: paired, new or held; `gone` are links whose device is not there."""

    pairs: tuple[Pair, ...]
    new: tuple[Device, ...]
    gone: tuple[tuple[Link, Asset], ...]
    holds: tuple[Hold, ...]


def serial_of(serial: str | None) -> str | None:
    """A serial number as it is compared; what manufacturers write where there is none is none."""
    found = " ".join((serial or "").split()).upper()
    return None if found in PLACEHOLDERS or not found.strip("0") else found


def match_devices(
    devices: Iterable[Device],
    assets: Iterable[Asset],
    links: Iterable[Link],
    *,
    rules: tuple[str, ...] = ("link", "serial"),
    present: frozenset[str] | None = None,
) -> Devices:
    """Pair devices with assets. `present` are all ids the MDM has, where `devices` are only those in scope."""
    desk = _Desk.of(tuple(devices), tuple(assets), tuple(links), rules, present)
    found = [desk.match(device) for device in desk.devices]
    pairs = tuple(each for each in found if isinstance(each, Pair))
    moved = {pair.moved.mdm_id for pair in pairs if pair.moved}
    return Devices(
        pairs=pairs,
        new=tuple(each for each in found if isinstance(each, Device)),
        gone=tuple(desk.gone(moved)),
        holds=(*desk.duplicates(), *(each for each in found if isinstance(each, Hold))),
    )


@dataclass(frozen=True)
class _Desk:
    """Both sides, each found by what the rules look for."""

    devices: tuple[Device, ...]
    assets: Mapping[str, Asset]
    by_device: Mapping[str, Link]
    by_asset: Mapping[str, Link]
    devices_with: Mapping[str, list[Device]]
    assets_with: Mapping[str, list[Asset]]
    assets_tagged: Mapping[str, list[Asset]]
    devices_tagged: Mapping[str, list[Device]]
    present: frozenset[str]

    @classmethod
    def of(
        cls,
        devices: tuple[Device, ...],
        assets: tuple[Asset, ...],
        links: tuple[Link, ...],
        rules: tuple[str, ...],
        present: frozenset[str] | None,
    ) -> "_Desk":
        ours = [link for link in links if link.kind == "device" and link.state != "retired"]
        linked = {link.sys_id for link in ours}
        return cls(
            devices,
            {asset.sys_id: asset for asset in assets},
            {link.mdm_id: link for link in ours} if "link" in rules else {},
            {link.sys_id: link for link in ours},
            by(devices, lambda device: serial_of(device.serial)),
            _live(by(assets, lambda asset: serial_of(asset.serial)), linked) if "serial" in rules else {},
            _live(by(assets, lambda asset: asset.tag), linked) if "asset_tag" in rules else {},
            by(devices, lambda device: device.asset_tag),
            present or frozenset(device.mdm_id for device in devices),
        )

    def duplicates(self) -> Iterator[Hold]:
        """Serial numbers that several records have, on either side."""
        for serial in sorted({*self.devices_with, *self.assets_with}):
            devices, assets = self.devices_with.get(serial, []), self.assets_with.get(serial, [])
            if len(devices) > 1 or (len(assets) > 1 and devices):
                yield _duplicate(serial, devices, assets)

    def match(self, device: Device) -> Pair | Device | Hold | None:
        """Its pair, itself where it is new, or why it waits; None where its serial number is held for all."""
        serial = serial_of(device.serial)
        same = self.assets_with.get(serial or "", [])
        if len(same) > 1 or len(self.devices_with.get(serial or "", [])) > 1:
            return None
        if link := self.by_device.get(device.mdm_id):
            if asset := self.assets.get(link.sys_id):
                return self._linked(device, asset, link, same)
        elif serial is None:
            return _hold("no_serial", device, "it has no serial number", "Give it one, or leave it out of the scope.")
        return self._found(device, same, link)

    def _linked(self, device: Device, asset: Asset, link: Link, same: list[Asset]) -> Pair | Hold:
        if asset.archived and link.state != "missing":
            return _hold("asset_archived", device, f"its asset {asset.label} is archived", "Bring it back.", asset)
        if other := next((each for each in same if each.sys_id != asset.sys_id), None):
            why = f"another asset has its serial number: {other.label}"
            return _hold("linked_elsewhere", device, why, "Correct it on one side, or remove the link.", asset, other)
        return Pair(device, asset, link)

    def _found(self, device: Device, same: list[Asset], dead: Link | None) -> Pair | Device | Hold:
        rule, asset = self._partner(device, same)
        if rule == "asset_tag" and asset and len(self.devices_tagged[device.asset_tag or ""]) > 1:
            todo = "Give each its own tag."
            return _hold("duplicate_tag", device, f"several devices have its tag {device.asset_tag}", todo, asset)
        if asset is None and dead:
            return _hold("asset_gone", device, "its asset was deleted", "Bring it back, or remove the link.")
        if asset is None:
            return device
        if asset.archived and asset.sys_id not in self.by_asset:
            return _hold("asset_archived", device, f"its asset {asset.label} is archived", "Bring it back.", asset)
        return self._joined(device, asset, rule)

    def _partner(self, device: Device, same: list[Asset]) -> tuple[str, Asset | None]:
        if same:
            return "serial", same[0]
        tagged = self.assets_tagged.get(device.asset_tag or "", [])
        return "asset_tag", tagged[0] if len(tagged) == 1 and not serial_of(tagged[0].serial) else None

    def _joined(self, device: Device, asset: Asset, rule: str) -> Pair | Hold:
        before = self.by_asset.get(asset.sys_id)
        if before is None:
            return Pair(device, asset, Link("device", device.mdm_id, asset.sys_id, rule), is_new=True)
        if before.mdm_id in self.present:
            todo = "Remove the link that is wrong."
            return _hold("linked_elsewhere", device, f"{asset.label} is linked to another device", todo, asset)
        link = replace(before, mdm_id=device.mdm_id, matched_by=rule)
        return Pair(device, asset, link, is_new=True, moved=before)

    def gone(self, moved: set[str]) -> Iterator[tuple[Link, Asset]]:
        """Links whose device is nowhere, not even with another id and a hold."""
        for link in self.by_asset.values():
            if link.mdm_id not in self.present and link.mdm_id not in moved and link.sys_id in self.assets:
                asset = self.assets[link.sys_id]
                if serial_of(asset.serial) not in self.devices_with:
                    yield link, asset


def _live(found: dict[str, list[Asset]], linked: set[str]) -> dict[str, list[Asset]]:
    """Archived assets count only where there is no other."""
    live = {key: [each for each in some if not each.archived or each.sys_id in linked] for key, some in found.items()}
    return {key: some or found[key] for key, some in live.items()}


def by(records: Iterable[T], key: Callable[[T], str | None]) -> dict[str, list[T]]:
    """Records by a key; those without one are left out."""
    found: dict[str, list[T]] = defaultdict(list)
    for record in records:
        if (value := key(record)) is not None:
            found[value].append(record)
    return dict(found)


def _hold(kind: str, device: Device, why: str, todo: str, *assets: Asset) -> Hold:
    return Hold(kind, (device.mdm_id, *(asset.sys_id for asset in assets)), f"{device.label}: {why}", todo)


def _duplicate(serial: str, devices: list[Device], assets: list[Asset]) -> Hold:
    about = (*(device.mdm_id for device in devices), *(asset.sys_id for asset in assets))
    why = f"{len(devices)} devices and {len(assets)} assets have the serial number {serial}"
    return Hold("duplicate_serial", about, why, "Correct or remove all but one on each side.")
