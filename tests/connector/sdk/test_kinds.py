"""How loose values of flow builders are read, kind by kind, and that what is refused is never repeated."""

from typing import Any

import pytest
from hypothesis import given, settings
from pydantic_core import PydanticCustomError

from connector.sdk.kinds import (
    BOOLEAN,
    DATE,
    EXPLANATION,
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    STATUS,
    TEXT,
    Digits,
    Kind,
    read_boolean,
    read_date,
    read_list,
    read_number,
    read_object,
    read_text,
)
from tests.connector.sdk.anyjson import JSON

KINDS = [TEXT, NUMBER, INTEGER, BOOLEAN, DATE, OBJECT, LIST, STATUS, EXPLANATION]
FULL_WIDTH = "\uff11\uff12\uff13\uff14\uff15\uff16"
ARABIC = "\u0661\u0662\u0663\u0664\u0665\u0666"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (" x y ", "x y"),
        ("\tx\n", "x"),
        (6, "6"),
        (0, "0"),
        (-6, "-6"),
        (6.0, "6"),
        (1.5, "1.5"),
        ("0", "0"),
    ],
)
def test_text_is_read_without_blanks_and_numbers_as_their_digits(value: Any, text: str) -> None:
    """A builder that sends 6 where text is asked for means "6", not "6.0"."""
    assert read_text(value) == text


@pytest.mark.parametrize("value", [True, False, [], {}, ["x"], {"x": 1}])
def test_what_is_no_text_is_refused(value: Any) -> None:
    """A list, an object or a boolean is never made into text."""
    with pytest.raises(PydanticCustomError, match="must be text"):
        read_text(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (6, 6), ("6", 6), (" 6 ", 6), ("-1.5", -1.5), ("007", 7), (6.0, 6), ("6.0", 6), ("0", 0), (0, 0), (1.25, 1.25),
        ("9" * 18, int("9" * 18)),
    ],
)  # fmt: skip
def test_a_number_is_read_from_plain_text(value: Any, number: float) -> None:
    """Text that is plainly a number is one; whole numbers stay whole."""
    found = read_number(value)

    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "value",
    [
        True, False, [], {}, "six", "1e5", "1,5", "1.", ".5", "+1", "--1", "0x10", "1_000", "NaN", "Infinity", "1 2",
        "9" * 19, float("nan"), float("inf"), float("-inf"), FULL_WIDTH, ARABIC,
    ],
)  # fmt: skip
def test_what_is_not_plainly_a_number_is_refused(value: Any) -> None:
    """ER-2: no exponents, no infinities, ASCII digits only, and true is not 1."""
    with pytest.raises(PydanticCustomError, match="must be a number"):
        read_number(value)


@pytest.mark.parametrize(
    ("value", "boolean"),
    [(True, True), (False, False), ("true", True), ("False", False), (" TRUE ", True), ("false", False)],
)
def test_the_words_true_and_false_are_booleans(value: Any, boolean: bool) -> None:
    """ER-2: "false" is never true."""
    assert read_boolean(value) is boolean


@pytest.mark.parametrize("value", [0, 1, "0", "1", "yes", "no", "on", "t", 1.0, [], {}, [True]])
def test_no_other_value_is_a_boolean(value: Any) -> None:
    """A guess about a boolean can wipe a device."""
    with pytest.raises(PydanticCustomError, match="must be true or false"):
        read_boolean(value)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-02-03T09:15:00Z", "2026-02-03T09:15:00Z"),
        ("2026-02-03T09:15:00.123456Z", "2026-02-03T09:15:00.123456Z"),
        ("2026-02-03 09:15:00.123456+00:00", "2026-02-03T09:15:00.123456Z"),
        ("2026-02-03 09:15:00+00:00", "2026-02-03T09:15:00Z"),
        ("2026-02-03 09:15:00 +0000", "2026-02-03T09:15:00Z"),
        ("2026-02-03T11:15:00+02:00", "2026-02-03T09:15:00Z"),
        ("2026-02-03T00:15:00 -0930", "2026-02-03T09:45:00Z"),
        (" 2026-02-03T09:15:00 ", "2026-02-03T09:15:00Z"),
        ("2026-02-03", "2026-02-03T00:00:00Z"),
    ],
)
def test_every_form_of_a_date_becomes_one(value: str, moment: str) -> None:
    """Kandji writes dates in four ways (kandji-api.md 1.4); callers get RFC 3339 in UTC, and none means UTC."""
    assert read_date(value) == moment


