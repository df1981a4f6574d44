"""The sync of `upcard up`: the Macs of one team with their assets, with a mapping that is proposed and not enabled."""

from contextlib import suppress

from connector.cli.demo import CONNECTION, SYNC
from connector.host import Host
from connector.sdk.errors import Conflict

ASSETS = "assetbots"

START = f"""\
# Where values go between the two systems. What each key means: schemas/sync/mapping.json
version: 1
mdm: {{ kind: kandji, connection: {CONNECTION} }}
assets: {{ kind: assetbots, connection: {ASSETS} }}
scope: {{ platforms: [Mac], exclude: {{ blueprint: [Engineering, Sales, Office] }} }}  # what is left is the Studio
create: {{ default_category: Kandji }}
fields:
  - {{ to: serial, from: serial_number, direction: mdm_to_asset, key: true, case: ignore }}
  - {{ to: tag, from: asset_tag, direction: both, winner: asset }}
  - {{ to: description, from: device_name, direction: mdm_to_asset }}
  - {{ to: osVersion, from: os_version, direction: mdm_to_asset }}
assignment: {{ direction: both }}
actions: {{ enabled: false }}  # true lets quick actions through
"""


async def ready_fleet(host: Host) -> None:
    """The sync as new, since the simulated systems are: what it remembered is of others. Its mapping stays."""
    syncs = host.syncs
    there = {sync.name: sync for sync in await syncs.all()}
    mapping = there[SYNC].mapping if SYNC in there else await host.proposals.extended(SYNC, START)
    with suppress(Conflict):  # a run of it that was cut off goes on now
        if SYNC in there:
            await syncs.delete(SYNC)
        await syncs.create(SYNC, mapping)
