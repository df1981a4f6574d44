"""The rule for one field, case by case as the design's table has it."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connector.sdk.inventory import Value
from connector.sync.entities import Base
from connector.sync.plan.three_way import Act, Direction, Rule, Winner, decide

BOTH = Rule("both", winner="asset")
IN = Rule("mdm_to_asset", winner="mdm")
OUT = Rule("asset_to_mdm", winner="asset")
HOLD = Rule("both", winner="hold")
CLEAR = Rule("both", winner="mdm", when_empty="clear")
SHORT = Rule("both", winner="mdm", asset_length=3)


def was(mdm: Value, asset: Value) -> Base:
    return Base("device/a1", "tag", mdm, asset)


@pytest.mark.parametrize(
    ("mdm", "asset", "base", "rule", "act"),
    [
        ("x", "x", None, BOTH, "agree"),
        ("x", "y", was("x", "y"), BOTH, "agree"),
        ("new", "x", was("x", "x"), BOTH, "write_asset"),
        ("x", "new", was("x", "x"), BOTH, "write_mdm"),
        ("m", "a", was("x", "x"), BOTH, "write_mdm"),
        ("m", "a", was("x", "x"), CLEAR, "write_asset"),
        ("m", "a", was("x", "x"), HOLD, "hold"),
        ("m", None, None, BOTH, "write_asset"),
        (None, "a", None, BOTH, "write_mdm"),
        (None, "a", None, IN, "agree"),
        ("m", "a", None, IN, "write_asset"),
        ("m", "a", None, BOTH, "write_mdm"),
        ("m", "a", None, HOLD, "hold"),
        ("x", "new", was("x", "x"), IN, "write_asset"),
        ("new", "x", was("x", "x"), OUT, "write_mdm"),
        ("x", "new", was("x", "x"), Rule("mdm_to_asset", drift="lock"), "lock"),
        ("x", "new", was("x", "x"), Rule("mdm_to_asset", drift="leave"), "agree"),
        (None, "x", was("x", "x"), BOTH, "agree"),
        (None, "x", was("x", "x"), CLEAR, "write_asset"),
        ("x", None, was("x", "x"), CLEAR, "write_mdm"),
        ("x", None, was("x", "x"), IN, "write_asset"),
        (None, "new", was("x", "x"), CLEAR, "write_asset"),
        (None, "new", was("x", "x"), Rule("both", winner="mdm"), "write_mdm"),
        (None, "new", was(None, "x"), IN, "agree"),
        ("long", "lon", None, SHORT, "agree"),
        ("long", "lon", was("long", "lon"), SHORT, "agree"),
        ("long", "new", was("long", "lon"), SHORT, "write_mdm"),
        ("IT-1", "it-1", None, Rule("both", ignore_case=True), "agree"),
        ("IT-1", "it-1", None, HOLD, "hold"),
    ],
)
def test_a_field_is_decided(mdm: Value, asset: Value, base: Base | None, rule: Rule, act: Act) -> None:
    """By what changed since both agreed, and by who may write."""
    assert decide(mdm, asset, base, rule).act == act


def test_never_synced_is_not_the_same_as_empty() -> None:
    """Two values on a first sync are a question; a value where both were empty is a change."""
    assert decide("x", None, was(None, "y"), CLEAR).act == "write_asset"
    assert decide("m", "a", was(None, "a"), HOLD).act == "write_asset"
    assert decide("m", "a", None, HOLD).act == "hold"


def test_a_locked_field_is_only_reported() -> None:
    """With what would be done; where nothing would be, there is nothing to say."""
    assert decide("new", "x", was("x", "x"), BOTH, locked=True).act == "leave"
    assert decide("new", "x", was("x", "x"), BOTH, locked=True).why == "locked, else: the MDM changed"
    assert decide("x", "x", was("x", "x"), BOTH, locked=True).act == "agree"


VALUES = some.sampled_from([None, "a", "b", "abcd", "abce"])
LENGTHS = some.sampled_from([None, 3])
MIRROR = {"mdm": "asset", "asset": "mdm", "mdm_to_asset": "asset_to_mdm", "asset_to_mdm": "mdm_to_asset"}
MIRROR |= {"write_asset": "write_mdm", "write_mdm": "write_asset"}
RULES = some.builds(
    Rule,
    direction=some.sampled_from(get_args(Direction)[:3]),
    winner=some.sampled_from(get_args(Winner)),
    when_empty=some.sampled_from(["keep", "clear"]),
    drift=some.sampled_from(["restore", "lock", "leave"]),
    asset_length=LENGTHS,
    mdm_length=LENGTHS,
)


def mirrored(rule: Rule) -> Rule:
    direction, winner = MIRROR.get(rule.direction, rule.direction), MIRROR.get(rule.winner, rule.winner)
    lengths = {"asset_length": rule.mdm_length, "mdm_length": rule.asset_length}
    return Rule(direction, winner, rule.when_empty, rule.drift, **lengths)  # type: ignore[arg-type] # mirrored words


@given(VALUES, VALUES, some.none() | some.tuples(VALUES, VALUES), RULES)
def test_swapping_the_sides_mirrors_the_verdict(
    mdm: Value, asset: Value, then: tuple[Value, Value] | None, rule: Rule
) -> None:
    """No side is favoured but by the rule."""
    straight = decide(mdm, asset, was(*then) if then else None, rule).act
    swapped = decide(asset, mdm, was(then[1], then[0]) if then else None, mirrored(rule)).act

    assert swapped == MIRROR.get(straight, straight)
