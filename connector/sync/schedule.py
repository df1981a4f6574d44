"""When syncs run by themselves: whole runs by their schedule, and pushes as soon as an asset is announced."""

import time
from functools import partial

import sqlalchemy as sa

from connector.engine.calls import Ready
from connector.sdk.errors import InvalidCall, UpcardError
from connector.sync.mapping.mapping_file import load
from connector.sync.store import outbox, runs
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import syncs
from connector.sync.syncs import Syncs, next_due
from connector.sync.systems.cards import OURS

LATER = 1200.0  # seconds until a sync is tried again whose mapping says nothing


class Schedule:
    """Begins what is due; one run of a sync at a time, over all hosts."""

    def __init__(self, syncs: Syncs) -> None:
        self._syncs = syncs

    async def look(self) -> None:
        """Queue what is due. A whole run that comes while another one is at work is left out, not queued."""
        now = time.time()
        wanted = sa.select(syncs.c.name).where(syncs.c.enabled, syncs.c.due <= now)
        names, told = await self._syncs.store.run(lambda db: ([row.name for row in db.execute(wanted)], outbox.due(db)))
        for name in names:
            await self._syncs.store.run_alone(partial(self._whole, name=name))
        for name, assets in told.items():
            await self._syncs.store.run_alone(partial(self._push, name=name, assets=assets))

    async def heard(self, ready: Ready) -> None:
        """A card was called that changes assets: whoever syncs them tells the MDM."""
        if ready.caller.id.startswith(OURS):
            return
        connector = self._syncs.systems.catalog.connector(ready.card.connector)
        given = connector.assets.announces.get(ready.card.name) if connector.assets else None
        if given is None:
            return
        assets = getattr(ready.inputs, given)
        for sync in await self._syncs.all():
            if sync.enabled and self._is_about(sync.mapping, ready.account.name):
                await self._syncs.announce(sync.name, assets if isinstance(assets, list) else [assets], ready.card.key)

    def _is_about(self, mapping: str, connection: str) -> bool:
        try:
            account = self._syncs.systems.assets_account(load(mapping))
        except UpcardError:
            return False
        return account is not None and account.name == connection

    def _whole(self, db: sa.Connection, name: str) -> None:
        here = syncs.c.name == name, syncs.c.enabled, syncs.c.due <= time.time()
        row = db.execute(sa.select(syncs.c.mapping).where(*here)).first()
        if row is None:
            return  # another host was quicker
        db.execute(sa.update(syncs).where(syncs.c.name == name).values(due=_next(row.mapping)))
        if runs.at_work(db, name) is None:
            runs.accept(db, self._syncs.queue, SyncRun(name, "apply", "schedule"))

    def _push(self, db: sa.Connection, name: str, assets: list[str]) -> None:
        if runs.at_work(db, name) is None and name in outbox.due(db):
            runs.accept(db, self._syncs.queue, SyncRun(name, "push", "outbox", about=tuple(assets)))


def _next(mapping: str) -> float:
    """When a sync runs next; a mapping that is valid no longer is told by its run, and keeps no other sync waiting."""
    try:
        return next_due(load(mapping))
    except InvalidCall:
        return time.time() + LATER
