"""Mapping files proposed from what both systems have, and what a file says nothing about."""

from dataclasses import dataclass
from typing import Literal

from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.inventory import Named
from connector.sync.mapping.fitting import kinds
from connector.sync.mapping.mapping_file import load
from connector.sync.mapping.propose import Strangers, check, propose
from connector.sync.systems.systems import Systems

FIRST = """\
# Where values go between the two systems. What each key means: schemas/sync/mapping.json
version: 1
mdm: {{ kind: {mdm}, connection: {mdm_connection} }}
assets: {{ kind: {assets}, connection: {assets_connection} }}
create: {{ default_category: "Kandji" }}
fields:
  - {{ to: serial, from: serial_number, direction: mdm_to_asset, key: true, case: ignore }}
  - {{ to: tag, from: asset_tag, direction: both, winner: asset }}
assignment: {{ direction: both }}
"""


@dataclass(frozen=True)
class Proposals:
    """Asks the asset system for its columns, in the name of a sync."""

    systems: Systems

    async def first(self, mdm: str, assets: str, assets_kind: str) -> str:
        """A mapping file for two connections, with a line for each property and column, and a reason for each guess."""
        mdm_kind = self.systems.runner.connections.get(mdm).connector
        _refuse_unknown("mdm", mdm_kind)
        _refuse_unknown("assets", assets_kind)
        names = {"mdm": mdm_kind, "mdm_connection": mdm, "assets": assets_kind, "assets_connection": assets}
        return await self.extended("proposal", FIRST.format(**names))

    async def extended(self, name: str, mapping: str) -> str:
        """The file with a line for everything that is new on either side; lines that are there stay to the letter."""
        return propose(mapping, *await self._both_sides(name, mapping))

    async def strangers(self, name: str, mapping: str) -> Strangers:
        """What is new on either side, of which the mapping says nothing."""
        return check(mapping, *await self._both_sides(name, mapping))

    async def _both_sides(self, name: str, mapping: str) -> tuple[tuple[Named, ...], tuple[Named, ...]]:
        both = self.systems.open(name, load(mapping))
        return both.mdm.properties, await both.assets.columns() or ()


def _refuse_unknown(side: Literal["mdm", "assets"], kind: str) -> None:
    """Raises InvalidCall for a connection that is of no such system, before there is a file with lines."""
    if kind not in kinds(side):
        raise InvalidCall.of([Fault(f"{side}/kind", f"{side}/kind must be one of: {', '.join(kinds(side))}.")])
