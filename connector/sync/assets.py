"""Assets of a sync, one at a time: what each is linked to, and changes that people make through the host."""

from dataclasses import dataclass

from connector.sdk.errors import Conflict, Fault, InvalidCall, NotFound
from connector.sdk.inventory import Asset, Person
from connector.sdk.systems import AssetSystem
from connector.sync.entities import Link
from connector.sync.store import memory
from connector.sync.store.tables import sync_links
from connector.sync.syncs import Sync, Syncs
from connector.sync.systems.systems import Both


@dataclass(frozen=True)
class Linked:
    """An asset's link, both systems, and where people look at the device."""

    link: Link
    both: Both
    view: str


@dataclass(frozen=True)
class Assets:
    """The assets of syncs. An asset is named by its ID in the asset system, or by its serial number.

    What changes one raises NotFound where there is none of this name, Conflict where several have the serial number,
    and what the asset system does.
    """

    syncs: Syncs

    async def linked(self, sync: Sync, named: str) -> Linked:
        """Raises NotFound where no asset of this name is linked, Conflict where several have the serial number."""
        both = self.syncs.both(sync)
        link = await self._link(sync, named)
        if link is None:
            there = [await self._link(sync, asset.sys_id) for asset in await both.assets.find_assets(named)]
            link = _only([each for each in there if each])
        if link is None:
            raise NotFound("No asset of this ID or serial number is linked to a device.")
        account = self.syncs.systems.mdm_account(sync.rules)
        return Linked(link, both, both.mdm.page(account.connection.origin(), link.mdm_id))

    async def check_out(self, sync: Sync, named: str, person: str, by: str) -> Asset:
        """Hand an asset to a person, named by ID or email. Raises InvalidCall where that is not exactly one."""
        both = self.syncs.both(sync)
        asset, taker = await self._asset(sync, both, named), await _person(both.assets, person)
        after = await both.assets.check_out(asset, taker.sys_id, f"Checked out by {by} through Upcard.")
        return await self._told(sync, after, "check_out")

    async def check_in(self, sync: Sync, named: str, by: str) -> Asset:
        """Take an asset back."""
        both = self.syncs.both(sync)
        after = await both.assets.check_in(await self._asset(sync, both, named), f"Checked in by {by} through Upcard.")
        return await self._told(sync, after, "check_in")

    async def tag(self, sync: Sync, named: str, tag: str) -> Asset:
        """Give an asset another tag."""
        both = self.syncs.both(sync)
        after = await both.assets.update_asset(await self._asset(sync, both, named), {"tag": tag})
        return await self._told(sync, after, "tag")

    async def _told(self, sync: Sync, asset: Asset, origin: str) -> Asset:
        await self.syncs.announce(sync.name, [asset.sys_id], origin)
        return asset

    async def _asset(self, sync: Sync, both: Both, named: str) -> str:
        """The ID of an asset, linked or not."""
        if await self._link(sync, named):
            return named
        found = await both.assets.find_assets(named, anew=True)
        if len(found) > 1:
            raise Conflict("Several assets have this serial number: name one by its ID.")
        if found:
            return found[0].sys_id
        if await _by_id(both.assets, named) is None:
            raise NotFound("There is no asset of this ID or serial number.")
        return named

    async def _link(self, sync: Sync, sys_id: str) -> Link | None:
        known = sync_links.c
        here = known.kind == "device", known.sys_id == sys_id
        found = await self.syncs.store.run(lambda db: memory.links(db, sync.name, *here))
        return found[0] if found else None


def _only(links: list[Link]) -> Link | None:
    if len(links) > 1:
        raise Conflict("Several linked assets have this serial number: name one by its ID.")
    return links[0] if links else None


async def _by_id(system: AssetSystem, sys_id: str) -> Asset | None:
    try:
        return await system.asset(sys_id)
    except InvalidCall:
        return None  # it does not look like an ID


async def _person(system: AssetSystem, named: str) -> Person:
    """The one person of this ID or email. Raises InvalidCall."""
    if "@" in named:
        found = await system.find_people(named, None, anew=True)
    else:
        one = await system.person(named)
        found = [one] if one else []
    there = [person for person in found if not person.archived]
    if len(there) == 1:
        return there[0]
    who = "several people" if there else "nobody"
    why = f"The asset system has {who} of this ID or email; name exactly one person."
    raise InvalidCall.of([Fault("person", why)])
