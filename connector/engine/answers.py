"""Answers of calls that may come again: kept sealed under their Idempotency-Key, and given again (ID-1 to ID-9).

A call that destroys something is kept without a key as well, for a while: low-code callers repeat what timed out.
"""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from connector.engine import tables
from connector.engine.abandoned import CUT_OFF
from connector.engine.calls import Ready
from connector.engine.fingerprints import Fingerprints
from connector.engine.hosts import DEAD
from connector.engine.runs import Run
from connector.engine.seals import Seals
from connector.sdk.errors import (
    ApprovalRequired,
    Conflict,
    IdempotencyMismatch,
    InProgress,
    OutcomeUnknown,
    ResultExpired,
    UpcardError,
)

LIFETIME = 86_400.0  # seconds that a key stands for its call (ID-8)
SECRETS = 900.0  # seconds that an answer with a secret in it is kept
SOON = 1.0  # seconds after which it is worth to ask again

answers, approvals, runs, hosts = tables.answers, tables.approvals, tables.runs, tables.hosts


class Canceled(Conflict):
    """The call was canceled before it was made."""

    def __init__(self) -> None:
        super().__init__("The call was canceled in time. Nothing was sent.")


@dataclass(frozen=True)
class Claim:
    """A place for the answer of one call, for `lifetime` seconds, and the answer for `kept` seconds of these.

    `named`: by its caller's key, and not by what it does.
    """

    id: str
    call: str
    lifetime: float
    kept: float
    named: bool


@dataclass(frozen=True)
class Earlier:
    """The run of the same call, and its answer as it was kept; None where it has none."""

    run: Run
    answer: bytes | None


class Answers:
    """`window`: seconds in which the same destructive call without a key is the same command (ID-6)."""

    def __init__(self, seals: Seals, fingerprints: Fingerprints, window: float) -> None:
        self._seals = seals
        self._fingerprints = fingerprints
        self._window = window

    def claim(self, ready: Ready) -> Claim | None:
        """The place for the answer of a call; None where every call is one of its own."""
        if ready.dry_run or not (ready.key or (ready.deed.effect == "destroy" and self._window)):
            return None
        who = (ready.caller.id, ready.card.key, ready.account.name)
        call = self.call(ready)
        lifetime = LIFETIME if ready.key else self._window
        id_ = self._fingerprints.of("key", who, ready.key) if ready.key else self._fingerprints.of("call", call)
        return Claim(id_, call, lifetime, SECRETS if _secret(ready) else LIFETIME, bool(ready.key))

    def call(self, ready: Ready) -> str:
        """What a call does, for whom and where, as a fingerprint."""
        stream = ready.streaming.wanted.model_dump() if ready.streaming else None
        who = (ready.caller.id, ready.card.key, ready.account.name, ready.account.connection.origin())
        return self._fingerprints.of(who, ready.options.model_dump(), ready.inputs.model_dump(), stream)

    def take(self, db: sa.Connection, claim: Claim, run: str) -> Earlier | None:
        """Take the place for this run, in a transaction that is alone; or give what has it, as `earlier` does."""
        at = time.time()
        db.execute(sa.delete(answers).where(answers.c.id == claim.id, answers.c.until <= at))
        if earlier := self.earlier(db, claim):
            return earlier
        until = {"until": at + claim.lifetime, "gone": at + min(claim.kept, claim.lifetime)}
        db.execute(sa.insert(answers).values(id=claim.id, call=claim.call, run=run, **until))
        return None

    def earlier(self, db: sa.Connection, claim: Claim) -> Earlier | None:
        """Raises IdempotencyMismatch, InProgress, ResultExpired, or OutcomeUnknown where its host died on the way."""
        row = db.execute(sa.select(answers).where(answers.c.id == claim.id)).mappings().first()
        if row is None or row["until"] <= time.time():
            return None
        if row["call"] != claim.call:
            raise IdempotencyMismatch("This Idempotency-Key was used for another call. Nothing was sent.")
        found = db.execute(sa.select(runs).where(runs.c.id == row["run"])).mappings().first()
        if found is None:
            raise ResultExpired("The call was made before, and its run is not kept any more.")
        run = Run.of(found)
        if run.state == "waiting_approval":
            raise ApprovalRequired.of(_approval(db, run.id), run.id)
        if run.state in ("queued", "running") and not found["job"]:
            raise _still(db, run, found["host"])
        if run.state == "canceled" and not found["job"]:
            run.error = Canceled().shown(run.id)
        if row["answer"] is None or row["gone"] <= time.time():
            if run.state == "succeeded" and not found["job"]:
                raise ResultExpired("The call was carried out, and its answer is not kept any more.", run=run.id)
            return Earlier(run, None)
        return Earlier(run, self._seals.open_bytes(row["answer"], place(claim.id)))

    def keep(self, db: sa.Connection, claim: Claim, run: str, answer: bytes) -> None:
        """The answer that the same call gets from now on, unless another run has the place meanwhile."""
        sealed = self._seals.seal_bytes(answer, place(claim.id))
        db.execute(sa.update(answers).where(answers.c.id == claim.id, answers.c.run == run).values(answer=sealed))

    def release(self, db: sa.Connection, claim: Claim, run: str) -> None:
        """This run carried nothing out, and the same call may succeed: it is to be made again."""
        db.execute(sa.delete(answers).where(answers.c.id == claim.id, answers.c.run == run))


def _approval(db: sa.Connection, run: str) -> str:
    found: str = db.execute(sa.select(approvals.c.id).where(approvals.c.run == run)).scalar_one()
    return found


def _still(db: sa.Connection, run: Run, host: str) -> UpcardError:
    """A call that goes on, unless its host is gone: then nobody knows what became of it, if it was not only held."""
    seen = db.execute(sa.select(hosts.c.seen).where(hosts.c.id == host)).scalar()
    if run.state == "running" and (seen is None or seen < time.time() - DEAD):
        return OutcomeUnknown(CUT_OFF.detail, run=run.id)
    return InProgress("The first of these calls is still going.", retry_after=SOON, run=run.id)


def _secret(ready: Ready) -> bool:
    """Whether the answer may hold a secret: what a written request gives may be anything."""
    return ready.card.by_name or ready.card.gives_secrets


def place(id_: str) -> str:
    return f"answers/{id_}"
