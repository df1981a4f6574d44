"""What a sync remembers in the store: who is linked, what was agreed, what is locked."""

from collections.abc import Collection, Iterable
from sys import intern
from typing import Any

import sqlalchemy as sa

from connector.engine.clock import now
from connector.engine.store import inserting
from connector.sync.entities import Base, Change, Link, Lock
from connector.sync.plan.ground import Memory
from connector.sync.store.batches import execute_for
from connector.sync.store.coding import line_read, value_read, value_written
from connector.sync.store.tables import (
    sync_bases,
    sync_changes,
    sync_links,
    sync_locks,
    sync_outbox,
    sync_runs,
    syncs,
)


def remembered(db: sa.Connection, sync: str) -> Memory:
    """All of it."""
    counted = db.execute(sa.select(syncs.c.devices, syncs.c.assets).where(syncs.c.name == sync)).one()
    return Memory(
        links=links(db, sync),
        bases=tuple(_bases(db, sync)),
        locks=locks(db, sync),
        begun=begun(db, sync),
        devices_before=counted.devices,
        assets_before=counted.assets,
    )


def links(db: sa.Connection, sync: str, *conditions: sa.ColumnElement[bool]) -> tuple[Link, ...]:
    """All links, or those of which something is true."""
    known = sync_links.c
    names = (known.kind, known.mdm_id, known.sys_id, known.matched_by, known.since, known.state, known.absent)
    found = db.execute(sa.select(*names).where(known.sync == sync, *conditions))
    return tuple(Link(*row) for row in found)


def locks(db: sa.Connection, sync: str) -> tuple[Lock, ...]:
    known = sync_locks.c
    names = known.link, known.field, known.reason, known.by, known.since
    return tuple(Lock(*row) for row in db.execute(sa.select(*names).where(known.sync == sync).order_by(*names[:2])))


def begun(db: sa.Connection, sync: str) -> tuple[Change, ...]:
    """Lines that an apply started and never confirmed."""
    known = sync_changes.c
    wanted = sa.select(known.line).join(sync_runs, sync_runs.c.id == known.run)
    found = db.execute(wanted.where(sync_runs.c.sync == sync, known.status == "begun").order_by(known.run, known.seq))
    return tuple(line_read(row.line) for row in found)


def looked_at(db: sa.Connection, sync: str, run: str) -> None:
    """A plan of a later run saw what became of lines that nobody confirmed."""
    earlier = sa.select(sync_runs.c.id).where(sync_runs.c.sync == sync, sync_runs.c.id != run)
    here = sync_changes.c.run.in_(earlier), sync_changes.c.status == "begun"
    db.execute(sa.update(sync_changes).where(*here).values(status="failed", at=now()))


def settled(db: sa.Connection, sync: str, run: str, some: Iterable[Base]) -> None:
    """These are agreed now: what became of earlier lines about them says nothing any more."""
    known, this = sync_changes.c, sa.bindparam
    earlier = sa.select(sync_runs.c.id).where(sync_runs.c.sync == sync, sync_runs.c.id != run)
    same = known.link == this("of_link"), known.field == this("of_field"), known.status == "begun"
    over = sa.update(sync_changes).where(*same, known.run.in_(earlier)).values(status="failed", at=now())
    execute_for(db, over, ({"of_link": base.link, "of_field": base.field} for base in some))


def record_links(db: sa.Connection, sync: str, some: Collection[Link]) -> None:
    """Keep these; a device or a user has one link, and so has an asset or a person."""
    names = ("kind", "mdm_id", "sys_id", "matched_by", "state", "absent")
    rows = (
        {"sync": sync, "id": link.id, "since": link.since or now(), **{name: getattr(link, name) for name in names}}
        for link in some
    )
    known, this = sync_links.c, sa.bindparam
    same = known.sync == sync, known.kind == this("of_kind"), known.mdm_id == this("of_device"), known.id != this("but")
    others = ({"of_kind": link.kind, "of_device": link.mdm_id, "but": link.id} for link in some)
    made = inserting(db)(sync_links)
    newer = {name: made.excluded[name] for name in names}
    execute_for(db, sa.delete(sync_links).where(*same), others)
    execute_for(db, made.on_conflict_do_update(index_elements=["sync", "id"], set_=newer), rows)


def record_bases(db: sa.Connection, sync: str, some: Iterable[Base]) -> None:
    """Keep these in place of what was agreed before."""
    made = inserting(db)(sync_bases)
    newer = {name: made.excluded[name] for name in ("mdm_value", "asset_value")}
    kept = made.on_conflict_do_update(index_elements=["sync", "link", "field"], set_=newer)
    execute_for(db, kept, (_row(sync, base) for base in some))


def record_lock(db: sa.Connection, sync: str, lock: Lock) -> None:
    """Keep a lock; one that is there stays as it is."""
    row = {"sync": sync, "link": lock.link, "field": lock.field, "reason": lock.reason}
    row |= {"by": lock.by, "since": lock.since or now()}
    db.execute(inserting(db)(sync_locks).values(row).on_conflict_do_nothing())


def forget(db: sa.Connection, sync: str) -> None:
    """All that is kept of a sync, but itself."""
    runs = sa.select(sync_runs.c.id).where(sync_runs.c.sync == sync)
    db.execute(sa.delete(sync_changes).where(sync_changes.c.run.in_(runs)))
    for table in (sync_runs, sync_links, sync_bases, sync_locks, sync_outbox):
        db.execute(sa.delete(table).where(table.c.sync == sync))


def forget_link(db: sa.Connection, sync: str, link: Link) -> None:
    """A link, and all that is kept of it but its history."""
    named = {sync_links: sync_links.c.id, sync_bases: sync_bases.c.link, sync_locks: sync_locks.c.link}
    for table, column in named.items():
        db.execute(sa.delete(table).where(table.c.sync == sync, column == link.id))
    if link.kind == "device":
        db.execute(sa.delete(sync_outbox).where(sync_outbox.c.sync == sync, sync_outbox.c.asset == link.sys_id))


def _bases(db: sa.Connection, sync: str) -> Iterable[Base]:
    known = sync_bases.c
    found = db.execute(sa.select(known.link, known.field, known.mdm_value, known.asset_value).where(known.sync == sync))
    for row in found:  # the same texts again and again: each is held once
        mdm = value_read(row.mdm_value)
        asset = mdm if row.asset_value == row.mdm_value else value_read(row.asset_value)
        yield Base(intern(row.link), intern(row.field), mdm, asset)


def _row(sync: str, base: Base) -> dict[str, Any]:
    values = {"mdm_value": value_written(base.mdm_value), "asset_value": value_written(base.asset_value)}
    return {"sync": sync, "link": base.link, "field": base.field, **values}
