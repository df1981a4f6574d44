"""ER-1 on every route: each error is a problem document, and repeats nothing of what was sent but names of fields."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connector.catalog.openapi import asks
from connector.rest import door
from connector.rest.app import app, routes
from connector.rest.operation import Operation
from connector.rest.operations import CARD, OPERATIONS
from tests.conftest import HOST, Upcard

CANARY = "c4n4ry"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
HEADERS = {
    "accept": f"text/{CANARY}",
    "cookie": CANARY,
    "origin": f"https://{CANARY}.example",
    "prefer": CANARY,
    "referer": CANARY,
    "user-agent": CANARY,
    "x-request-id": CANARY,
    "x-forwarded-host": CANARY,
    "traceparent": CANARY,
    "idempotency-key": CANARY,
    "last-event-id": CANARY,
}
JSON = {"content-type": "application/json"}
ALWAYS = {"type", "title", "status", "detail", "retry"}
SOMETIMES = {"run", "errors", "service", "retry_after"}

OWN = [operation for operations in OPERATIONS.values() for operation in operations]
LOCK = "/v1/cards/kandji/lock_device"  # what is said to a card is looked at where there is one (AU-4)
EVERY = [("POST", CARD), *((operation.method, operation.path) for operation in OWN)]
TAKING = [("POST", LOCK), *((operation.method, operation.path) for operation in OWN if operation.takes)]
ASKED = [("POST", LOCK), *((each.method, each.path) for each in OWN if each.query is not None)]
NEEDING = [(each.method, each.path) for each in OWN if each.takes or (each.query and asks(each.query))]
NAMED = [(method, path) for method, path in EVERY if "{" in path]
PATHS = sorted({path for _, path in EVERY})
BAD_BODIES = {
    "no JSON": CANARY.encode(),
    "cut": b'{"inputs": {"device_id": "' + CANARY.encode(),
    "no UTF-8": CANARY.encode() + b"\xff",
    "not finite": b'{"' + CANARY.encode() + b'": NaN}',
    "twice": b'{"%s": 1, "%s": 2}' % (CANARY.encode(), CANARY.encode()),
    "a list": b'["%s"]' % CANARY.encode(),
    "too deep": b"[" * 70 + b'"%s"' % CANARY.encode() + b"]" * 70,
    "a wrong value": b'{"inputs": "%s", "fields": "%s", "positions": "%s"}' % ((CANARY.encode(),) * 3),
}


def at(path: str, value: str = CANARY) -> str:
    """The path with a value for each of its names."""
    return "/".join(value + part.partition("}")[2] if part.startswith("{") else part for part in path.split("/"))


def texts(found: Any) -> Iterator[str]:
    """Every text in JSON, but for the places of faults: these are names of fields."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield key
            yield from () if key == "at" else texts(value)
    elif isinstance(found, list):
        yield from (text for item in found for text in texts(item))
    else:
        yield str(found)


