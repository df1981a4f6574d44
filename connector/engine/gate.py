"""The gate before a service: what changes something, or gives secrets, passes here and nowhere else.

One transaction before anything is sent: the answer's place, policy, kill switch, caps, the run and the audit; one after
it: the outcome in all of these. If the first cannot be written, nothing is sent (DA-8).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connector.engine import policies, runs, tables
from connector.engine.answers import Answers, Canceled, Claim, Earlier
from connector.engine.approvals import Approvals, Approved
from connector.engine.audit import Audit
from connector.engine.buckets import Buckets
from connector.engine.calls import Ready
from connector.engine.connections import Connections
from connector.engine.keys import Keys
from connector.engine.permits import Permits
from connector.engine.runs import Run, Runs
from connector.engine.store import AWAY, Store
from connector.engine.switch import Switch
from connector.engine.telemetry import Telemetry
from connector.sdk.card import Card, Effect
from connector.sdk.errors import (
    Conflict,
    Forbidden,
    OutcomeUnknown,
    SafetyCap,
    Unavailable,
    UpcardError,
)

AGAIN = 1.0  # seconds until an outcome is written again that did not reach the store
REFUSALS = (Forbidden, SafetyCap, Conflict)  # that are in the audit
REFUSALS_PER_SECOND, MOST_REFUSALS = 1.0, 100.0  # of one key that are in it


@dataclass(frozen=True)
class Pass:
    """What lets a call through: its run, the place of its answer, whether it is audited, and its fingerprint then."""

    ready: Ready
    run: Run
    claim: Claim | None = None
    audited: bool = False
    payload: str = ""

    @property
    def hold(self) -> int:
        """Seconds in which it can be canceled."""
        return self.ready.account.policy.hold_seconds if self.audited and self.ready.deed.disruptive else 0

    @property
    def kept(self) -> bool:
        """Whether its run is in the store already."""
        return self.audited or self.claim is not None


@dataclass(frozen=True)
class Gate:
    """One for all calls of a host. `host`: its id."""

    store: Store
    runs: Runs
    connections: Connections
    answers: Answers
    approvals: Approvals
    permits: Permits
    audit: Audit
    switch: Switch
    telemetry: Telemetry
    keys: Keys
    host: str
    refusals: Buckets = field(default_factory=lambda: Buckets(REFUSALS_PER_SECOND, MOST_REFUSALS))

    async def enter(self, ready: Ready, run: Run, approved: Approved | None = None) -> Pass | Earlier:
        """Put a call on record before it is made; or the same call that was made before.

        Raises Forbidden, SafetyCap, ApprovalRequired, Conflict, and what `Answers` raises; nothing is sent then.
        """
        claim, deed = self.answers.claim(ready), ready.deed
        audited = not ready.dry_run and (deed.effect != "read" or deed.secret)
        if not audited and claim is None:
            self.runs.begin_read(run)
            return Pass(ready, run)
        passed = Pass(ready, run, claim, audited, claim.call if claim else self.answers.call(ready))
        run.host, run.state = self.host, "queued" if passed.hold else "running"
        try:
            found = await self._entered(passed, approved)
        except REFUSALS as error:
            await self._note_refused(run.caller, error, **_facts(passed))
            raise
        if audited and isinstance(found, Pass):
            self.telemetry.decided(deed.effect, "allowed")
        return found

    async def refused(self, caller: str, card: Card, error: UpcardError) -> None:
        """Put on record that a key does not allow a card that changes something or gives secrets."""
        if card.effect != "read" or card.only_secrets:
            await self._note_refused(caller, error, card=card.key, effect=card.effect)

    async def _note_refused(self, caller: str, error: UpcardError, *, effect: Effect, **facts: Any) -> None:
        """Each is counted; who is refused without end does not fill the audit, which is kept forever."""
        self.telemetry.decided(effect, error.slug)
        if not self.refusals.take(caller, time.monotonic()):
            await self.audit.note("call", caller, **facts, effect=effect, decision="refused", why=error.slug)

    async def still_open(self, passed: Pass) -> None:
        """Ask the store immediately before something is sent: this host may have been frozen meanwhile (DA-6).

        Raises Forbidden by the kill switch, Conflict where the run was ended by others, Unavailable without the store.
        """
        try:
            if passed.ready.deed.disruptive:
                await self.switch.look()
                self.switch.refuse()
            wanted = sa.select(tables.runs.c.state).where(tables.runs.c.id == passed.run.id)
            if passed.kept and await self.store.run(lambda db: db.execute(wanted).scalar()) != "running":
                raise Conflict("The host was away for so long that others ended the call. Nothing was sent.")
        except AWAY as error:
            why = "The store cannot be asked whether the call may still be made. Nothing was sent: call again."
            raise Unavailable(why) from error

    def claim(self, ready: Ready) -> Callable[[sa.Connection, str], Earlier | None] | None:
        """How a stream's run takes the place of its answer; None where it has none."""
        claim = self.answers.claim(ready)
        return (lambda db, run: self.answers.take(db, claim, run)) if claim else None

    async def waited(self, passed: Pass) -> None:
        """Let the time pass in which the call can be canceled. Raises Conflict where it was (DA-7), Forbidden where
        its key was revoked meanwhile, or destroying was turned off.
        """
        if passed.hold:
            await asyncio.sleep(passed.hold)
            held = sa.update(tables.runs).where(tables.runs.c.id == passed.run.id, tables.runs.c.state == "queued")
            if not (await self.store.run_alone(lambda db: db.execute(held.values(state="running")))).rowcount:
                raise Canceled
            self._still_allowed(passed.ready)

    def _still_allowed(self, ready: Ready) -> None:
        if self.keys.known(ready.caller.id) is None:
            raise Forbidden("The key was revoked, or has ended, since the call came. Nothing was sent.")
        if ready.deed.effect == "destroy" and self.connections.get(ready.account.name).policy.destroy == "off":
            raise Forbidden("Cards that destroy were turned off since the call came. Nothing was sent.")

    async def leave(self, passed: Pass, answer: bytes, error: UpcardError | None, status: int | None) -> None:
        """Put on record how a call ended, as soon as the store takes it. `status`: of the last answer to a change.

        Until then the call goes on: its caller is not told what the same key would not say again.
        """
        if not passed.kept:
            self.runs.end_read(passed.run, error)
            return
        runs.end(passed.run, error)
        passed.run.state = "canceled" if isinstance(error, Canceled) else passed.run.state
        outcome = error.slug if error else "succeeded"

        def work(db: sa.Connection) -> None:
            runs.update(db, passed.run)
            if passed.claim:
                self._keep(db, passed, passed.claim, answer, error, status)
            if passed.audited:
                self.audit.append(db, "outcome", passed.run.caller, **_facts(passed), outcome=outcome, status=status)

        while True:
            try:
                await self.store.run_alone(work)
            except AWAY:
                await asyncio.sleep(AGAIN)
            else:
                return

    def _keep(
        self,
        db: sa.Connection,
        passed: Pass,
        claim: Claim,
        answer: bytes,
        error: UpcardError | None,
        status: int | None,
    ) -> None:
        """A call that may be made again is, and one without a key where it certainly was not carried out."""
        undone = status is not None and status >= 400 if error is None else error.slug != OutcomeUnknown.slug
        if (error and error.retry) or (undone and not claim.named):
            self.answers.release(db, claim, passed.run.id)
        elif not error:
            self.answers.keep(db, claim, passed.run.id, answer)

    async def _entered(self, passed: Pass, approved: Approved | None) -> Pass | Earlier:
        ready, run = passed.ready, passed.run
        if ready.deed.effect == "destroy" or ready.confirm is not None:
            if not approved and (earlier := await self.store.read(lambda db: self._earlier(db, passed))):
                return earlier
            if ready.deed.disruptive:
                self.switch.refuse()
            if (held := await self.permits.may_destroy(ready)) is not None and not approved:
                return await self._held(passed, held)
        fleet = await self.permits.fleet_allows(ready)

        def work(db: sa.Connection) -> Pass | Earlier:
            if passed.claim and not approved and (earlier := self.answers.take(db, passed.claim, run.id)):
                return earlier
            if approved:
                self.approvals.agree(db, approved, passed.payload)
            if ready.deed.disruptive:
                self.switch.refuse(db)
                policies.refuse_over(db, run.connection, ready.deed, ready.account.policy, fleet)
                policies.count(db, run.id, run.connection, ready.deed)
            if approved:
                self.audit.append(db, "approval", approved.by, decision="approved", approval=approved.id, run=run.id)
                runs.update(db, run)
            else:
                runs.insert(db, run)
            if passed.audited:
                self.audit.append(db, "call", run.caller, **_facts(passed), payload=passed.payload, decision="allowed")
            return passed

        return await self.store.run_alone(work)

    def _earlier(self, db: sa.Connection, passed: Pass) -> Earlier | None:
        return self.answers.earlier(db, passed.claim) if passed.claim else None

    async def _held(self, passed: Pass, target: str) -> Earlier:
        """Put the call aside for a second person. Raises ApprovalRequired."""
        ready, run = passed.ready, passed.run
        run.state = "waiting_approval"
        asked = f"{target}: {ready.deed.target}" if target and ready.card.by_name else target or ready.deed.target

        def work(db: sa.Connection) -> Earlier | UpcardError:
            if passed.claim and (earlier := self.answers.take(db, passed.claim, run.id)):
                return earlier
            runs.insert(db, run)
            self.audit.append(db, "call", run.caller, **_facts(passed), payload=passed.payload, decision="held")
            return self.approvals.ask(db, ready, run, passed.payload, asked)

        found = await self.store.run_alone(work)
        if isinstance(found, UpcardError):
            raise found
        return found


def _facts(passed: Pass) -> dict[str, Any]:
    """What is run on what, for the audit."""
    run, deed = passed.run, passed.ready.deed
    equal = deed.card if deed.card != run.card else None
    facts = {"card": run.card, "connection": run.connection, "run": run.id}
    return {**facts, "equals": equal, "effect": deed.effect, "target": deed.target}
