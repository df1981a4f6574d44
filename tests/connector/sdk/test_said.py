"""What a service says when it refuses, whatever form its answer has (kandji-api.md 1.3)."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.sdk.masks import Mask
from connector.sdk.said import LONGEST, said
from tests.connector.sdk.anyjson import JSON

GONE = b'<!doctype html><html><head><meta charset="utf-8"></head><body><h1>Not Found</h1><p>Sorry.</p></body></html>'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"  \n ", ""),
        (b'"This device is already locked."', "This device is already locked."),
        (b'["Device is not in lost mode."]', "Device is not in lost mode."),
        (b'["First.", "Second."]', "First. Second."),
        (b'{"detail": "Not found."}', "Not found."),
        (b'{"detail": "JSON parse error - Expecting \',\' delimiter"}', "JSON parse error - Expecting ',' delimiter"),
        (b'{"error": "Unauthorized"}', "Unauthorized"),
        (b'{"message":"no Route matched with those values","request_id":"4f"}', "no Route matched with those values"),
        (b'{"errors": ["One.", "Two."]}', "One. Two."),
        (b'{"detail": "", "message": "Invalid authentication"}', "Invalid authentication"),
        (b'{"message": "second", "detail": "first"}', "first"),
        (b'{"dep_account": ["Enter a valid UUID."]}', "dep_account: Enter a valid UUID."),
        (b'{"name": ["Taken."], "color": ["Wrong."]}', "name: Taken. color: Wrong."),
        (b'{"enrollment_code": {"code": ["Taken."]}}', "enrollment_code: code: Taken."),
        (
            b'{"error": {"code": "E1", "message": "Not valid.", "data": {"tag": "Too long."}}}',
            "Not valid. tag: Too long.",
        ),
        (b'{"error": {"code": "E1", "message": "Not found.", "data": null}, "nextUri": null}', "Not found."),
        (b'{"message": "No.", "data": "more"}', "No."),
        (b"Command already running", "Command already running"),
        (b"Library Item already exists in Assignment Node", "Library Item already exists in Assignment Node"),
        (GONE, "Not Found"),
        (b"<html><head><title>\n 502 Bad\n Gateway </title></head></html>", "502 Bad Gateway"),
        (b'<H1 class="x">Sign in</H1>', "Sign in"),
        (b"<html><body>no heading</body></html>", "an HTML page"),
        (b"{}", ""),
        (b"[]", ""),
        (b"null", ""),
        (b"17", "17"),
        (b"false", "False"),
    ],
)
def test_every_form_of_error_is_read(body: bytes, words: str) -> None:
    """Empty, JSON text, list, object with detail, error, message or field names, HTML, plain text."""
    assert said(body) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"one\r\nX-Injected: two", "one X-Injected: two"),
        (b'"\\u001b[31mred\\u0000"', "[31mred"),
        ('"left\u202eright"'.encode(), "left right"),
        (b"a\xff\xfeb", "a\ufffd\ufffdb"),
        (b"\xef\xbb\xbfhello", "hello"),
    ],
)
def test_what_does_not_print_is_left_out(body: bytes, words: str) -> None:
    """SEC-5: control signs of a terminal, a header or a script's direction do not come through."""
    assert said(body) == words


@pytest.mark.parametrize("body", [b"x" * 10_000, b'"' + b"x" * 10_000 + b'"', b"<h1>" + b"x" * 10_000 + b"</h1>"])
def test_words_are_shortened(body: bytes) -> None:
    """SEC-5: a service cannot fill an answer or a log."""
    assert said(body) == "x" * LONGEST


@pytest.mark.parametrize(
    "body", [b"%s t0ken", b'{"detail": "%s t0ken"}', b'{"a": [["%s"], {"b": "t0ken"}]}', b"<title>%s t0ken</title>"]
)
@pytest.mark.parametrize("before", [b"x" * 297, b"x" * 290, b"x" + b" " * 500])
def test_a_secret_is_hidden_before_words_are_shortened(body: bytes, before: bytes) -> None:
    """SEC-5: not even half of it is shown, wherever the line is cut."""
    words = said(body % before, Mask(["t0ken"]))

    assert "t0" not in words


@pytest.mark.parametrize("body", [b'"' + b"x " * 4_000_000 + b'"', b"[" + b"null," * 2_000_000 + b"1]"])
def test_only_the_first_words_are_read(body: bytes) -> None:
    """UP-8: an endless refusal does not hold up the event loop."""
    began = time.perf_counter()

    said(body)

    assert time.perf_counter() - began < 1


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"<h1>")
@example(b"<")
@example(b"\xed\xa0\x80")
def test_any_bytes_give_a_short_line_that_prints(body: bytes) -> None:
    """SEC-5: there is no answer that raises, is long, or has more than one line."""
    words = said(body)

    assert len(words) <= LONGEST
    assert words.isprintable()


@pytest.mark.parametrize("body", [b"[" * 900 + b"]" * 900, b'{"name":' * 900 + b"1" + b"}" * 900])
def test_a_deep_error_is_read(body: bytes) -> None:
    """UP-2: a refusal that is nested deeply is a refusal, not a fault of ours."""
    assert len(said(body)) <= LONGEST


def test_a_page_is_searched_in_time() -> None:
    """UP-8: the longest page that is looked at does not hold up the event loop."""
    page = b"<h1>" * 4_000
    began = time.perf_counter()

    said(page)

    assert time.perf_counter() - began < 1
