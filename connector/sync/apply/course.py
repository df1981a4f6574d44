"""A run in hand: read both sides, plan, and carry out what was planned, line by line.

Each line is noted as begun before anything is sent for it, and as done with its base in one transaction after that: a
host that dies in between leaves it begun, and whoever takes the run up looks what became of it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from connector.engine.store import Store
from connector.sdk.errors import Conflict, Forbidden, NotConnected, OutcomeUnknown, Refused, UpcardError
from connector.sync.apply import flaps
from connector.sync.apply.outcomes import Item, Made, Outcome, items
from connector.sync.apply.reading import in_details, some, unread, whole, without_details
from connector.sync.apply.writing import Writer
from connector.sync.entities import CREATES, NOTED
from connector.sync.mapping.mapping import Mapping
from connector.sync.plan.ground import Memory
from connector.sync.plan.moved import WHY, moved
from connector.sync.plan.plan import Plan, plan
from connector.sync.plan.pushing import only_about, pushed
from connector.sync.store import memory, outbox, runs
from connector.sync.store.coding import Agreed
from connector.sync.store.lines import Done, Line, mark_lines, read_lines
from connector.sync.store.recording import note_detailed, record_agreed, record_noted, when_detailed
from connector.sync.store.runs import SyncRun
from connector.sync.store.tables import sync_links
from connector.sync.systems.systems import Both

A_WHILE = 1.0  # seconds of work in one step
PAUSES = (1.0, 5.0, 20.0)  # seconds until a line is tried again of which nothing was carried out
LONGEST = 60.0  # seconds that a service may ask to wait; beyond it the line fails, and a later run goes on
FULL = 402  # the answer of an asset system whose contract has no room for more


class Canceled(Exception):
    """A caller asked for it."""


@dataclass
class Course:
    """One run, for who holds it. `is_stopping`: the host is about to stop, and another one will go on."""

    store: Store
    run: SyncRun
    holder: str
    mapping: Mapping
    both: Both
    turns: dict[str, int]
    is_stopping: Callable[[], bool]
    todo: list[Item] | None = None
    begun: set[int] = field(default_factory=set)
    writer: Writer = field(init=False)
    is_full: bool = False

    async def work(self) -> bool:
        """Go on for a while; whether there is more to do. Raises UpcardError where the run cannot go on, Lost, AWAY."""
        try:
            return await (self._plan() if self.run.inputs is None else self._apply())
        except Canceled:
            await self.store.run(lambda db: runs.end(db, self.run.id, "canceled"))
            return False

    async def _apply(self) -> bool:
        if self.todo is None:
            self.todo = await self._take_up()
        until = time.monotonic() + A_WHILE
        while self.todo and time.monotonic() < until and not self.is_stopping():
            if await self._carry_out(self.todo[0]):
                self.todo.pop(0)
        if not self.todo:
            await self.store.run(self._end)
        return bool(self.todo)

    async def _plan(self) -> bool:
        known = await self.store.run(lambda db: memory.remembered(db, self.run.sync))
        read: list[str] = []
        if self.run.about is None:
            found, agreed, read = await self._whole(known, self.mapping)
        else:
            found, agreed = await self._about(self.run.about, known)
        waits = self.run.mode == "plan" or bool(found.brakes and not self.run.forced)

        def work(db: sa.Connection) -> SyncRun:
            self._hold(db)
            runs.write_plan(db, self.run, found, agreed, self.mapping)
            if not waits:
                note_detailed(db, self.run.sync, read)
            if found.stopped:
                runs.end(db, self.run.id, "failed", Conflict(found.stopped))
            elif waits:
                runs.end(db, self.run.id, "planned")
            return runs.get(db, self.run.id)

        self.run = await self.store.run(work)
        return not waits and not found.stopped

    async def _whole(self, known: Memory, mapping: Mapping) -> tuple[Plan, Agreed, list[str]]:
        when = await self.store.run(lambda db: when_detailed(db, self.run.sync))
        sides, read = await whole(self.both, mapping, when)
        found = await asyncio.to_thread(plan, sides, known, mapping)
        found = replace(found, warnings=(*found.warnings, *unread(sides, read)))
        return found, Agreed(found.agreed, found.counted, len(sides.devices), len(sides.assets)), read

    async def _about(self, about: tuple[str, ...], known: Memory) -> tuple[Plan, Agreed]:
        sides, kept = await some(self.both, about, known)
        found = pushed(plan(sides, kept, only_about(self.mapping)))
        return found, Agreed(found.agreed)

    async def _leave_what_moved(self) -> None:
        """Of a plan from before, what would not be planned now is not done. Raises Conflict where there is no plan."""
        known = await self.store.run(lambda db: memory.remembered(db, self.run.sync))
        found, _, _ = await self._whole(known, without_details(self.mapping))
        if found.stopped:
            raise Conflict(found.stopped)

        def work(db: sa.Connection) -> None:
            self._hold(db)
            left = [line.change for line in read_lines(db, self.run.id, status="planned")]
            mark_lines(db, self.run.id, moved(left, found, in_details(self.mapping)), "stale", error=WHY)

        await self.store.run(work)

    async def _take_up(self) -> list[Item]:
        """The lines that are left to do, after what the plan records by itself."""
        if self.run.segment and self.run.mode in ("plan", "apply"):
            await self._leave_what_moved()

        def work(db: sa.Connection) -> list[Line]:
            runs.hold(db, self.run.id, self.holder)
            if agreed := runs.take_agreed(db, self.run):
                record_agreed(db, self.run, agreed)
            there = read_lines(db, self.run.id)
            planned = [line.change for line in there if line.status == "planned"]
            record_noted(db, self.run, [line for line in planned if line.op in NOTED])
            return there

        there = await self.store.run(work)
        self.begun = {line.change.seq for line in there if line.status == "begun"}
        made = Made({line.change.target: line.made for line in there if line.made})
        self.writer = Writer(self.both, self.mapping, self.run.id, made)
        left = [line.change for line in there if line.status in ("planned", "begun")]
        return items([line for line in left if line.op not in NOTED])

    async def _carry_out(self, item: Item) -> bool:
        """Carry a line out, again where a service only asks for time; whether it is over, refused or not.

        While the host stops it is left begun: whoever takes the run up looks what became of it.
        """
        if self.is_full and item[0].op in CREATES:
            await self._record(Outcome(item[0], "failed", "The asset system has no room for more."))
            return True
        again = any(line.seq in self.begun for line in item)
        await self.store.run(lambda db: self._begin(db, item))
        for pause in (*PAUSES, None):
            try:
                async for outcome in self.writer.write(item, again=again):
                    await self._record(outcome)
            except UpcardError as error:
                wait = max(pause or 0.0, error.retry_after or 0.0)
                if self.is_stopping():
                    return False
                if error.retry and pause is not None and wait <= LONGEST:
                    await asyncio.sleep(wait)
                    continue
                await self._refused(item, error)
            return True
        return True

    def _begin(self, db: sa.Connection, item: Item) -> None:
        self._hold(db)
        mark_lines(db, self.run.id, [line.seq for line in item], "begun")

    def _hold(self, db: sa.Connection) -> None:
        """Before anything new is begun. Raises Lost, Canceled."""
        if runs.hold(db, self.run.id, self.holder) == "cancel":
            raise Canceled

    async def _refused(self, item: Item, error: UpcardError) -> None:
        """A line that was not carried out; of one whose outcome nobody knows, the next plan looks what became of it."""
        status = error.service.status if error.service else None
        self.is_full = self.is_full or status == FULL
        became: Done = "begun" if isinstance(error, OutcomeUnknown) else "failed"

        def work(db: sa.Connection) -> None:
            runs.hold(db, self.run.id, self.holder)
            seqs = [line.seq for line in item]
            mark_lines(db, self.run.id, seqs, became, among="begun", error=error.detail)

        await self.store.run(work)
        if isinstance(error, NotConnected | Forbidden) or (isinstance(error, Refused) and status in (401, 403)):
            raise error

    async def _record(self, outcome: Outcome) -> None:
        line = outcome.line

        def work(db: sa.Connection) -> None:
            runs.hold(db, self.run.id, self.holder)
            mark_lines(db, self.run.id, [line.seq], outcome.status, made=outcome.made, error=outcome.error)
            if outcome.link:
                memory.record_links(db, self.run.sync, [outcome.link])
            memory.record_bases(db, self.run.sync, outcome.bases)
            memory.settled(db, self.run.sync, self.run.id, outcome.bases)

        await self.store.run(work)

    def _end(self, db: sa.Connection) -> None:
        """The run is over: what could not be told the MDM is in the outbox, and what goes to and fro is locked."""
        runs.hold(db, self.run.id, self.holder)
        asset_of = {link.mdm_id: link.sys_id for link in memory.links(db, self.run.sync, sync_links.c.kind == "device")}
        to_mdm = [line for line in read_lines(db, self.run.id, side="mdm") if line.change.target in asset_of]
        waiting = {asset_of[line.change.target]: line.change for line in to_mdm if line.status == "waiting"}
        failed = {
            asset_of[line.change.target]: (line.change, line.error or "")
            for line in to_mdm
            if line.status in ("failed", "begun")
        }
        if self.run.mode in ("apply", "push", "plan"):
            outbox.settle(db, self.run.sync, self.turns, waiting, failed, about=self.run.about)
        flaps.lock(db, self.run.sync)
        runs.end(db, self.run.id, "succeeded")
