"""What a caller gave is read into a table, or everything that is wrong with it is said at once."""

import time
from typing import Any, Literal

import pytest
from hypothesis import given, settings

from connector.sdk.errors import MOST_FAULTS, Fault, InvalidCall
from connector.sdk.kinds import Boolean, Date, Integer, List, Object, Text
from connector.sdk.reading import accept, read
from connector.sdk.tables import CardInputs, CardOptions, field
from tests.connector.sdk.anyjson import objects


class Options(CardOptions):
    details: Literal["basic", "full"] = field("How much")


class Inputs(CardInputs, any_of=("note", "phone")):
    device_id: str = field("ID of the device", max_length=8, pattern="^[a-z0-9]+$")
    note: Text = field("A note", label="Short Note", min_length=2)
    phone: Text = field("Phone number")
    count: Integer = field("How many", ge=1, le=9)
    active: Boolean = field("Whether it is active")
    when: Date = field("When")
    params: Object = field("Parameters")
    tags: List = field("Tags")
    pin: Text = field("PIN", digits=6, secret=True)


GOOD = {"device_id": "d1", "note": "hello"}


def faults(given: Any, **more: Any) -> list[tuple[str, str]]:
    found = read(Inputs, {**GOOD, **given} if isinstance(given, dict) else given, "inputs", **more)
    assert isinstance(found, list)
    return [(fault.at, fault.why) for fault in found]


def test_what_is_right_becomes_a_table() -> None:
    """Loose values are converted on the way."""
    found = read(Inputs, {**GOOD, "count": " 3 ", "active": "true", "pin": 1}, "inputs")

    assert isinstance(found, Inputs)
    assert (found.count, found.active, found.pin, found.phone) == (3, True, "000001", None)


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_required_value_that_is_blank_is_asked_for(blank: str | None) -> None:
    """Null and blank are the same as left out, and so is the sentence."""
    asked = [("inputs/device_id", "No Device ID input provided. Enter a valid Device ID.")]

    assert faults({"device_id": blank}) == asked
    assert [(fault.at, fault.why) for fault in _list(read(Inputs, {"note": "hello"}, "inputs"))] == asked


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "No Asset IDs input provided. Enter a valid Asset IDs."),
        ("a1", "Asset IDs must be a list."),
        ([], "Asset IDs must have at least 1 entries."),
        (["a1", "a2", "a3"], "Asset IDs must have at most 2 entries."),
    ],
)
def test_a_list_of_texts_is_read_as_a_list(given: Any, why: str) -> None:
    """It may be required, and limited."""

    class Some(CardInputs):
        asset_ids: list[str] = field("Some", label="Asset IDs", min_length=1, max_length=2)

    assert [fault.why for fault in _list(read(Some, {"asset_ids": given}, "inputs"))] == [why]


def test_a_required_choice_is_asked_for_with_its_choices() -> None:
    """Whoever reads the error can mend the call."""
    found = _list(read(Options, {}, "options", "option"))

    assert found == [Fault("options/details", "No Details option provided. Choose one of: basic, full.")]


