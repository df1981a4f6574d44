"""Tables: what a row says, where the service has it, and how answers are read."""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings

from connector.sdk.errors import Fault, InvalidCall, Unexpected
from connector.sdk.kinds import (
    ANY,
    BOOLEAN,
    DATE,
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    AnyJson,
    Boolean,
    Date,
    Integer,
    Kind,
    List,
    Number,
    Object,
    Text,
)
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, field, group, rows
from tests.connector.sdk.anyjson import objects


class Options(CardOptions):
    details: Literal["basic", "full", "first_200"] = field("How much", labels={"basic": "Basic", "full": "All of it"})


class Inputs(CardInputs):
    device_id: str = field("ID of the device", max_length=64)
    active: bool = field("Whether it is active", at="code.is_active")
    code: Text = field("Its code", at="code.text", secret=True)
    count: int = field("How many", ge=1, le=9, default=3)
    color: Literal["red", "dark_blue"] = field("Its color", default="red")
    note: Text = field("A note", label="Short Note", choices="acme.list_notes:id,name")
    pin: Text = field("A PIN", digits=6)


class Owner(CardOutputs):
    email: Text = field("Address")
    user_id: Text = field("ID", at="id")


class Outputs(CardOutputs):
    name: Text = field("Name")
    seen: Date = field("When it was seen", at="last_check_in")
    count: Number = field("Number")
    flag: Boolean = field("Flag")
    user_email: Text = field("Address of the user", at="user.email")
    deep: Text = field("Something deep", at="a.b.c")
    owner: Owner = group("Owner")


class Thing(Record):
    id: Text = field("ID")


EMPTY = dict.fromkeys(["name", "seen", "count", "flag", "user_email", "deep"])


def test_rows_are_read_back_in_their_order() -> None:
    """Schemas, forms and checks are derived from what a row says."""
    found = rows(Inputs)

    assert [row.key for row in found] == ["device_id", "active", "code", "count", "color", "note", "pin"]
    assert [row.label for row in found] == ["Device ID", "Active", "Code", "Count", "Color", "Short Note", "PIN"]
    assert [row.says for row in found][:2] == ["ID of the device", "Whether it is active"]
    assert [row.required for row in found] == [True, True, False, False, False, False, False]
    assert [row.default for row in found] == [None, None, None, 3, "red", None, None]
    assert [row.name for row in found][:3] == ["device_id", "code.is_active", "code.text"]
    assert [row.mark.secret for row in found] == [False, False, True, False, False, False, False]
    assert found[4].choices == ("red", "dark_blue")
    assert found[5].mark.choices == "acme.list_notes:id,name"
    assert found[6].mark.digits is not None


def test_a_row_has_the_kind_of_its_type() -> None:
    """Plain types and their optional forms are of the same kind."""

    class Kinds(CardInputs):
        text: str = field("-")
        texts: Text = field("-")
        whole: int = field("-")
        wholes: Integer = field("-")
        part: float = field("-")
        parts: Number = field("-")
        yes: bool = field("-")
        yeses: Boolean = field("-")
        when: Date = field("-")
        thing: dict[str, Any] = field("-")
        things: Object = field("-")
        many: list[Any] = field("-")
        manies: List = field("-")
        choice: Literal["a"] = field("-")
        choices: Literal["a"] | None = field("-")
        anything: AnyJson = field("-")

    assert [row.kind for row in rows(Kinds)] == [
        *(TEXT, TEXT, INTEGER, INTEGER, NUMBER, NUMBER, BOOLEAN, BOOLEAN, DATE),
        *(OBJECT, OBJECT, LIST, LIST, TEXT, TEXT, ANY),
    ]
    assert [row.key for row in rows(Kinds) if not row.required] == [
        *("texts", "wholes", "parts", "yeses", "when", "things", "manies", "choices", "anything")
    ]


