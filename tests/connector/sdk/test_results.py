"""Lists: the Result Set option with its words and outputs, cursors, and what a stream is told."""

from typing import Any

import pytest

from connector.sdk.errors import Fault
from connector.sdk.kinds import Text
from connector.sdk.reading import read
from connector.sdk.results import Counted, Cursor, ResultSet, Stream
from connector.sdk.tables import CardOutputs, field, rows


class Found(CardOutputs):
    id: Text = field("ID")
    email: Text = field("Address", at="user.email")


SEARCH = ResultSet(first=200, into="devices", one=Found)
LIST = ResultSet(first=100, into="notes")


def test_a_search_offers_three_result_sets() -> None:
    """The guide's words for cards that look for something."""
    assert SEARCH.choices == {
        "first": "First Matching Record",
        "first_200": "First 200 Matching Records",
        "stream": "Stream Matching Records",
    }


def test_a_list_offers_two_result_sets() -> None:
    """The guide's words for cards that list everything."""
    assert LIST.choices == {"first_100": "First 100 Records", "stream": "Stream All Records"}


@pytest.mark.parametrize(
    ("word", "slug"),
    [("first", "first"), ("First 200 Matching Records", "first_200"), ("stream matching records", "stream")],
)
def test_a_result_set_is_chosen_by_slug_or_label(word: str, slug: str) -> None:
    """Both are taken, as with any dropdown."""
    assert SEARCH.options.model_validate({"result_set": word}).model_dump() == {"result_set": slug}


def test_a_result_set_must_be_chosen() -> None:
    """There is no silent default: the choice decides what comes out."""
    assert read(LIST.options, {}, "options", "option") == [
        Fault("options/result_set", "No Result Set option provided. Choose one of: first_100, stream.")
    ]


def test_each_result_set_has_its_outputs() -> None:
    """The first record's own, a list of so many, or a count."""
    assert [table.when for table in SEARCH.outputs] == [
        {"result_set": "first"},
        {"result_set": "first_200"},
        {"result_set": "stream"},
    ]
    assert [[row.key for row in rows(table)] for table in SEARCH.outputs] == [
        ["id", "email"],
        ["devices"],
        ["record_count"],
    ]
    assert [table.when["result_set"] for table in LIST.outputs] == ["first_100", "stream"]
    assert LIST.outputs[-1] is Counted


def test_the_first_record_is_read_like_any_answer() -> None:
    """Rows that come from elsewhere in the record are found, and no record at all is empty."""
    first = SEARCH.outputs[0]

    assert first.of({"id": 1, "user": {"email": "kim@example.com"}}).model_dump() == {
        "id": "1",
        "email": "kim@example.com",
    }
    assert first.of({}).model_dump() == {"id": None, "email": None}


@pytest.mark.parametrize(("limit", "size"), [(None, 300), (1, 1), (300, 300), (301, 300), (0, 0)])
def test_a_cursor_asks_for_no_more_than_is_wanted(limit: int | None, size: int) -> None:
    """A service is not asked for 300 records where one is wanted, nor for more than it gives."""
    assert Cursor(None, limit).size(300) == size


def test_a_stream_has_defaults() -> None:
    """Sixteen at once, all records, and a failed record does not stop it."""
    stream = read(Stream, {"flow": "onboard"}, "stream")

    assert isinstance(stream, Stream)
    assert stream.model_dump() == {
        "flow": "onboard",
        "url": None,
        "state": None,
        "concurrency": 16,
        "record_limit": None,
        "on_failure": "continue",
        "batch": None,
    }


@pytest.mark.parametrize(
    ("given", "at", "why"),
    [
        ({"concurrency": 0}, "concurrency", "Concurrency must be 1 or more."),
        ({"concurrency": 201}, "concurrency", "Concurrency must be 200 or less."),
        ({"concurrency": 1.5}, "concurrency", "Concurrency must be a whole number."),
        ({"record_limit": -1}, "record_limit", "Record Limit must be 0 or more."),
        ({"record_limit": "all"}, "record_limit", "Record Limit must be a number."),
        ({"on_failure": "retry"}, "on_failure", "On Failure must be one of: continue, stop."),
        ({"state": "x"}, "state", "State must be an object."),
        ({"url": "x" * 2049}, "url", "URL must have at most 2048 characters."),
        ({"batch": 0}, "batch", "Batch must be 1 or more."),
        ({"batch": 1001}, "batch", "Batch must be 1000 or less."),
        ({"limit": 2}, "limit", "There is no field of this name."),
    ],
)
def test_a_wrong_stream_is_told(given: dict[str, Any], at: str, why: str) -> None:
    """Before anything is asked or sent."""
    assert read(Stream, {"flow": "onboard", **given}, "stream", "field") == [Fault(f"stream/{at}", why)]


def test_a_stream_needs_somewhere_to_go() -> None:
    """A registered flow, or an address."""
    assert read(Stream, {}, "stream", "field") == [Fault("stream", "Enter at least one of: Flow, URL.")]


@pytest.mark.parametrize(("limit", "wanted"), [("", None), (None, None), (0, 0), ("0", 0), ("25", 25)])
def test_a_record_limit_can_be_none_at_all(limit: Any, wanted: int | None) -> None:
    """Empty means all, 0 means none."""
    stream = read(Stream, {"flow": "onboard", "record_limit": limit}, "stream")

    assert isinstance(stream, Stream)
    assert stream.record_limit == wanted
