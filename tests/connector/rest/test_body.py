"""A request's body is read strictly: one JSON object, or one plain sentence about what is wrong with it."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from connector.rest import body
from connector.rest.body import parse, read_body
from connector.sdk.errors import InvalidCall, TooLarge, UnsupportedMediaType, UpcardError
from tests.conftest import Upcard

NOT_FINITE = "The body has a number that is not finite."
TWICE = "The body has an object with two members of one name."
HALVES = "The body has text with a NUL or half a surrogate pair in it."
DEEP = "The body is nested deeper than 64 levels."
MANY = "The body has more than 10000 members."
JSON = {"content-type": "application/json"}


async def read(*chunks: bytes, **headers: str) -> dict[str, Any]:
    """The body of a request that comes in these chunks."""
    messages: Iterator[dict[str, Any]] = iter(
        {"type": "http.request", "body": chunk, "more_body": more < len(chunks)} for more, chunk in enumerate(chunks, 1)
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in named.items()]}
    return await read_body(Request(scope, receive))


def nested(levels: int, inside: bytes = b"") -> bytes:
    return b"[" * levels + inside + b"]" * levels


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, -2.5, 1e3, true, null, "x"]}\n', {"a": [1, -2.5, 1000.0, True, None, "x"]}),
        ('{"\u00e9": "\U0001f600"}'.encode(), {"\u00e9": "\U0001f600"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": {"a": 1}, "b": {"a": 1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        (b'{"n": [9223372036854775807, -9223372036854775808]}', {"n": [2**63 - 1, -(2**63)]}),
        (b'{"a": "\\u0001\\n"}', {"a": "\u0001\n"}),
    ],
)
def test_json_is_read(raw: bytes, value: Any) -> None:
    """What is right comes through as it is."""
    assert parse(raw) == value


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"a": NaN}', NOT_FINITE),
        (b'{"a": Infinity}', NOT_FINITE),
        (b'{"a": [-Infinity]}', NOT_FINITE),
        (b'{"a": 1e999}', NOT_FINITE),
        (b'{"a": {"b": [-1e999]}}', NOT_FINITE),
        (b"NaN", NOT_FINITE),
        (b'{"a": 1, "a": 1}', TWICE),
        (b'{"a": {"b": [{"c": 1, "d": 2, "c": 3}]}}', TWICE),
        (b'{"a": 1, "\\u0061": 2}', TWICE),
        (b'{"a": "\\ud800"}', HALVES),
        (b'{"a": ["\\udfff"]}', HALVES),
        (b'{"\\ud800": 1}', HALVES),
        (b'{"a": "\\ude00\\ud83d"}', HALVES),
        (b'{"a": "x\\u0000y"}', HALVES),
        (b'{"a\\u0000": 1}', HALVES),
        (b'{"a": "\xff"}', "The body is not UTF-8."),
        (b'{"a": "\xed\xa0\x80"}', "The body is not UTF-8."),
        (b'{"a": "\xc0\xaf"}', "The body is not UTF-8."),
        (b"\xff\xfe{\x00}\x00", "The body is not UTF-8."),
        (b"\xef\xbb\xbf{}", "The body is not JSON: line 1, column 1."),
        (b"{\x00}", "The body is not JSON: line 1, column 2."),
        (b'{"a": "\n"}', "The body is not JSON: line 1, column 8."),
        (b"{\n'a': 1}", "The body is not JSON: line 2, column 1."),
        (b'{"a": 1}{}', "The body is not JSON: line 1, column 9."),
        (b'{"a": 01}', "The body is not JSON: line 1, column 8."),
        (b'{"a": 1,}', "The body is not JSON: line 1, column 9."),
        (b"{} // more", "The body is not JSON: line 1, column 4."),
        (b'{"n": ' + b"9" * 5000 + b"}", "The body has a number that is too long."),
        (nested(65), DEEP),
        (nested(64, b"1"), DEEP),
        (b'{"a":' * 65 + b"1" + b"}" * 65, DEEP),
        (nested(100_000), DEEP),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, DEEP),
        (b"[" + b"1," * 10_000 + b"1]", MANY),
        (json.dumps(dict.fromkeys(map(str, range(10_001)))).encode(), MANY),
        (b"[" + b"[1,1]," * 5_000 + b"1]", MANY),
    ],
)
def test_what_others_read_in_two_ways_is_refused(raw: bytes, why: str) -> None:
    """ER-2, AU-9: from one reader, before anything else looks at it, and nothing of it is repeated."""
    with pytest.raises(InvalidCall) as raised:
        parse(raw)

    assert raised.value.detail == why


@pytest.mark.parametrize(
    "raw",
    [
        nested(64),
        nested(63, b"1"),
        b"[" + b"1," * 9_998 + b"1]",
        json.dumps(dict.fromkeys(map(str, range(4_000)))).encode(),
        json.dumps(dict.fromkeys(map(str, range(9_000)))).encode(),
    ],
    ids=["64 levels", "63 levels and a value", "9,999 items", "4,000 members", "9,000 members"],
)
def test_what_is_within_the_limits_is_read(raw: bytes) -> None:
    """AU-9: 64 levels, 10,000 members."""
    assert parse(raw) == json.loads(raw)


def _clean(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_clean(key) and _clean(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_clean, value))
    return not (isinstance(value, float) and not math.isfinite(value)) and "\0" not in str(value)


ALMOST = st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b",", b":", b'"a"', b'"\\ud800"', b'"', b"1", b"1e999", b"NaN", b"\xff", b" "]
    )
).map(b"".join)


@given(st.binary() | ALMOST | st.text().map(str.encode))
@example(b'{"a":"\\u0000"}')
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """ER-2: there is no third outcome, and what is read is finite, whole text."""
    try:
        found = parse(raw)
    except InvalidCall:
        return

    assert _clean(found)
    assert _same(found, json.loads(raw))
    assert _same(found, parse(json.dumps(found, allow_nan=False, ensure_ascii=False).encode()))


STRICT: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), inner, max_size=4),
)  # fmt: skip


@given(STRICT, st.booleans(), st.none() | st.integers(0, 3))
def test_any_strict_json_is_read(value: Any, ascii_only: bool, indent: int | None) -> None:
    """ER-2: as what it says, however it is written."""
    assert _same(parse(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()), value)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the type and the order of their members: 1, 1.0 and true are three values."""
    return repr(one) == repr(other)


