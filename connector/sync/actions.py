"""Quick actions on a linked device: a caller's own call of a card, once the mapping allows it and nothing is in doubt.

Of the card's answer nothing is kept but how it ended: it may hold a PIN.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import orjson
import structlog

from connector.engine.callers import Caller
from connector.engine.calls import Call, Ready
from connector.engine.gate import Gate
from connector.engine.runner import Answer, Runner
from connector.engine.runs import Run
from connector.engine.store import AWAY
from connector.sdk.card import Card
from connector.sdk.errors import Conflict, Fault, Forbidden, InvalidCall, Refused, UpcardError
from connector.sdk.inventory import Device
from connector.sdk.kinds import STATUS, Json
from connector.sdk.tables import rows
from connector.sync import acting
from connector.sync.assets import Assets, Linked
from connector.sync.mapping.mapping import Actions as Allowed
from connector.sync.syncs import Sync

NOTED = 5.0  # seconds that the note on the asset may take; the caller waits for the answer
PLATFORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "guide": {"restart": ("Mac",), "shutdown": ("Mac",)},
    "api": {"restart": ("iPhone", "iPad", "AppleTV", "Mac"), "shutdown": ("iPhone", "iPad", "Mac")},
}

log = structlog.get_logger()


@dataclass(frozen=True)
class Wanted:
    """An action as a caller asks for it. `confirm`: the serial number, typed. `key`: the Idempotency-Key."""

    asset: str
    action: str
    confirm: str | None = None
    reason: str | None = None
    inputs: Json = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True)
class QuickActions:
    """The actions of all syncs. Policy, caps, approvals and scopes are those of the caller and the connection."""

    assets: Assets
    runner: Runner

    async def allowed(self, sync: Sync, linked: Linked) -> list[str]:
        """Which actions may be asked for of this device now."""
        known = linked.both.mdm.actions
        some = [name for name in sync.rules.actions.allow if name in known] if sync.rules.actions.enabled else []
        if not some or linked.link.state != "active":
            return []
        device = await linked.both.mdm.device(linked.link.mdm_id)
        return [name for name in some if device and _unfit(sync.rules.actions, device, name) is None]

    async def act(self, sync: Sync, wanted: Wanted, caller: Caller, wait: float) -> tuple[Run, Answer | None]:
        """Call the card that does it; its run and its answer, None where it is not over after so many seconds.

        Raises Forbidden and InvalidCall where it is not allowed, Conflict where the same was done just now, and what
        the call of the card raises.
        """
        rules = sync.rules.actions
        card = await self._card(sync, wanted.action, caller)
        _refuse_off(rules, wanted.action)
        linked = await self.assets.linked(sync, wanted.asset)
        device = await self._device(linked)
        if why := _unfit(rules, device, wanted.action):
            raise Conflict(why)
        _refuse_unconfirmed(rules, device, wanted)
        ready = await self._ready(sync, card, caller, device, wanted)
        return await self._carried_out(sync, linked, device, wanted, ready, wait)

    async def _card(self, sync: Sync, action: str, caller: Caller) -> Card:
        """The card that does it, where the caller's key allows it."""
        known = self.assets.syncs.both(sync).mdm.actions
        if action not in known:
            raise InvalidCall.of([Fault("action", f"Action must be one of: {', '.join(known)}.")])
        key = f"{self.assets.syncs.systems.mdm_account(sync.rules).connector}.{known[action]}"
        try:
            return self.runner.reader.allow(key, caller)
        except Forbidden as error:
            await self._gate.refused(caller.id, self.runner.reader.catalog.card(key), error)
            raise

    @property
    def _gate(self) -> Gate:
        return self.runner.gate

    async def _device(self, linked: Linked) -> Device:
        if linked.link.state != "active":
            raise Conflict(f"The link of this asset is {linked.link.state}: only linked devices take quick actions.")
        device = await linked.both.mdm.device(linked.link.mdm_id)
        if device is None:
            raise Conflict("The device is not in the MDM any more.")
        return device

    async def _ready(self, sync: Sync, card: Card, caller: Caller, device: Device, wanted: Wanted) -> Ready:
        target = next(row.key for row in rows(card.inputs) if row.mark.target)
        if target in wanted.inputs:
            raise InvalidCall.of([Fault(f"inputs/{target}", "The device follows from the asset: leave this out.")])
        connection = self.assets.syncs.systems.mdm_account(sync.rules).name
        inputs = {**wanted.inputs, target: device.mdm_id}
        confirm = device.serial if _is_confirmed(device, wanted) else wanted.confirm
        said: Json = {"key": wanted.key, "confirm": confirm, "reason": wanted.reason}
        return await self.runner.reader.read_for(card, Call(card.key, caller, connection, {}, inputs, **said))

    async def _carried_out(
        self, sync: Sync, linked: Linked, device: Device, wanted: Wanted, ready: Ready, wait: float
    ) -> tuple[Run, Answer | None]:
        store, act = self.assets.syncs.store, acting.Act(sync.name, wanted.action, device, ready.caller.id)
        if await self._is_again(ready):
            run, answer = await self.runner.run(ready, wait)
            if answer:
                await self._noted(act, linked, ready.card, run, answer)
            return run, answer
        await store.run_alone(lambda db: acting.begin(db, act))
        try:
            run, answer = await self.runner.run(ready, wait, partial(self._noted, act, linked, ready.card))
        except UpcardError:
            await store.run_alone(lambda db: acting.withdraw(db, act))  # nothing was sent
            raise
        if run.replayed:  # another one had the same key at the same moment
            await store.run_alone(lambda db: acting.withdraw(db, act))
        return run, answer

    async def _is_again(self, ready: Ready) -> bool:
        """Whether the same call was made before, under the same Idempotency-Key: its answer is given again."""
        answers = self._gate.answers
        if (claim := answers.claim(ready)) is None:
            return False
        return await self.assets.syncs.store.read(lambda db: answers.earlier(db, claim)) is not None

    async def _noted(self, act: acting.Act, linked: Linked, card: Card, run: Run, answer: Answer) -> None:
        """Put on record how it ended, and on the asset that it was done; an answer is given whatever becomes of it."""
        problem = _problem(card, answer)
        try:
            is_new = await self.assets.syncs.store.run_alone(lambda db: acting.end(db, act, run.id, problem))
        except AWAY as error:
            log.warning("action_not_recorded", run=run.id, error=type(error).__name__)
            return
        if is_new and problem is None:
            with suppress(UpcardError, TimeoutError):
                async with asyncio.timeout(NOTED):
                    await linked.both.assets.note(linked.link.sys_id, act.sentence(run.id))


