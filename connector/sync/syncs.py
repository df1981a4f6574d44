"""Syncs: a mapping each, with its runs, locks and outbox. Runs are queued; any host works on them."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping

from connector.engine.clock import now
from connector.engine.connections import NAME
from connector.engine.durable import Queue
from connector.engine.store import Store
from connector.sdk.errors import AlreadyExists, Conflict, Fault, InvalidCall, NoSuchSync, NotFound
from connector.sdk.kinds import Json
from connector.sync.apply import flaps
from connector.sync.entities import ASSIGNEE, Link, Lock
from connector.sync.mapping.mapping import Mapping
from connector.sync.mapping.mapping_file import load
from connector.sync.plan.undoing import undone
from connector.sync.store import memory, outbox, runs
from connector.sync.store.lines import Line, count_lines, read_lines
from connector.sync.store.outbox import Entry
from connector.sync.store.runs import AT_WORK, SyncRun
from connector.sync.store.status import Status, status
from connector.sync.store.tables import sync_links, sync_locks, syncs
from connector.sync.systems.systems import Both, Systems

MISSING = "There is no sync of this name. GET /v1/syncs lists them."
LOOK = 0.1  # seconds until it is seen that a run ended


@dataclass(frozen=True)
class Sync:
    """One sync. `due`: seconds since 1970 when it runs next by itself."""

    name: str
    mapping: str
    created: str
    changed: str
    enabled: bool
    due: float | None

    @classmethod
    def of(cls, row: RowMapping) -> "Sync":
        return cls(**{name: row[name] for name in ("name", "mapping", "created", "changed", "enabled", "due")})

    @property
    def rules(self) -> Mapping:
        """What the mapping says. Raises InvalidCall."""
        return load(self.mapping)


@dataclass(frozen=True)
class Syncs:
    """The syncs of all hosts that share the store."""

    store: Store
    queue: Queue
    systems: Systems

    async def all(self) -> list[Sync]:
        wanted = sa.select(syncs).order_by(syncs.c.name)
        return await self.store.run(lambda db: [Sync.of(row) for row in db.execute(wanted).mappings()])

    async def get(self, name: str) -> Sync:
        """Raises NoSuchSync."""
        return await self.store.run(lambda db: _get(db, name))

    async def create(self, name: str, mapping: str) -> Sync:
        """A new sync, which does nothing by itself until it is enabled.

        Raises InvalidCall with all that is wrong, AlreadyExists where the name is taken.
        """
        if not NAME.fullmatch(name):
            raise InvalidCall.of([Fault("name", "Name must be a-z, 0-9, hyphen and underscore, 64 at most.")])
        self.systems.open(name, load(mapping))
        row = {"name": name, "mapping": mapping, "created": now(), "changed": now()}
        try:
            await self.store.run(lambda db: db.execute(sa.insert(syncs).values(row)))
        except sa.exc.IntegrityError:
            raise AlreadyExists("There is a sync of this name.") from None
        return await self.get(name)

    async def change(self, name: str, *, mapping: str | None = None, enabled: bool | None = None) -> Sync:
        """Another mapping, or on or off. One that is enabled runs at once, and then by its schedule.

        Raises NoSuchSync, InvalidCall with all that is wrong with the mapping, and Conflict where a sync that has
        linked assets would move to other systems.
        """
        sync = await self.get(name)
        rules = load(sync.mapping if mapping is None else mapping)
        self.systems.open(name, rules)
        is_linked = await self.store.run(lambda db: bool(memory.links(db, name)))
        if is_linked and self.systems.are_others(sync.rules, rules):
            raise Conflict("What the sync remembers is of its two systems. Make another sync for other ones.")
        values: Json = {"changed": now()}
        values |= {"mapping": mapping} if mapping is not None else {}
        if enabled or (enabled is None and sync.enabled):
            _refuse_without_category(rules)
        if enabled is not None and enabled != sync.enabled:
            values |= {"enabled": enabled, "due": time.time() if enabled else None}
        await self.store.run(lambda db: db.execute(sa.update(syncs).where(syncs.c.name == name).values(values)))
        return await self.get(name)

    async def delete(self, name: str) -> None:
        """Forget a sync with all that it remembers; both systems stay as they are. Raises Conflict during a run."""
        await self.get(name)

        def work(db: sa.Connection) -> None:
            runs.refuse_while_at_work(db, name)
            memory.forget(db, name)
            db.execute(sa.delete(syncs).where(syncs.c.name == name))

        await self.store.run_alone(work)

    async def plan(self, name: str, by: str) -> SyncRun:
        """Begin to read both sides and plan; nothing is written to them. Raises Conflict during another run."""
        return await self._accepted(SyncRun(name, "plan", by))

    async def apply(self, name: str, by: str, plan: str | None = None, *, forced: bool = False) -> SyncRun:
        """Begin to carry a plan out, or to make one and carry it out. `forced`: beyond the limits of the mapping.

        Raises Conflict during another run, and where the plan is not one that may be carried out any more.
        """
        if plan is None:
            return await self._accepted(SyncRun(name, "apply", by, forced=forced))
        found, mapping = await self.run(name, plan), (await self.get(name)).rules
        await self.store.run_alone(lambda db: runs.take_up(db, self.queue, found, mapping, forced=forced))
        return await self.run(name, plan)

    async def undo(self, name: str, run: str, by: str) -> SyncRun:
        """The plan that takes back what a run did, to be applied like any other. Raises Conflict during any run."""
        found = await self.run(name, run)
        if found.state in AT_WORK:
            raise Conflict(f"The run {run} is at work. Wait until it ends, or cancel it.")
        back, mapping = SyncRun(name, "undo", by, state="planned"), (await self.get(name)).rules

        def work(db: sa.Connection) -> None:
            users = memory.links(db, name, sync_links.c.kind == "user")
            plan = undone(run, read_lines(db, run), {link.mdm_id: link.sys_id for link in users})
            runs.keep(db, back, plan, mapping)

        await self.store.run_alone(work)
        return await self.run(name, back.id)

    async def cancel(self, name: str, run: str) -> SyncRun:
        """Let a run end where it is; nothing where it is over. Raises NoSuchRun."""
        found = await self.run(name, run)
        await self.store.run_alone(lambda db: runs.cancel(db, found))
        return await self.run(name, run)

    async def _accepted(self, run: SyncRun) -> SyncRun:
        await self.get(run.sync)
        await self.store.run_alone(lambda db: runs.accept(db, self.queue, run))
        return run

    async def wait(self, run: SyncRun, seconds: float) -> SyncRun:
        """The run as it is when it ends, or after so many seconds."""
        until = time.monotonic() + seconds
        while True:  # another host may be at it: the store knows, no event does
            found = await self.run(run.sync, run.id)
            if found.state not in AT_WORK or time.monotonic() > until:
                return found
            await asyncio.sleep(LOOK)

    async def run(self, name: str, id_: str) -> SyncRun:
        """Raises NoSuchRun."""
        return await self.store.run(lambda db: runs.get(db, id_, name))

    async def runs(self, name: str, cursor: str | None, limit: int) -> tuple[list[SyncRun], str | None]:
        """Newest first, and the cursor of the next page."""
        await self.get(name)
        found = await self.store.run(lambda db: runs.listed(db, name, cursor, limit + 1))
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    async def lines(
        self, name: str, id_: str, after: int = 0, limit: int | None = None, status: str | None = None
    ) -> list[Line]:
        await self.run(name, id_)
        return await self.store.run(lambda db: read_lines(db, id_, after, limit, status))

    async def counts(self, id_: str) -> dict[str, int]:
        return await self.store.run(lambda db: count_lines(db, id_))

    async def latest(self, name: str) -> SyncRun | None:
        """The last run that read both sides."""
        return await self.store.run(lambda db: runs.latest(db, name))

    async def status(self, name: str) -> Status:
        """Where a sync stands."""
        return await self.store.run(lambda db: status(db, name))

    async def unlink(self, name: str, link: str) -> None:
        """Forget a link, so that a later run matches both records anew. Raises NotFound, Conflict during a run."""
        await self.get(name)

        def work(db: sa.Connection) -> None:
            runs.refuse_while_at_work(db, name)
            memory.forget_link(db, name, _link(db, name, link))

        await self.store.run_alone(work)

    async def locks(self, name: str) -> list[Lock]:
        await self.get(name)
        return list(await self.store.run(lambda db: memory.locks(db, name)))

    async def lock(self, name: str, lock: Lock) -> None:
        """Report a field, and never write it. Raises NotFound where there is no such link, InvalidCall for a field."""
        fields = [ASSIGNEE, *(row.to or "" for row in (await self.get(name)).rules.mapped)]
        if lock.field not in fields:
            why = f"The mapping writes no field of this name; it writes {', '.join(fields)}."
            raise InvalidCall.of([Fault("field", why)])

        def work(db: sa.Connection) -> None:
            _link(db, name, lock.link)
            memory.record_lock(db, name, lock)

        await self.store.run(work)

    async def unlock(self, name: str, link: str, field: str) -> None:
        """Let a field be written again. Raises NotFound where there is no such lock."""

        def work(db: sa.Connection) -> None:
            known = sync_locks.c
            here = known.sync == name, known.link == link, known.field == field
            if not db.execute(sa.delete(sync_locks).where(*here)).rowcount:
                raise NotFound("There is no such lock.")
            flaps.forgive(db, name, link, field)

        await self.store.run(work)

    async def outbox(self, name: str) -> list[Entry]:
        await self.get(name)
        return await self.store.run(lambda db: outbox.entries(db, name))

    async def announce(self, name: str, assets: list[str], origin: str) -> list[str]:
        """Have the MDM told what these assets say, at once where the sync is enabled; those of them that are linked."""
        why = None if (await self.get(name)).enabled else "The sync is not enabled: its next apply tells the MDM."

        def work(db: sa.Connection) -> list[str]:
            known = sync_links.c
            there = memory.links(db, name, known.kind == "device", known.sys_id.in_(assets))
            outbox.announce(db, name, [link.sys_id for link in there], origin, why)
            return sorted(link.sys_id for link in there)

        return await self.store.run(work)

    def both(self, sync: Sync) -> Both:
        return self.systems.open(sync.name, sync.rules)


def _get(db: sa.Connection, name: str) -> Sync:
    row: Any = db.execute(sa.select(syncs).where(syncs.c.name == name)).mappings().first()
    if row is None:
        raise NoSuchSync(MISSING)
    return Sync.of(row)


def _link(db: sa.Connection, sync: str, id_: str) -> Link:
    if found := memory.links(db, sync, sync_links.c.id == id_):
        return found[0]
    raise NotFound("There is no link of this ID.")


def next_due(mapping: Mapping) -> float:
    """When a sync runs next: not all of them at one moment."""
    jitter = mapping.schedule.jitter.total_seconds()
    return time.time() + mapping.schedule.every.total_seconds() + random.uniform(0, jitter)


def _refuse_without_category(mapping: Mapping) -> None:
    """Raises InvalidCall where new assets would have none (step 2 of the guide)."""
    maps = any(row.to == "category" for row in mapping.mapped)
    if mapping.create.assets == "yes" and not maps and not mapping.create.default_category:
        why = "create/default_category is missing: new assets need a category, unless a field is mapped to it."
        raise InvalidCall.of([Fault("create/default_category", why)])
