"""Who has a device: checkouts in the asset system, users in the MDM. One write a line, whatever happens on the way."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from connector.sdk.errors import OutcomeUnknown, Refused, Unavailable, Unexpected, UpcardError
from connector.sdk.inventory import Asset
from connector.sync.apply.outcomes import GONE, MOVED, Item, Made, Outcome
from connector.sync.entities import Change
from connector.sync.systems.systems import Both

UNCLEAR = (OutcomeUnknown, Unavailable, Unexpected)


class Hands:
    """Hands devices out and takes them back, for one run."""

    def __init__(self, both: Both, made: Made, run: str) -> None:
        self._mdm, self._assets = both.mdm, both.assets
        self._made, self._run = made, run
        self._taken: set[str] = set()  # assets of which a check-in was sent; lines may be tried again

    async def over(self, item: Item, *, again: bool) -> AsyncIterator[Outcome]:
        """Take an asset back, hand it out, or both: then back first, and to whom had it if the other cannot get it."""
        back = next((line for line in item if line.op == "check_in"), None)
        out = next((line for line in item if line.op == "check_out"), None)
        target, person = self._made.id(item[0].target), self._made.id(str(out.after)) if out else None
        is_new = target != item[0].target and not again  # this run created it a moment ago: nobody has it
        now = Asset(target) if is_new else await self._assets.asset(target)
        if now is None:
            for line in item:
                yield Outcome(line, "stale", GONE)
            return
        if now.assignee.id == person and (person or _at_nobody(now)):
            for line in item:
                yield self._made.done(line)
            return
        if back and now.assignee.id == back.before and not _at_nobody(now):
            self._taken.add(target)
            await _sure(self._assets.check_in(target, signed(back, self._run)), lambda: self._has(target, None))
            yield self._made.done(back)
        elif not _at_nobody(now) or (back and not again and target not in self._taken):
            for line in item:
                yield Outcome(line, "stale", MOVED)
            return
        elif back:
            yield self._made.done(back)
        if out and person:
            try:
                await self._check_out(target, person, out)
            except Refused as error:
                if back is None or error.retry:
                    raise
                await self._check_out(target, str(back.before), back)
                yield _put_back(back)
                yield Outcome(out, "failed", error.detail)
            else:
                yield self._made.done(out)

    async def _check_out(self, asset: str, person: str, line: Change) -> None:
        note = signed(line, self._run)
        await _sure(self._assets.check_out(asset, person, note), lambda: self._has(asset, person))

    async def _has(self, asset: str, person: str | None) -> bool:
        now = await self._assets.asset(asset)
        return now is not None and now.assignee.id == person

    async def assign(self, line: Change) -> Outcome:
        after = str(line.after) if line.after is not None else None
        now = await self._mdm.device(line.target)
        if now is None:
            return Outcome(line, "stale", GONE)
        if now.user_id not in (line.before, after):
            return Outcome(line, "stale", MOVED)
        if now.user_id != after:
            await _sure(self._mdm.assign(line.target, after), lambda: self._uses(line.target, after))
        return self._made.done(line)

    async def _uses(self, device: str, user: str | None) -> bool:
        now = await self._mdm.device(device)
        return now is not None and now.user_id == user


def signed(line: Change, run: str) -> str:
    """What a note says, for people and for whoever looks for the source of a change."""
    return f"Upcard: {line.why} (run {run})"


def _at_nobody(asset: Asset) -> bool:
    return asset.assignee.kind == "none"


def _put_back(back: Change) -> Outcome:
    """The asset is with whom it was, as if nothing had been done."""
    bases = tuple(replace(base, asset_value=back.before) for base in back.bases)
    return Outcome(back, "failed", "the next checkout was refused, so it was undone", bases=bases)


async def _sure(writing: Awaitable[Any], is_done: Callable[[], Awaitable[bool]]) -> None:
    """Write; where the answer is no clear one, look whether it was done. Raises OutcomeUnknown where nobody can tell.

    A write may be done, and what is read after it not come: that is no refusal either.
    """
    try:
        await writing
    except UNCLEAR as error:
        try:
            done = await is_done()
        except UpcardError as other:
            raise OutcomeUnknown(error.detail) from other
        if not done:
            raise
