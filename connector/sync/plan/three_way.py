"""The rule for one field of one pair: what each side holds, what each held when they last agreed, and who may write."""

from dataclasses import dataclass
from typing import Literal

from connector.sdk.inventory import Value
from connector.sync.entities import Base, Side
from connector.sync.mapping.values import cut, fold

Direction = Literal["both", "mdm_to_asset", "asset_to_mdm", "none"]
Winner = Literal["mdm", "asset", "hold"]
Act = Literal["agree", "write_asset", "write_mdm", "hold", "lock", "leave"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the mapping says about a field; lengths are what each side can keep."""

    direction: Direction = "mdm_to_asset"
    winner: Winner = "hold"
    when_empty: Literal["keep", "clear"] = "keep"
    drift: Literal["restore", "lock", "leave"] = "restore"
    ignore_case: bool = False
    asset_length: int | None = None
    mdm_length: int | None = None

    def gives(self, side: Side) -> bool:
        """Whether values of this side go to the other."""
        return self.direction in ("both", "mdm_to_asset" if side == "mdm" else "asset_to_mdm")

    def equal(self, one: Value, other: Value) -> bool:
        return one == other or (self.ignore_case and fold(one) == fold(other))

    def agree(self, mdm: Value, asset: Value) -> bool:
        """Equal, or one is what its side can keep of the other."""
        return (
            self.equal(mdm, asset)
            or (asset is not None and self.equal(cut(mdm, self.asset_length), asset))
            or (mdm is not None and self.equal(mdm, cut(asset, self.mdm_length)))
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    act: Act
    why: str = ""


AGREE = Verdict("agree")
NAMES: dict[Side, str] = {"mdm": "the MDM", "asset": "the asset system"}


def decide(mdm: Value, asset: Value, base: Base | None, rule: Rule, *, locked: bool = False) -> Verdict:
    """What to do about one field; `agree` means nothing to write, and both values are the new base."""
    if rule.agree(mdm, asset):
        return AGREE
    found = _first(mdm, asset, rule) if base is None else _since(mdm, asset, base, rule)
    return Verdict("leave", f"locked, else: {found.why}") if locked and found != AGREE else found


def _first(mdm: Value, asset: Value, rule: Rule) -> Verdict:
    if mdm is not None and asset is not None:
        return _won(rule, "first sync, and both sides have a value")
    side: Side = "asset" if mdm is None else "mdm"
    return _give(side, f"first sync, and only {NAMES[side]} has a value") if rule.gives(side) else AGREE


def _since(mdm: Value, asset: Value, base: Base, rule: Rule) -> Verdict:
    now: dict[Side, Value] = {"mdm": mdm, "asset": asset}
    then: dict[Side, Value] = {"mdm": base.mdm_value, "asset": base.asset_value}
    changed = [side for side in now if not rule.equal(now[side], then[side]) and not _kept(side, now, rule)]
    if any(not rule.gives(side) for side in changed):
        return _drifted(changed, now, rule)
    if len(changed) == 2:
        return _won(rule, "both sides changed")
    return _give(changed[0], f"{NAMES[changed[0]]} changed") if changed else AGREE


def _kept(side: Side, now: dict[Side, Value], rule: Rule) -> bool:
    """An empty value that is not to travel: its side may be empty, the other keeps what it has."""
    return now[side] is None and rule.when_empty == "keep" and rule.gives(side)


def _drifted(changed: list[Side], now: dict[Side, Value], rule: Rule) -> Verdict:
    """A one-way field was edited on the side that only receives."""
    giver: Side = "mdm" if rule.gives("mdm") else "asset"
    if rule.drift == "lock":
        return Verdict("lock", f"edited on the side that only receives; {NAMES[giver]} has another value")
    if len(changed) == 2:
        return _won(rule, "both sides changed")
    if rule.drift == "leave" or _kept(giver, now, rule):
        return AGREE
    return _give(giver, "edited on the side that only receives")


def _won(rule: Rule, why: str) -> Verdict:
    return Verdict("hold", why) if rule.winner == "hold" else _give(rule.winner, f"{why}; {NAMES[rule.winner]} wins")


def _give(side: Side, why: str) -> Verdict:
    return Verdict("write_asset" if side == "mdm" else "write_mdm", why)
