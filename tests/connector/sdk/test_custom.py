"""A request that a caller wrote stays below the API's prefix, and carries no header that is not its own."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from connector.sdk.client import EVERYTHING, Client, Connection, WouldSend
from connector.sdk.custom import custom_request
from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.http import Service
from tests.connector.sdk.anyjson import SCALARS
from tests.connector.sdk.wire import Serve, answer

PREFIX = "/api/v1"
SLASH = "Relative URL must start with one slash, for example /devices."
VISIBLE = "Relative URL must be at most 4096 visible ASCII characters, without backslash or fragment."
PARTS = "Relative URL must not have empty, dotted or doubly encoded parts, nor encoded slashes."


class Acme(Client[Connection], title="Acme", prefix=PREFIX):
    """A client whose prefix must not be left."""


HELD = Acme(Connection(), Service("https://acme.test", {}), EVERYTHING)


def told(**given: Any) -> list[tuple[str, str]]:
    """The faults of a request that is right but for what is given."""
    wanted: dict[str, Any] = {"method": "GET", "url": "/x", "query": None, "headers": None, "body": None, **given}
    with pytest.raises(InvalidCall) as raised:
        custom_request(**wanted)
    return [(fault.at, fault.why) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/", ()),
        ("/devices", ("devices",)),
        ("/devices/", ("devices",)),
        ("/devices/d1/action/lock", ("devices", "d1", "action", "lock")),
        ("/a%20b/%C3%A9", ("a b", "\u00e9")),
        ("/a@b:c;d=e,f", ("a@b:c;d=e,f",)),
        ("/...", ("...",)),
        ("/.well-known", (".well-known",)),
        ("/100%25", ("100%",)),
    ],
)
def test_a_path_is_read_as_segments(url: str, path: tuple[str, ...]) -> None:
    """SSRF-9: split at the slashes, each part decoded once."""
    assert custom_request("GET", url, None, None, None).path == path


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", SLASH),
        ("devices", SLASH),
        ("//evil.example/x", SLASH),
        ("https://evil.example/x", SLASH),
        ("@evil.example/x", SLASH),
        (" /devices", SLASH),
        ("?/x", SLASH),
        ("/" + "x" * 4096, VISIBLE),
        ("/a b", VISIBLE),
        ("/a\tb", VISIBLE),
        ("/a\r\nHost: evil.example", VISIBLE),
        ("/a\0b", VISIBLE),
        ("/caf\u00e9", VISIBLE),
        ("/\uff0e\uff0e/x", VISIBLE),
        ("/a\\b", VISIBLE),
        ("/x#y", VISIBLE),
        ("/x?a=b#c", VISIBLE),
        ("/x?a=\\b", VISIBLE),
        ("/x?" + "y" * 4096, VISIBLE),
        ("/.", PARTS),
        ("/..", PARTS),
        ("/../x", PARTS),
        ("/x/..", PARTS),
        ("/x/../y", PARTS),
        ("/x/./y", PARTS),
        ("/x//y", PARTS),
        ("/x//", PARTS),
        ("/x///?a=b", PARTS),
        ("/%2e", PARTS),
        ("/%2e%2e/x", PARTS),
        ("/%2E./x", PARTS),
        ("/.%2e", PARTS),
        ("/%252e%252e/x", PARTS),
        ("/%25252e", PARTS),
        ("/a%2fb", PARTS),
        ("/a%2Fb", PARTS),
        ("/a%5cb", PARTS),
        ("/a%00b", PARTS),
        ("/a%0d%0ab", PARTS),
        ("/a%7fb", PARTS),
        ("/a%e2%80%aeb", PARTS),
        ("/a%", PARTS),
        ("/a%2", PARTS),
        ("/a%zz", PARTS),
        ("/%ff%fe", PARTS),
        ("/%c0%ae%c0%ae/x", PARTS),
    ],
)
def test_a_path_that_could_mean_another_is_refused(url: str, why: str) -> None:
    """SSRF-9: no way up, no second decoding, no other host; the address itself is not repeated."""
    assert told(url=url) == [("inputs/relative_url", why)]


@pytest.mark.parametrize(
    ("url", "slash"), [("/", False), ("/x", False), ("/x/", True), ("/x/?a=/", True), ("/x?a=/", False)]
)
def test_a_slash_at_the_end_is_kept(url: str, slash: bool) -> None:
    """Kandji's API has addresses of both kinds (kandji-api.md 1)."""
    assert custom_request("GET", url, None, None, None).slash is slash