def is_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The document, once it is sure that it is one with this status, and that it repeats nothing."""
    found: dict[str, Any] = answer.json()
    assert answer.status_code in statuses
    assert found["status"] == answer.status_code
    assert ALWAYS <= set(found) <= ALWAYS | SOMETIMES
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert not any(CANARY in text for text in [*texts(found), *answer.headers.values()])
    return found


async def ask(upcard: Upcard, method: str, path: str, **how: Any) -> httpx.Response:
    headers = {**HEADERS, **how.pop("headers", {})}
    return await upcard.http.request(method, path, headers=headers, **how)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path", ["/{}", "/v1/{}", "/v1/cards/kandji/{}/x", "/schemas/{}", "/v1/runs/{}/x", "/{}/healthz"]
)
async def test_an_unknown_address_is_404(upcard: Upcard, method: str, path: str) -> None:
    """ER-1: for every method, with whatever body and query."""
    answer = await ask(upcard, method, path.format(CANARY), params={"x": CANARY}, json={"x": CANARY})

    assert is_problem(answer, 404)["type"] == "not_found"


@pytest.mark.parametrize(("method", "path"), NAMED)
async def test_an_unknown_name_is_404(upcard: Upcard, method: str, path: str) -> None:
    """ER-1: or 400, where the body is looked at first, or a query that has to be there."""
    takes, needs = (method, path) in TAKING, (method, path) in NEEDING

    answer = await ask(upcard, method, at(path), **({"json": {}} if takes else {}))

    is_problem(answer, *((400, 404) if needs else (404,)))


@pytest.mark.parametrize("path", PATHS)
async def test_another_method_is_405(upcard: Upcard, path: str) -> None:
    """ER-1: all of them; Allow names every method that the address takes (RFC 9110, 15.5.6)."""
    allowed = {method for route in routes() if route.path == path for method in route.methods or ()}
    allowed |= {"POST"} if path == CARD else set()

    answers = [await ask(upcard, method, at(path), json={"x": CANARY}) for method in METHODS if method not in allowed]

    assert {is_problem(answer, 405)["type"] for answer in answers} == {"method_not_allowed"}
    assert {frozenset(answer.headers["allow"].split(", ")) for answer in answers} == {frozenset(allowed)}


@pytest.mark.parametrize(("method", "path"), TAKING)
async def test_a_large_body_is_413(upcard: Upcard, method: str, path: str) -> None:
    """ER-1, AU-9: announced or not."""
    answer = await ask(upcard, method, at(path), content=CANARY.encode() * (1 << 18), headers=JSON)

    assert is_problem(answer, 413)["type"] == "too_large"


@pytest.mark.parametrize(("method", "path"), TAKING)
@pytest.mark.parametrize(
    "headers",
    [{"content-type": CANARY}, {"content-type": f"text/{CANARY}"}, {**JSON, "content-encoding": CANARY}, {}],
    ids=["no type", "text", "packed", "none"],
)
async def test_another_media_type_is_415(upcard: Upcard, method: str, path: str, headers: dict[str, str]) -> None:
    """ER-1, AU-9: neither the type nor the encoding is repeated."""
    answer = await ask(upcard, method, at(path), content=CANARY.encode(), headers=headers)

    assert is_problem(answer, 415)["type"] == "unsupported_media_type"


@pytest.mark.parametrize(("method", "path"), TAKING)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_bad_body_is_400(upcard: Upcard, method: str, path: str, body: bytes) -> None:
    """ER-1, ER-2: before anything is looked up by a name; a fault has its place and its reason."""
    answer = await ask(upcard, method, at(path), content=body, headers=JSON)

    found = is_problem(answer, 400)
    assert found["type"] == "invalid_call"
    assert all(set(fault) == {"at", "why"} for fault in found.get("errors", []))


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_a_bad_query_is_400(upcard: Upcard, method: str, path: str) -> None:
    """ER-1, ER-2: one parameter twice, another that is not known, a third with a NUL."""
    twice = [("connector", CANARY), ("connector", CANARY), ("x", CANARY), ("q", f"{CANARY}\0")]

    answer = await ask(upcard, method, at(path), params=twice)

    assert is_problem(answer, 400)["errors"]


@pytest.mark.parametrize("key", [CANARY, f"Bearer {CANARY}", f"Basic {CANARY}", f"{CANARY} {CANARY}", ""])
@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in EVERY if path not in door.OPEN])
async def test_a_wrong_key_is_401(upcard: Upcard, method: str, path: str, key: str) -> None:
    """ER-1, AU-5: with the way to do it right, without the key."""
    answer = await ask(upcard, method, at(path), headers={"authorization": key}, json={"x": CANARY})

    assert is_problem(answer, 401)["type"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == 'Bearer realm="upcard"'


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_a_fault_of_ours_is_500(upcard: Upcard, monkeypatch: pytest.MonkeyPatch, method: str, path: str) -> None:
    """ER-1, SEC-6: an id, and nothing of what went wrong or was sent."""

    async def fail(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(Operation, "answer", fail)
    monkeypatch.setattr(door, "call", fail)
    transport = httpx.ASGITransport(app(upcard.host), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=upcard.http.headers) as client:
        answer = await client.request(method, at(path), headers=HEADERS)

    found = is_problem(answer, 500)
    assert (found["type"], set(found)) == ("internal", ALWAYS)
    assert "RuntimeError" not in answer.text
