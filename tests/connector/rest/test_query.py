"""A query is read as strictly as a body: into its table, or every fault of it is told."""

from collections import Counter
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from connector.rest.query import NoQuery, read_query
from connector.rest.runs import RunsWanted
from connector.sdk.errors import InvalidCall

KNOWN = set(RunsWanted.model_fields)
BLANK = dict.fromkeys(KNOWN) | {"limit": 50}


def asked(query: bytes) -> Request:
    return Request({"type": "http", "query_string": query, "headers": []})


def test_a_query_is_read_into_its_table() -> None:
    """Numbers are numbers, and what is blank or left out is nothing."""
    found = read_query(asked(b"limit=7&card=kandji.list_devices&state=&since=2026-01-02T03:04:05Z"), RunsWanted)

    assert dict(found) == {**BLANK, "limit": 7, "card": "kandji.list_devices", "since": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("query", "at", "why"),
    [
        (b"cart=x", "query/cart", "There is no parameter of this name. Did you mean card?"),
        (b"card=a&card=b", "query/card", "This parameter is given more than once."),
        (b"card=a%00", "query/card", "This parameter has a NUL in it."),
        (b"limit=0", "query/limit", "Limit must be 1 or more."),
        (b"since=yesterday", "query/since", "Since must be a date and time, for example 2026-02-03T09:15:00Z."),
    ],
)
def test_a_wrong_parameter_is_named(query: bytes, at: str, why: str) -> None:
    """ER-2: a misspelt filter must not list everything."""
    with pytest.raises(InvalidCall) as raised:
        read_query(asked(query), RunsWanted)

    assert [(fault.at, fault.why) for fault in raised.value.faults] == [(at, why)]


NAMES = st.sampled_from([*KNOWN, "limit[]", "Limit", "limit "]) | st.text(max_size=8)
VALUES = st.text(max_size=12) | st.integers().map(str) | st.sampled_from(["", "running", "7", "\uff17", "2026-01-02"])
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(lambda pairs: urlencode(pairs, errors="replace").encode())


@given(QUERIES | st.binary(max_size=40))
@example(b"limit=7&limit=8")
@example(b"limit=%EF%BC%97")
@example(b"%FF=%FE&=&&")
def test_any_query_is_read_or_refused(query: bytes) -> None:
    """ER-2: there is no third outcome; what is read names known parameters only, each of them once."""
    try:
        found = read_query(asked(query), RunsWanted)
    except InvalidCall as error:
        assert all(fault.at.startswith("query/") for fault in error.faults)  # noqa: PT017
        return

    names = Counter(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    assert set(names) <= KNOWN
    assert set(names.values()) <= {1}
    assert 1 <= found.limit <= 200


@given(QUERIES)
def test_an_address_without_parameters_takes_none(query: bytes) -> None:
    """ER-2: not even one that would do nothing."""
    is_refused = False
    try:
        read_query(asked(query), NoQuery)
    except InvalidCall:
        is_refused = True

    assert is_refused is bool(parse_qsl(query.decode(), keep_blank_values=True))