@pytest.mark.parametrize(
    ("given", "at", "why"),
    [
        ({"device_id": "s3cretlong"}, "device_id", "Device ID must have at most 8 characters."),
        ({"device_id": "S3CRET"}, "device_id", "Device ID does not have the right form."),
        ({"device_id": ["s3cret"]}, "device_id", "Device ID must be text."),
        ({"note": "s"}, "note", "Short Note must have at least 2 characters."),
        ({"count": 0}, "count", "Count must be 1 or more."),
        ({"count": "10"}, "count", "Count must be 9 or less."),
        ({"count": "1.5"}, "count", "Count must be a whole number."),
        ({"count": "s3cret"}, "count", "Count must be a number."),
        ({"count": float("inf")}, "count", "Count must be a number."),
        ({"active": "s3cret"}, "active", "Active must be true or false."),
        ({"active": 1}, "active", "Active must be true or false."),
        ({"when": "s3cret"}, "when", "When must be a date and time, for example 2026-02-03T09:15:00Z."),
        ({"params": "s3cret"}, "params", "Params must be an object."),
        ({"tags": "s3cret"}, "tags", "Tags must be a list."),
        ({"pin": "s3cret"}, "pin", "PIN must be exactly 6 digits."),
        ({"pin": "\uff11\uff12\uff13\uff14\uff15\uff16"}, "pin", "PIN must be exactly 6 digits."),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(given: dict[str, Any], at: str, why: str) -> None:
    """ER-1, ER-2: the sentence says what would be right; the value, which may be a secret, is not in it."""
    assert faults(given) == [(f"inputs/{at}", why)]


def test_a_wrong_choice_is_told_the_right_ones() -> None:
    """The choices are named by their slugs, which every call can send."""
    found = _list(read(Options, {"details": "s3cret"}, "options", "option"))

    assert found == [Fault("options/details", "Details must be one of: basic, full.")]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("devise_id", "There is no input of this name. Did you mean device_id?"),
        ("Phone", "There is no input of this name. Did you mean phone?"),
        ("platform", "There is no input of this name."),
        ("", "There is no input of this name."),
    ],
)
def test_an_unknown_name_is_refused_with_a_guess(key: str, why: str) -> None:
    """A misspelt input is never dropped."""
    assert faults({key: "s3cret"}) == [(f"inputs/{key}", why)]


def test_every_fault_is_told_at_once() -> None:
    """ER-1: a caller mends a call in one go."""
    found = faults({"device_id": None, "count": 0, "pin": "1", "tags": 1, "more": 1})

    assert [at for at, _ in found] == ["inputs/device_id", "inputs/count", "inputs/tags", "inputs/pin", "inputs/more"]


@pytest.mark.parametrize("given", [None, "x", [], [{}], 1, True])
def test_a_table_is_read_from_an_object_only(given: Any) -> None:
    """Anything else is named where it stands."""
    assert faults(given) == [("inputs", "must be an object")]


@pytest.mark.parametrize("none", [{}, {"note": None}, {"note": "", "phone": "  "}])
def test_one_of_several_is_asked_for(none: dict[str, Any]) -> None:
    """A rule across rows is told by their labels, at the table."""
    found = _list(read(Inputs, {"device_id": "d1", **none}, "inputs"))

    assert found == [Fault("inputs", "Enter at least one of: Short Note, Phone.")]


def test_one_of_several_is_enough() -> None:
    """It does not matter which."""
    assert isinstance(read(Inputs, {"device_id": "d1", "phone": "1"}, "inputs"), Inputs)


def test_a_table_is_accepted_or_the_call_is_invalid() -> None:
    """The detail is the first fault, and says that there are more."""
    with pytest.raises(InvalidCall) as raised:
        accept(Inputs, {"count": 0, "pin": "1"})

    assert raised.value.detail == "No Device ID field provided. Enter a valid Device ID. (2 more: see errors.)"
    assert [fault.at for fault in raised.value.faults] == ["device_id", "count", "pin"]


@settings(max_examples=30, deadline=None)
@given(objects("device_id", "note", "phone", "count", "active", "when", "params", "tags", "pin"))
def test_any_object_is_read_or_refused(given: dict[str, Any]) -> None:
    """ER-2: there is no third outcome; every fault is below the table and ends its sentence."""
    found = read(Inputs, given, "inputs")

    assert isinstance(found, Inputs) or all(fault.at.startswith("inputs") for fault in found)


def test_of_many_faults_the_first_are_told() -> None:
    """AU-7, UP-8: a body of 10,000 wrong names costs neither seconds of guesses nor a megabyte of answer."""
    given = {**GOOD, **dict.fromkeys((f"device_namx{count}" for count in range(9_000)), 1)}
    began = time.perf_counter()

    found = _list(read(Inputs, given, "inputs"))

    assert len(found) == MOST_FAULTS
    assert time.perf_counter() - began < 0.5


def _list(found: Any) -> list[Fault]:
    assert isinstance(found, list)
    return found