def _problem(card: Card, answer: Answer) -> Json | None:
    """Why it was not done: the problem it ended with, or the status that a service refused it with."""
    if answer.problem is not None:
        return answer.problem
    outputs: dict[str, int] = orjson.loads(answer.written)
    keys = [row.key for table in card.outputs for row in rows(table) if row.kind is STATUS]
    status: int = next((outputs[key] for key in keys if outputs.get(key)), 0)
    return Refused.saying(status, "").shown() if status >= 400 else None


def _refuse_off(rules: Allowed, action: str) -> None:
    if not rules.enabled:
        raise Forbidden("Quick actions are off: actions.enabled of the mapping turns them on.")
    if action not in rules.allow:
        raise Forbidden(f"The action {action} is not in actions.allow of the mapping.")


def _unfit(rules: Allowed, device: Device, action: str) -> str | None:
    """Why a device does not take an action."""
    if device.is_removed or not device.mdm_enabled:
        return "The device is not enrolled any more."
    platforms = PLATFORMS[rules.platforms].get(action)
    if platforms and device.platform not in platforms:
        return f"The action {action} is for {', '.join(platforms)} here."
    return None


def _refuse_unconfirmed(rules: Allowed, device: Device, wanted: Wanted) -> None:
    if wanted.action in rules.confirm and not _is_confirmed(device, wanted):
        raise InvalidCall.of([Fault("confirm", "Confirm must be the serial number of the device, typed.")])


def _is_confirmed(device: Device, wanted: Wanted) -> bool:
    return bool(device.serial) and (wanted.confirm or "").strip().upper() == (device.serial or "").strip().upper()
