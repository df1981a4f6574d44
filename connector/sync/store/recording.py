"""What a plan records without a write to either system: agreements, links and locks, and what was read."""

import time
from collections.abc import Sequence

import sqlalchemy as sa

from connector.sync.entities import Change, Lock
from connector.sync.store import memory
from connector.sync.store.coding import Agreed
from connector.sync.store.lines import mark_lines
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import sync_links, syncs


def record_agreed(db: sa.Connection, run: SyncRun, agreed: Agreed) -> None:
    """What both sides agree on already, and how much there was of each."""
    memory.record_bases(db, run.sync, agreed.bases)
    memory.record_links(db, run.sync, agreed.links)
    if agreed.devices is not None:
        counted = sa.update(syncs).where(syncs.c.name == run.sync)
        db.execute(counted.values(devices=agreed.devices, assets=agreed.assets))
        memory.looked_at(db, run.sync, run.id)
    else:
        memory.settled(db, run.sync, run.id, agreed.bases)


def record_noted(db: sa.Connection, run: SyncRun, lines: Sequence[Change]) -> None:
    """Lines that are links and locks."""
    memory.record_links(db, run.sync, [line.link for line in lines if line.link and line.op != "lock"])
    for line in lines:
        if line.op == "lock" and line.link and line.field:
            memory.record_lock(db, run.sync, Lock(line.link.id, line.field, line.why, by=run.id))
    mark_lines(db, run.id, [line.seq for line in lines], "done")


def when_detailed(db: sa.Connection, sync: str) -> dict[str, float]:
    """When the details of each linked device were read, in seconds since 1970; 0: never."""
    known = sync_links.c
    found = db.execute(sa.select(known.mdm_id, known.detailed).where(known.sync == sync, known.kind == "device"))
    return {row.mdm_id: row.detailed for row in found}


def note_detailed(db: sa.Connection, sync: str, devices: Sequence[str]) -> None:
    """Note whose details were read now."""
    here = sync_links.c.sync == sync, sync_links.c.kind == "device", sync_links.c.mdm_id == sa.bindparam("of")
    if devices:
        read = sa.update(sync_links).where(*here).values(detailed=time.time())
        db.execute(read, [{"of": device} for device in devices])