def test_the_longest_address_is_taken() -> None:
    """SSRF-9: 4096 characters in all."""
    assert custom_request("GET", "/" + "x" * 4095, None, None, None).path == ("x" * 4095,)


URLS = st.lists(
    st.sampled_from(
        ["/", "//", "..", ".", "%2e", "%2E", "%252e", "%2f", "%5c", "\\", ";", "@", ":", "?", "#", "%", "a"]
    )
    | st.characters(max_codepoint=0x10FFFF)
).map(lambda parts: "/" + "".join(parts))


@settings(deadline=None, max_examples=150)
@given(URLS | st.text(max_size=30))
@example("/..;/..;/x")
@example("/%25%32%65%25%32%65/x")
async def test_no_address_leaves_the_prefix(url: str) -> None:
    """SSRF-9: whatever is written, what is sent stays below the prefix, for httpx, for aiohttp, and decoded twice."""
    try:
        await HELD.custom("GET", url)
    except InvalidCall:
        return
    except WouldSend as request:
        sent = httpx.Request("GET", f"https://acme.test{request.path}").url

    again = URL(str(sent))
    paths = [urlsplit(str(sent)).path, again.raw_path, unquote(again.raw_path), unquote(unquote(again.raw_path))]
    assert (sent.host, again.host, sent.port, sent.scheme) == ("acme.test", "acme.test", None, "https")
    assert all(path == PREFIX or path.startswith(f"{PREFIX}/") for path in paths)
    assert not any(part in (".", "..", "") for path in paths for part in path[1:].removesuffix("/").split("/"))


def test_queries_are_merged() -> None:
    """Those of the address come first; a list repeats its key; null is left out."""
    request = custom_request("GET", "/x?a=1&b=%26&c", {"a": [2, True], "d": None, "e": "f g"}, None, None)

    assert request.query == {"a": ["1", 2, True], "b": ["&"], "c": [""], "e": ["f g"]}


@pytest.mark.parametrize("value", [{}, {"a": 1}, [{}], [[1]], ["x", ["y"]]])
def test_a_nested_query_is_refused(value: Any) -> None:
    """There is no one way to write it."""
    assert told(query={"filter": value}) == [
        ("inputs/query/filter", "A query value must be text, a number, true or false, or a list of these.")
    ]


PRINTED = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(PRINTED, PRINTED), max_size=4))
async def test_a_query_is_sent_as_it_was_meant(pairs: list[tuple[str, str]]) -> None:
    """The service reads the same names and values that the caller gave, through both libraries below."""
    request = custom_request("GET", "/x", dict(pairs), None, None)

    sent = httpx.Request("GET", "https://acme.test/x", params=request.query).url

    wanted = [*dict(pairs).items()]
    assert parse_qsl(URL(str(sent)).raw_query_string, keep_blank_values=True) == wanted


