"""Approvals: a call that destroys something waits, sealed, until a second person agrees, refuses, or time is up (DA-5).

The second person has a key of their own that may make the same call. It is neither the key that asked nor one that
this key made, so that whoever holds one key cannot agree with themselves.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import sqlalchemy as sa

from connector.catalog.find import catalog
from connector.engine import tables
from connector.engine.audit import Audit
from connector.engine.callers import Caller
from connector.engine.calls import Call, Ready
from connector.engine.clock import now, written
from connector.engine.keys import Keys
from connector.engine.runs import Run
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.errors import ApprovalRequired, Conflict, Forbidden, NoSuchApproval, SafetyCap
from connector.sdk.kinds import Json

ApprovalState = Literal["waiting", "approved", "refused", "expired"]
WAITING, APPROVED, REFUSED, EXPIRED = get_args(ApprovalState)
MOST_WAITING = 100  # of one key: more than a second person can look at
DECIDED = "The approval does not wait any more."
HIDDEN = ("call", "payload")  # columns that are not shown

approvals, answers, runs = tables.approvals, tables.answers, tables.runs


@dataclass(frozen=True)
class Approved:
    """A call that a second person agrees to."""

    id: str
    by: str
    payload: str
    reason: str | None


class Approvals:
    """Those of all hosts that share the store."""

    def __init__(self, store: Store, seals: Seals, keys: Keys, audit: Audit) -> None:
        self._store = store
        self._seals = seals
        self._keys = keys
        self._audit = audit

    def ask(self, db: sa.Connection, ready: Ready, run: Run, payload: str, target: str | None) -> ApprovalRequired:
        """Put a call aside for a second person; gives what its caller is told. Raises SafetyCap."""
        waits = sa.select(sa.func.count()).where(approvals.c.caller == run.caller, approvals.c.state == WAITING)
        if db.execute(waits).scalar_one() >= MOST_WAITING:
            raise SafetyCap(f"{MOST_WAITING} calls of this key wait for a second person already. Nothing was sent.")
        id_ = f"apr_{secrets.token_hex(10)}"
        said = {"options": ready.options.model_dump(), "inputs": ready.inputs.model_dump(), "key": ready.key}
        expires = datetime.now(UTC) + timedelta(hours=ready.account.policy.approval_hours)
        row: Json = {"id": id_, "run": run.id, "caller": run.caller, "card": run.card, "connection": run.connection}
        row |= {"target": target, "payload": payload, "reason": ready.reason, "state": WAITING}
        row |= {"created": now(), "expires": written(expires), "call": self._seals.seal(json.dumps(said), _place(id_))}
        db.execute(sa.insert(approvals).values(row))
        return ApprovalRequired.of(id_, run.id)

    async def all(self, caller: Caller, state: str | None) -> list[Json]:
        """What this caller asked for, or may decide; newest first."""
        wanted = sa.select(approvals).order_by(approvals.c.created.desc())
        wanted = wanted.where(approvals.c.state == state) if state else wanted
        rows = await self._store.run(lambda db: db.execute(wanted).mappings().all())
        return [shown(row) for row in rows if _concerns(row, caller)]

    async def get(self, id_: str, caller: Caller) -> sa.RowMapping:
        """One of these. Raises NoSuchApproval."""
        wanted = sa.select(approvals).where(approvals.c.id == id_)
        row = await self._store.run(lambda db: db.execute(wanted).mappings().first())
        if row is None or not _concerns(row, caller):
            raise NoSuchApproval("There is no approval of this id.")
        return row

    def call(self, row: sa.RowMapping, by: Caller) -> Call:
        """The call as it was asked for, for a second person. Raises Forbidden, Conflict."""
        self._refuse_the_same(row, by)
        asks = self._keys.known(row["caller"])
        if row["state"] != WAITING or row["expires"] <= now() or asks is None:
            raise Conflict(DECIDED)
        said = json.loads(self._seals.open(row["call"], _place(row["id"])))
        return Call(row["card"], asks, row["connection"], said["options"], said["inputs"], key=said["key"])

    def agree(self, db: sa.Connection, approved: Approved, payload: str) -> None:
        """Note it, in the transaction that begins the call. Raises Conflict where it is decided, or another call."""
        if payload != approved.payload:
            raise Conflict("The call is not the one that was asked for.")
        self._decide(db, approved.id, APPROVED, approved.by, approved.reason)

    async def refuse(self, row: sa.RowMapping, by: Caller, reason: str | None) -> None:
        """The call is not made; who asked may take it back like this as well."""
        if row["caller"] != by.id:
            self._refuse_the_same(row, by)
        why = Forbidden("A second person refused this. Nothing was sent.")

        def work(db: sa.Connection) -> None:
            self._decide(db, row["id"], REFUSED, by.id, reason)
            _end(db, row["run"], why.shown(row["run"]))
            names = ("card", "connection", "target", "run")
            facts = {name: row[name] for name in names}
            self._audit.append(db, "approval", by.id, decision=REFUSED, approval=row["id"], reason=reason, **facts)

        await self._store.run_alone(work)

    async def expire(self) -> None:
        """End what nobody decided in time."""
        late = sa.select(approvals.c.id, approvals.c.run).where(
            approvals.c.state == WAITING, approvals.c.expires <= now()
        )
        if not await self._store.run(lambda db: db.execute(late).first()):
            return

        def work(db: sa.Connection) -> None:
            for id_, run in db.execute(late).all():
                self._decide(db, id_, EXPIRED, "", None)
                _end(db, run, ApprovalRequired("Nobody approved this in time. Nothing was sent.").shown(run))
                self._audit.append(db, "approval", "", decision=EXPIRED, approval=id_, run=run)

        await self._store.run_alone(work)

    def _decide(self, db: sa.Connection, id_: str, state: str, by: str, reason: str | None) -> None:
        waiting = sa.update(approvals).where(approvals.c.id == id_, approvals.c.state == WAITING)
        decided = {"state": state, "decided_by": by, "decided_at": now(), "decided_why": reason, "call": None}
        if not db.execute(waiting.values(decided)).rowcount:
            raise Conflict(DECIDED)

    def _refuse_the_same(self, row: sa.RowMapping, by: Caller) -> None:
        if row["caller"] in self._keys.makers(by.id):
            raise Forbidden("A second person has to approve this: neither the key that asked, nor one that it made.")


def shown(row: sa.RowMapping) -> Json:
    """An approval without the call itself."""
    return {str(key): value for key, value in row.items() if key not in HIDDEN}


def _concerns(row: sa.RowMapping, caller: Caller) -> bool:
    """Whether it is the caller's own, or one that they may decide."""
    card = catalog().cards.get(row["card"])
    may = card is not None and caller.grant.covers(card) and caller.grant.reaches(row["connection"])
    return may or row["caller"] == caller.id


def _end(db: sa.Connection, run: str, error: Json) -> None:
    """The run that was not begun failed, and the same call may be made anew (ID-9)."""
    values = {"state": "failed", "finished": now(), "error": json.dumps(error)}
    db.execute(sa.update(runs).where(runs.c.id == run).values(values))
    db.execute(sa.delete(answers).where(answers.c.run == run))


def _place(id_: str) -> str:
    return f"approvals/{id_}/call"
