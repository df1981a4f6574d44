"""Calls that nobody is at any more, as their host died or was frozen: nobody knows what became of them (ID-5)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connector.engine import runs, tables
from connector.engine.audit import Audit
from connector.engine.clock import written
from connector.engine.runs import Run
from connector.engine.store import Store
from connector.sdk.errors import OutcomeUnknown, Unavailable

CUT_OFF = OutcomeUnknown("The host stopped during the call. The request may have been carried out.")
NOT_SENT = Unavailable("The host stopped before the call was made. Nothing was sent: call again.")
LONGEST_CALL = timedelta(hours=2)  # far more than any call takes, with the hour that a policy may hold it


@dataclass(frozen=True)
class Abandoned:
    """Ends them, in their runs and in the audit."""

    store: Store
    audit: Audit

    async def cut_off(self, host: str) -> None:
        """End the calls of a host that is gone: nobody can know what became of them (ID-5)."""
        await self._cut(tables.runs.c.host == host, tables.runs.c.state.in_(("queued", "running")))

    async def give_up(self) -> None:
        """End calls that began so long ago that no host can be at them any more."""
        long_ago = written(datetime.now(UTC) - LONGEST_CALL)
        await self._cut(tables.runs.c.started < long_ago, tables.runs.c.state == "running")

    async def _cut(self, *which: sa.ColumnElement[bool]) -> None:
        cut = (*which, tables.runs.c.job.is_(None))
        if await self.store.run(lambda db: db.execute(sa.select(tables.runs.c.id).where(*cut)).first()):
            await self.store.run_alone(lambda db: self._cut_off(db, cut))

    def _cut_off(self, db: sa.Connection, cut: tuple[sa.ColumnElement[bool], ...]) -> None:
        for row in db.execute(sa.select(tables.runs).where(*cut)).mappings().all():
            run = Run.of(row)
            error = NOT_SENT if run.state == "queued" else CUT_OFF
            if error.retry:
                db.execute(sa.delete(tables.answers).where(tables.answers.c.run == run.id))
            runs.end(run, error)
            runs.update(db, run)
            facts = {"card": run.card, "connection": run.connection, "run": run.id}
            self.audit.append(db, "outcome", run.caller, **facts, outcome=error.slug)