@given(st.lists(st.binary(max_size=20) | ALMOST, min_size=1, max_size=4), st.text(max_size=20).filter(str.isascii))
async def test_any_request_gives_an_object_or_an_error(chunks: list[bytes], media: str) -> None:
    """ER-2: whatever is sent as whatever."""
    try:
        found = await read(*chunks, content_type=media)
    except UpcardError as error:
        assert error.status in (400, 413, 415)  # noqa: PT017  # either is right
        return

    assert isinstance(found, dict)


async def test_no_body_is_an_empty_object() -> None:
    """Whatever its media type says."""
    assert await read(b"") == {}
    assert await read(b"", b"", content_type="text/plain") == {}


async def test_a_body_comes_in_pieces() -> None:
    """Also where a piece ends within a sign."""
    assert await read(b'{"a": "', b"\xc3", b"\xa9", b'"}') == {"a": "\u00e9"}


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1", b"true", b"[{}]"])
async def test_only_an_object_is_a_body(raw: bytes) -> None:
    """A call has names for what it gives."""
    with pytest.raises(InvalidCall, match=r"^The body must be a JSON object\.$"):
        await read(raw)


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        " application/json ",
        "application/problem+json",
        "application/vnd.acme+json; version=1",
    ],
)
async def test_json_is_taken_under_its_names(media: str) -> None:
    """Builders write the type in several ways."""
    assert await read(b'{"a": 1}', content_type=media) == {"a": 1}


@pytest.mark.parametrize(
    "media",
    [
        "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json",
        "application/jsonx", "application/xml", "text/html+json", "application/x-ndjson", "*/*",
    ],
)  # fmt: skip
async def test_another_media_type_is_refused(media: str) -> None:
    """AU-9: a browser's form cannot call a card."""
    with pytest.raises(UnsupportedMediaType, match="Content-Type: application/json"):
        await read(b'{"a": 1}', content_type=media)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "identity, gzip", "x"])
async def test_a_compressed_body_is_refused(coding: str) -> None:
    """AU-9: nothing is unpacked."""
    with pytest.raises(UnsupportedMediaType, match="without Content-Encoding"):
        await read(b"\x1f\x8b", content_encoding=coding)


async def test_a_body_of_1_mib_is_read() -> None:
    """AU-9: the limit itself is allowed."""
    assert body.LARGEST == 1 << 20
    raw = b'{"a": "' + b"x" * ((1 << 20) - 9) + b'"}'

    assert len(raw) == 1 << 20
    assert len((await read(raw))["a"]) == (1 << 20) - 9


async def test_a_larger_body_is_not_read_on() -> None:
    """AU-9: what comes after the first byte too many is not asked for."""
    with pytest.raises(TooLarge):
        await read(b" " * (1 << 19), b" " * (1 << 19), b" ", b"never asked for", b"")


@pytest.mark.parametrize("length", [str((1 << 20) + 1), "9" * 30])
async def test_an_announced_body_is_refused_unread(length: str) -> None:
    """AU-9: 413 before the rest is read."""
    with pytest.raises(TooLarge):
        await read(content_length=length)


@pytest.mark.parametrize(
    ("raw", "headers", "status", "slug"),
    [
        (b" " * ((1 << 20) + 1), JSON, 413, "too_large"),
        (b"x", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b"x", {**JSON, "content-encoding": "gzip"}, 415, "unsupported_media_type"),
        (b'{"inputs": {"pin": NaN}}', JSON, 400, "invalid_call"),
        (b"\xff", JSON, 400, "invalid_call"),
    ],
    ids=["large", "text", "gzip", "NaN", "no UTF-8"],
)
async def test_the_host_answers_with_a_problem(
    upcard: Upcard, raw: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    """ER-1: over HTTP as well, for every route that takes a body."""
    answer = await upcard.http.post("/v1/cards/kandji/erase_device", content=raw, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (status, slug)
    assert answer.headers["content-type"] == "application/problem+json"
