"""Quick actions in the store: each is a run with one line. The line says what was asked, never what was answered."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connector.engine.clock import now, written
from connector.sdk.errors import Conflict, OutcomeUnknown, UpcardError
from connector.sdk.inventory import Device
from connector.sdk.kinds import Json
from connector.sync.entities import Change
from connector.sync.plan.plan import Plan
from connector.sync.store import runs
from connector.sync.store.coding import Agreed
from connector.sync.store.lines import mark_lines
from connector.sync.store.runs import SyncRun, new_run_id
from connector.sync.store.tables import sync_changes, sync_runs

AGAIN = timedelta(minutes=5)  # in which the same action on the same device is a mistake
PENDING = "The command was given, and its answer has not come. It may have been carried out."


@dataclass(frozen=True)
class Act:
    """One action of a caller on a device."""

    sync: str
    action: str
    device: Device
    by: str
    id: str = field(default_factory=new_run_id)

    @property
    def run(self) -> SyncRun:
        """Failed until its end is known: a host may die before."""
        return SyncRun(self.sync, "action", self.by, self.id, "failed")

    def line(self, run: str | None) -> Change:
        """`run`: of the card."""
        name, why = self.device.label, f"asked for by {self.by}"
        return Change("act", "mdm", self.device.mdm_id, name, why, field=self.action, after=run, seq=1)

    def sentence(self, run: str) -> str:
        """The note on the asset."""
        return f"Upcard: {self.action} was sent to {self.device.label} on {now()}, asked for by {self.by} ({run})."


def begin(db: sa.Connection, act: Act) -> None:
    """Put an action on record before it is sent, as one of which nobody knows what became. Raises Conflict."""
    _refuse_again(db, act)
    run = act.run
    runs.insert(db, run)
    runs.write_plan(db, run, Plan(inputs="", lines=(act.line(None),)), Agreed())
    runs.end(db, run.id, "failed", OutcomeUnknown(PENDING))


def withdraw(db: sa.Connection, act: Act) -> None:
    """Nothing was sent: policy, caps or an approval stand before it, and the audit says so."""
    db.execute(sa.delete(sync_changes).where(sync_changes.c.run == act.id))
    db.execute(sa.delete(sync_runs).where(sync_runs.c.id == act.id))


def end(db: sa.Connection, act: Act, card_run: str, problem: Json | None) -> bool:
    """Say how an action ended, unless this run of the card is on record already; whether it was not."""
    wanted = sa.select(sync_runs.c.id).where(sync_runs.c.sync == act.sync, sync_runs.c.inputs == card_run)
    if db.execute(wanted).first():
        return False
    run = act.run
    if not db.execute(sa.select(sync_runs.c.id).where(sync_runs.c.id == act.id)).first():
        runs.insert(db, run)  # it was approved meanwhile, and its answer is asked for now
    runs.write_plan(db, run, Plan(inputs=card_run, lines=(act.line(card_run),)), Agreed())
    error = UpcardError.told(problem) if problem else None
    mark_lines(db, run.id, [1], "failed" if error else "done", error=error.detail if error else None)
    runs.end(db, run.id, "failed" if error else "succeeded", error)
    return True


def _refuse_again(db: sa.Connection, act: Act) -> None:
    """An action that certainly was not carried out may be asked for again at once."""
    since = written(datetime.now(UTC) - AGAIN)
    known = sync_runs.c
    wanted = sa.select(known.id, known.error, sync_changes.c.line).join(sync_changes, sync_changes.c.run == known.id)
    here = known.sync == act.sync, known.mode == "action", known.started >= since, sync_changes.c.field == act.action
    for row in db.execute(wanted.where(*here)):
        undone = row.error and json.loads(row.error)["type"] != OutcomeUnknown.slug
        if not undone and json.loads(row.line)["target"] == act.device.mdm_id:
            why = f"The action {act.action} was asked for this device within the last 5 minutes ({row.id})."
            raise Conflict(f"{why} Wait, or look what became of it.")