@pytest.mark.parametrize(
    "value", ["soon", "2026-13-01", "2026-02-30T00:00:00Z", "03/02/2026", 1770110100, True, [], {}]
)
def test_what_is_no_date_is_refused(value: Any) -> None:
    """A number of seconds is not taken for a date either."""
    with pytest.raises(PydanticCustomError, match="must be a date and time, for example 2026-02-03T09:15:00Z"):
        read_date(value)


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_a_date_that_does_not_exist_in_utc_is_refused(value: str) -> None:
    """The first and the last day of the calendar have no UTC on one side."""
    with pytest.raises(PydanticCustomError):
        read_date(value)


@pytest.mark.parametrize("value", [{}, {"a": 1}, {"a": {"b": [None]}}])
def test_an_object_is_taken_as_it_is(value: dict[str, Any]) -> None:
    """What is in an object is the service's business."""
    assert read_object(value) is value


@pytest.mark.parametrize("value", ["{}", "x", 1, True, [], [{}]])
def test_what_is_no_object_is_refused(value: Any) -> None:
    """Text that holds JSON is not an object."""
    with pytest.raises(PydanticCustomError, match="must be an object"):
        read_object(value)


@pytest.mark.parametrize("value", [[], [1], [{"a": 1}, None]])
def test_a_list_is_taken_as_it_is(value: list[Any]) -> None:
    """What is in a list is the service's business."""
    assert read_list(value) is value


@pytest.mark.parametrize("value", ["[]", "a,b", 1, True, {}])
def test_what_is_no_list_is_refused(value: Any) -> None:
    """A single value is not a list of one."""
    with pytest.raises(PydanticCustomError, match="must be a list"):
        read_list(value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("blank", [None, ""])
def test_blank_is_nothing_in_every_kind(kind: Kind, blank: str | None) -> None:
    """Services and builders write "" where they mean nothing."""
    assert kind.read(blank) is None


@pytest.mark.parametrize("kind", [TEXT, NUMBER, INTEGER, BOOLEAN, STATUS, EXPLANATION], ids=lambda kind: kind.name)
def test_blanks_are_nothing(kind: Kind) -> None:
    """Text of blanks only is blank."""
    assert kind.read(" \t ") is None


@pytest.mark.parametrize("kind", [DATE, OBJECT, LIST], ids=lambda kind: kind.name)
def test_blanks_are_nothing_in_every_kind(kind: Kind) -> None:
    """A blank is read as empty in one place, for every kind alike."""
    assert kind.read("  ") is None


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("123456", "123456"),
        ("000012", "000012"),
        (" 123456 ", "123456"),
        (123456, "123456"),
        (12, "000012"),
        (0, "000000"),
    ],
)
def test_digits_keep_their_leading_zeros(value: Any, digits: str) -> None:
    """ER-2: a PIN keeps its leading zeros, also where a builder sent it as a number."""
    assert Digits(6).read(value) == digits


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_digits_are_nothing(blank: str | None) -> None:
    """No PIN is given where it is blank."""
    assert Digits(6).read(blank) is None


@pytest.mark.parametrize(
    "value", ["12345", "1234567", "12345x", "12 456", "-12345", -12345, 1234567, 1.5, FULL_WIDTH, ARABIC, "123456\n7"]
)
def test_anything_but_so_many_ascii_digits_is_refused(value: Any) -> None:
    """ER-2: Python's own digit tests take full-width digits, this one does not; the PIN is not repeated."""
    with pytest.raises(PydanticCustomError, match=r"^must be exactly 6 digits$"):
        Digits(6).read(value)


@pytest.mark.parametrize("value", [True, [], {}])
def test_digits_are_text_or_a_number(value: Any) -> None:
    """True is not 000001."""
    with pytest.raises(PydanticCustomError, match="must be text"):
        Digits(6).read(value)


@pytest.mark.parametrize("read", [*(kind.read for kind in KINDS), Digits(6).read])
@settings(max_examples=30)
@given(value=JSON)
def test_a_reader_raises_its_own_error_only(read: Any, value: Any) -> None:
    """Whatever JSON comes, a reader gives a value or says what is wrong; and reading what was read changes nothing."""
    try:
        found = read(value)
    except PydanticCustomError:
        return

    assert read(found) == found or found != found


@pytest.mark.parametrize("kind", KINDS[1:7], ids=lambda kind: kind.name)
def test_a_refused_value_is_not_repeated(kind: Kind) -> None:
    """SEC-3: what was sent may be a secret in the wrong place."""
    with pytest.raises(PydanticCustomError) as raised:
        kind.read("s3cret")

    assert "s3cret" not in str(raised.value)
