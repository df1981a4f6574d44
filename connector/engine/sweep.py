"""Take up what nobody works on any more: streams whose workflow failed or is gone.

A run is written before its workflow ends, and queued in the transaction that writes it: in one look at both tables, a
run at work without a living workflow is stranded.
"""

import json

import sqlalchemy as sa
import structlog

from connector.engine import tables
from connector.engine.clock import now
from connector.engine.durable import Queue
from connector.engine.store import Store
from connector.sdk.errors import UpcardError

EVERY = 20.0  # seconds
TIMES = 3  # in a row that a stream is stranded before it is given up

AT_WORK = ("queued", "running", "canceling")
ALIVE = ("ENQUEUED", "PENDING", "DELAYED")

runs = tables.runs
log = structlog.get_logger()


async def sweep(store: Store, queue: Queue) -> None:
    """Queue stranded streams again."""
    await store.run(lambda db: _streams(db, queue))


def _streams(db: sa.Connection, queue: Queue) -> None:
    workflows = tables.workflows(db)
    is_alive = sa.exists().where(workflows.c.workflow_uuid == tables.workflow_of_run(), workflows.c.status.in_(ALIVE))
    at_work = (runs.c.job.is_not(None), runs.c.state.in_(AT_WORK))
    queued = sa.case((runs.c.state == "canceling", "canceling"), else_="queued")
    for id_, segment in db.execute(sa.select(runs.c.id, runs.c.segment).where(*at_work, ~is_alive)).all():
        before = [f"{id_}.{segment - back}" for back in range(1, TIMES) if segment >= back]
        ended_well = workflows.c.workflow_uuid.in_(before), workflows.c.status == "SUCCESS"
        gives_up = len(before) == TIMES - 1 and not db.execute(sa.select(workflows).where(*ended_well)).first()
        log.warning("stranded", run=id_, segment=segment, gives_up=gives_up)
        stranded = sa.update(runs).where(*at_work, runs.c.id == id_, runs.c.segment == segment)
        if gives_up:
            db.execute(stranded.values(_failed(id_, UpcardError("Something went wrong on our side, again and again."))))
        elif db.execute(stranded.values(segment=segment + 1, state=queued)).rowcount:  # no other host was quicker
            queue.put(db, id_, segment + 1)


def _failed(run: str, error: UpcardError) -> dict[str, str]:
    return {"state": "failed", "finished": now(), "wanted": "", "error": json.dumps(error.shown(run))}