def test_a_row_is_read_by_its_own_kind() -> None:
    """Also where its type is text: a file is taken to the letter, with the blanks around it."""

    class Files(CardInputs):
        text: Text = field("-")
        file: Annotated[str | None, Kind("Text", TEXT.schema, lambda value: value)] = field("-")

    found = Files.model_validate({"text": " a ", "file": "\n a \n"})

    assert (found.text, found.file) == ("a", "\n a \n")


def test_inherited_rows_come_first() -> None:
    """A shared table is the beginning of the table that inherits it, and stays as it is."""

    class More(Owner):
        phone: Text = field("Phone number", at="contact.phone")

    assert [row.key for row in rows(More)] == ["email", "user_id", "phone"]
    assert More.of({"email": " a@b.c ", "id": 7, "contact": {"phone": 1}}).model_dump() == {
        "email": "a@b.c",
        "user_id": "7",
        "phone": "1",
    }
    assert [row.key for row in rows(Owner)] == ["email", "user_id"]


@pytest.mark.parametrize("word", ["full", "FULL", " full ", "All of it", "all of it", " ALL OF IT"])
def test_a_choice_is_given_by_its_slug_or_its_label(word: str) -> None:
    """A call may send the guide's words; the card sees the slug."""
    assert Options.model_validate({"details": word}).details == "full"


def test_a_choice_without_a_label_has_a_derived_one() -> None:
    """A label is written only where it differs."""
    assert Options.model_validate({"details": "First 200"}).details == "first_200"
    assert [rows(Options)[0].label_of_choice(choice) for choice in ("full", "first_200")] == ["All of it", "First 200"]


def test_okta_s_sentence_asks_for_a_required_value() -> None:
    """The words are Okta's for inputs; for a dropdown they name the choices."""
    assert rows(Inputs)[0].asked_for("input") == "No Device ID input provided. Enter a valid Device ID."
    assert rows(Options)[0].asked_for("option") == (
        "No Details option provided. Choose one of: basic, full, first_200."
    )


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_value_becomes_the_default(blank: str | None) -> None:
    """Builders send every field of a form, also those that were left empty."""
    inputs = Inputs.model_validate({"device_id": "d1", "active": True, "count": blank})

    assert inputs.count == 3


@pytest.mark.parametrize("blank", [None, ""])
def test_a_blank_choice_becomes_the_default(blank: str | None) -> None:
    """An empty dropdown is one that was not touched."""
    inputs = Inputs.model_validate({"device_id": "d1", "active": True, "color": blank})

    assert inputs.color == "red"


def test_given_values_stand_where_the_service_has_them() -> None:
    """A path such as `code.text` nests; what was not given is left out."""
    inputs = Inputs.model_validate({"device_id": "d1", "active": False, "code": "c", "pin": 12})

    assert inputs.given() == {
        "device_id": "d1",
        "code": {"is_active": False, "text": "c"},
        "count": 3,
        "color": "red",
        "pin": "000012",
    }


def test_one_value_can_be_left_out_of_the_given() -> None:
    """The one that stands in the path."""
    inputs = Inputs.model_validate({"device_id": "d1", "active": True})

    assert inputs.given(but="device_id") == {"code": {"is_active": True}, "count": 3, "color": "red"}


def test_some_values_can_be_required_by_the_card() -> None:
    """What a Mac needs is asked for where it is a Mac, in the same sentence, all at once."""
    inputs = Inputs.model_validate({"device_id": "d1", "active": True, "code": "c"})

    assert inputs.required("code", "active") == {"code": {"is_active": True, "text": "c"}}
    with pytest.raises(InvalidCall) as raised:
        inputs.required("code", "pin", "note")
    assert raised.value.faults == (
        Fault("inputs/note", "No Short Note input provided. Enter a valid Short Note."),
        Fault("inputs/pin", "No PIN input provided. Enter a valid PIN."),
    )