async def test_a_custom_request_goes_out_as_it_was_read(serve: Serve) -> None:
    """SSRF-9: on the wire: one segment stays one, and escapes are not decoded on the way."""
    there = await serve(answer())
    client = Acme(Connection(), there.service)

    await client.custom("POST", "/a%20b/c%3Fd/100%25?q=%26%2B&r=x+y", {"s": "\u00e9/?"}, {"X-Trace": 7}, {"n": 1})

    assert there.wire.lines == ["POST /api/v1/a%20b/c%3Fd/100%25?q=%26%2B&r=x+y&s=%C3%A9/?"]
    assert "\r\nx-trace: 7\r\n" in there.wire.heads[0].lower()
    assert there.wire.asked[0][1] == b'{"n":1}'


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "AUTHORIZATION", "proxy-authorization", "Proxy-Connection", "host", "Cookie", "Content-Length",
        "content-type", "Transfer-Encoding", "Connection", "TE", "Trailer", "Upgrade", "Expect", "Forwarded",
        "X-Forwarded-For", "x-forwarded-host", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
        "X-Original-URL", "X-Rewrite-URL", "Content-Encoding", "X_HTTP_Method_Override", "X-Http_Method",
        "Proxy_Authorization",
    ],
)  # fmt: skip
def test_headers_of_the_connector_cannot_be_given(name: str) -> None:
    """SSRF-11: credentials, framing, and the method and path that were judged, in any case of letters."""
    assert told(headers={name: "s3cret"}) == [
        (f"inputs/headers/{name}", "This header is set by the connector and cannot be given.")
    ]


@pytest.mark.parametrize("name", ["", " ", "a b", "a:b", "a\r\nb", "caf\u00e9", "a\0", "(a)", "x" * 129])
def test_a_header_s_name_is_a_token(name: str) -> None:
    """SSRF-11: the grammar of RFC 9110; the name itself is not repeated."""
    assert told(headers={name: "x"}) == [("inputs/headers", "A header has a name that is not allowed in HTTP.")]


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "\t", "\0", "\x7f", "caf\u00e9", None, [], {}, ["x"]])
def test_a_header_s_value_is_visible_ascii(value: Any) -> None:
    """SSRF-11: no second header in a value."""
    assert told(headers={"X-Own": value}) == [("inputs/headers/X-Own", "A header value must be visible ASCII text.")]


@pytest.mark.parametrize("headers", [{f"x-{count}": "" for count in range(21)}, {"x": "y" * 8192}])
def test_there_are_not_too_many_headers(headers: dict[str, str]) -> None:
    """SSRF-11: 20 headers and 8 KiB in all."""
    assert told(headers=headers) == [("inputs/headers", "Headers must be at most 20, 8192 characters in all.")]


@pytest.mark.parametrize(("value", "sent"), [(True, "true"), (7, "7"), (1.5, "1.5"), ("x", "x")])
def test_a_header_is_written_as_json_has_it(value: Any, sent: str) -> None:
    """SSRF-11: a flow's `true` is not Python's."""
    assert custom_request("GET", "/x", None, {"X-Own": value}, None).headers == {"X-Own": sent}


def test_as_many_headers_as_are_allowed_are_taken() -> None:
    """SSRF-11: numbers and booleans are written as text."""
    headers = {f"x-{count}": count for count in range(19)} | {"X-Own": "y" * 8000}

    assert custom_request("GET", "/x", None, headers, None).headers["x-7"] == "7"


@given(st.dictionaries(st.text(max_size=20), SCALARS | st.lists(SCALARS, max_size=2), max_size=5))
def test_no_header_carries_another(headers: dict[str, Any]) -> None:
    """SSRF-11: what is let through is a token and visible text; the rest is refused as a whole."""
    try:
        found = custom_request("GET", "/x", None, headers, None).headers
    except InvalidCall:
        return

    assert all(name.isascii() and value.isascii() and (name + value).isprintable() for name, value in found.items())


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_body_goes_with_some_methods_only(method: str) -> None:
    """A body that would be dropped is refused."""
    assert told(method=method, body={}) == [("inputs/body", "Body is sent with POST, PUT and PATCH only.")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("body", [None, {}, [], "x", 1, False])
def test_any_json_is_a_body(method: str, body: Any) -> None:
    """What the service takes is its own business."""
    assert custom_request(method, "/x", None, None, body).path == ("x",)


def test_every_fault_of_a_request_is_told_at_once() -> None:
    """A caller mends a request in one go."""
    found = told(url="x", query={"a": {}}, headers={"host": "x", "": ""}, body=1)

    assert [Fault(*fault).at for fault in found] == [
        *("inputs/relative_url", "inputs/query/a", "inputs/headers/host", "inputs/headers", "inputs/body")
    ]
