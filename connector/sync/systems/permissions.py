"""What the MDM's token is permitted to do, by what a sync needs it for: to read, to write back, to act."""

from connector.engine.connections import Connections
from connector.sync.mapping.mapping import Mapping
from connector.sync.systems.systems import Systems

WORDS = {True: "granted", False: "missing", None: "unknown"}
Permissions = dict[str, dict[str, list[str]]]


async def permissions(connections: Connections, systems: Systems, mapping: Mapping) -> Permissions:
    """Cards by what is known of them, for each part: `{"read": {"granted": [...], "missing": [...], "unknown": []}}`.

    Only reads are sent; of what changes something no read can tell. Raises what a check of the connection does.
    """
    account = systems.mdm_account(mapping)
    found = await connections.permissions(account)
    told: Permissions = {}
    for part, cards in systems.kind_of(account).needs.items():
        told[part] = {word: [] for word in WORDS.values()}
        for card in cards:
            key = f"{account.connector}.{card}"
            told[part][WORDS[found.get(key)]].append(key)
    return told