def test_an_answer_is_read_from_where_the_service_has_it() -> None:
    """Loose values become what the row says, unknown keys are dropped, every key is there."""
    found = Outputs.of(
        {
            "name": " Nora's Mac ",
            "last_check_in": "2026-02-03 09:15:00 +0000",
            "seen": "2020-01-01T00:00:00Z",
            "count": "7",
            "flag": "True",
            "user": {"email": "kim@example.com"},
            "a": {"b": {"c": 1}},
            "owner": {"email": "kim@example.com", "id": 4, "role": "admin"},
            "more": 1,
        }
    )

    assert found.model_dump() == {
        "name": "Nora's Mac",
        "seen": "2026-02-03T09:15:00Z",
        "count": 7,
        "flag": True,
        "user_email": "kim@example.com",
        "deep": "1",
        "owner": {"email": "kim@example.com", "user_id": "4"},
    }


@pytest.mark.parametrize("nothing", [{}, {"owner": None}, {"owner": ""}, {"owner": {}}, {"name": "", "user": ""}])
def test_every_key_is_there_and_null_where_it_is_empty(nothing: dict[str, Any]) -> None:
    """A group is always an object, also where the service has blank text for it."""
    assert Outputs.of(nothing).model_dump() == {**EMPTY, "owner": {"email": None, "user_id": None}}


@pytest.mark.parametrize("user", ["", "kim", None, [], ["kim"], 7, True, {}, {"mail": "x"}])
def test_a_path_that_leads_nowhere_is_empty(user: Any) -> None:
    """Kandji writes "" for `user` when nobody is assigned."""
    assert Outputs.of({"user": user, "a": {"b": user}}).model_dump()["user_email"] is None


def test_rows_of_the_card_s_own_are_added() -> None:
    """What the service does not answer, such as the status, is given beside its answer, and wins."""
    assert Outputs.of({"name": "theirs"}, name="ours", count=200).model_dump()["name"] == "ours"


@pytest.mark.parametrize(
    ("answer", "at"),
    [
        ({"count": "s3cret"}, "count"),
        ({"flag": ["s3cret"]}, "flag"),
        ({"last_check_in": "s3cret"}, "last_check_in"),
        ({"user": {"email": {"s3cret": 1}}}, "user/email"),
        ({"owner": {"email": ["s3cret"]}}, "owner/email"),
        ({"owner": "s3cret"}, "owner"),
        ({"owner": ["s3cret"]}, "owner"),
    ],
)
def test_an_answer_in_another_form_is_unexpected(answer: dict[str, Any], at: str) -> None:
    """UP-2: the error names the key and repeats nothing of the answer."""
    with pytest.raises(Unexpected) as raised:
        Outputs.of(answer)

    assert raised.value.detail == f"The service answered {at} in a form that it never promised."


@settings(max_examples=30, deadline=None)
@given(objects("name", "last_check_in", "count", "flag", "user", "a", "owner"))
def test_any_answer_is_read_or_unexpected(answer: dict[str, Any]) -> None:
    """UP-2: there is no third outcome, and what is read has every key."""
    try:
        found = Outputs.of(answer)
    except Unexpected:
        return

    assert set(found.model_dump()) == {*EMPTY, "owner"}


def test_a_record_keeps_what_it_does_not_know() -> None:
    """Records are handed on as the service sends them."""
    assert Thing.model_validate({"id": "1", "new": [1]}).model_dump() == {"id": "1", "new": [1]}


def test_a_table_says_when_it_appears() -> None:
    """`when` and `any_of` are kept with the class, and inherited."""

    class Full(CardOutputs, when={"details": "full"}):
        name: Text = field("Name")

    class Either(CardInputs, any_of=("a", "b")):
        a: Text = field("A")
        b: Text = field("B")

    class Same(Either):
        c: Text = field("C")

    assert (Full.when, Outputs.when) == ({"details": "full"}, {})
    assert (Either.any_of, Same.any_of, Inputs.any_of) == (("a", "b"), ("a", "b"), ())
