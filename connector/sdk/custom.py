"""A request that a caller wrote (Custom API Action): read strictly, so that it stays below the API's prefix.

SSRF-9 and SSRF-11 of the security reference: one parser, no dots, no escapes in escapes, no header that carries
credentials or changes how the request is framed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.kinds import Json

LONGEST_URL = 4096  # characters
MOST_HEADERS, LARGEST_HEADERS = 20, 8192  # and characters of them all
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
KEPT_HEADERS = {
    *("authorization", "host", "cookie", "content-length", "content-type", "transfer-encoding", "connection", "te"),
    *("trailer", "upgrade", "expect", "forwarded", "content-encoding"),
    *("x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url"),
}
KEPT_PREFIXES = ("proxy-", "x-forwarded-")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\x20-\x7e]*")

Scalar = str | int | float | bool


@dataclass(frozen=True)
class CustomRequest:
    """Path segments below the prefix (decoded), whether a slash ends them, the whole query, the headers to add."""

    path: tuple[str, ...]
    slash: bool
    query: dict[str, list[Scalar]]
    headers: dict[str, str]


def custom_request(method: str, url: str, query: Json | None, headers: Json | None, body: Any) -> CustomRequest:
    """The request, or every fault in it at once."""
    path, _, asked = url.partition("?")
    faults = [
        *_address_faults(url, path),
        *_query_faults(query or {}),
        *_header_faults(headers or {}),
        *_body_faults(method, body),
    ]
    if faults:
        raise InvalidCall.of(faults)
    merged: dict[str, list[Scalar]] = {}
    for key, value in [*parse_qsl(asked, keep_blank_values=True), *_pairs(query or {})]:
        merged.setdefault(key, []).append(value)
    segments = tuple(unquote(part) for part in path.strip("/").split("/")) if path.strip("/") else ()
    return CustomRequest(
        segments,
        bool(segments) and path.endswith("/"),
        merged,
        {name: value if isinstance(value, str) else json.dumps(value) for name, value in (headers or {}).items()},
    )


def _address_faults(url: str, path: str) -> Iterator[Fault]:
    def fault(why: str) -> Fault:
        return Fault("inputs/relative_url", f"Relative URL {why}.")

    if not path.startswith("/") or path.startswith("//"):
        yield fault("must start with one slash, for example /devices")
    elif len(url) > LONGEST_URL or not re.fullmatch(r"[\x21-\x7e]*", url) or "\\" in url or "#" in url:
        yield fault(f"must be at most {LONGEST_URL} visible ASCII characters, without backslash or fragment")
    elif not all(_plain(part) for part in path[1:].removesuffix("/").split("/")) and path != "/":
        yield fault("must not have empty, dotted or doubly encoded parts, nor encoded slashes")


def _plain(part: str) -> bool:
    """One segment that means the same before and after decoding, to us and to any server."""
    decoded = unquote(part)
    bad = decoded in ("", ".", "..") or "/" in decoded or "\\" in decoded or "\ufffd" in decoded
    return not bad and decoded.isprintable() and not re.search(r"%[0-9A-Fa-f]{2}", decoded) and _escapes(part)


def _escapes(part: str) -> bool:
    """Every percent sign starts an escape."""
    return re.fullmatch(r"([^%]|%[0-9A-Fa-f]{2})*", part) is not None


def _query_faults(query: Json) -> Iterator[Fault]:
    for key, value in query.items():
        items = value if isinstance(value, list) else [value]
        if not all(item is None or isinstance(item, Scalar) for item in items):
            yield Fault(
                f"inputs/query/{key}", "A query value must be text, a number, true or false, or a list of these."
            )


def _pairs(query: Json) -> Iterator[tuple[str, Scalar]]:
    for key, value in query.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                yield key, item


def _header_faults(headers: Json) -> Iterator[Fault]:
    if (
        len(headers) > MOST_HEADERS
        or sum(len(name) + len(str(value)) for name, value in headers.items()) > LARGEST_HEADERS
    ):
        yield Fault("inputs/headers", f"Headers must be at most {MOST_HEADERS}, {LARGEST_HEADERS} characters in all.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            yield Fault("inputs/headers", "A header has a name that is not allowed in HTTP.")
        elif (known := name.lower().replace("_", "-")) in KEPT_HEADERS or known.startswith(KEPT_PREFIXES):
            yield Fault(f"inputs/headers/{name}", "This header is set by the connector and cannot be given.")
        elif not isinstance(value, Scalar) or not _VALUE.fullmatch(str(value)):
            yield Fault(f"inputs/headers/{name}", "A header value must be visible ASCII text.")


def _body_faults(method: str, body: Any) -> Iterator[Fault]:
    if body is not None and method not in WITH_BODY:
        yield Fault("inputs/body", "Body is sent with POST, PUT and PATCH only.")
