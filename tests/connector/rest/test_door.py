"""No key, no answer: every route there is, every way to send a key, and none besides."""

from typing import Any

import httpx
import pytest
from starlette.routing import Route

from connector.rest.app import routes
from connector.rest.door import OPEN, Door
from connector.rest.operations import CARD
from tests.conftest import HOST, Upcard

ROUTES = [("POST", CARD), *((method, route.path) for route in routes() for method in sorted(route.methods or ()))]
CLOSED = [(method, path) for method, path in ROUTES if path not in OPEN]


def anonymous(upcard: Upcard, **headers: str) -> httpx.AsyncClient:
    """A client without a key."""
    transport = httpx.ASGITransport(upcard.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)


def key_of(upcard: Upcard) -> str:
    return upcard.http.headers["authorization"].removeprefix("Bearer ")


def test_only_health_is_open() -> None:
    """AU-1: the list is literal, and every entry of it is a route."""
    assert {"/healthz", "/readyz"} == OPEN
    assert {path for _, path in ROUTES} > OPEN


def test_the_application_has_these_routes_and_no_others(upcard: Upcard) -> None:
    """AU-1: the walk below sees everything: no documentation page, nothing mounted; the door itself knows one more."""
    assert isinstance(upcard.app, Door)
    there: Any = vars(upcard.app)["_app"]

    assert {type(route) for route in there.routes} == {Route}
    assert sorted((method, route.path) for route in there.routes for method in route.methods) == sorted(ROUTES[1:])


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_a_route_answers_nobody_without_a_key(upcard: Upcard, method: str, path: str) -> None:
    """AU-1: deny by default; AU-5: the answer says how to authenticate."""
    answer = await anonymous(upcard).request(method, path.replace("{", "").replace("}", ""), json={"x": "s3cret"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="upcard"'


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/redoc", "/metrics", "/nowhere", "/v1", "/v1/", "/healthz/", "/readyz/x", "//healthz", "/HEALTHZ"],
)
async def test_nothing_else_answers_either(upcard: Upcard, path: str) -> None:
    """AU-1: what is not there is not told to a stranger, and no spelling of an open path opens another."""
    assert (await anonymous(upcard).get(f"{HOST}{path}")).status_code == 401


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_health_needs_no_key_and_reveals_nothing(upcard: Upcard, path: str) -> None:
    """OB-4: a probe has no credentials."""
    answer = await anonymous(upcard).get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer {}"),
        ("authorization", "bearer {}"),
        ("authorization", "BEARER   {}  "),
        ("x-api-client-token", "{}"),
        ("x-api-client-token", " {} "),
    ],
)
async def test_a_key_is_taken_from_two_headers(upcard: Upcard, name: str, value: str) -> None:
    """AU-2: the standard one, and the one that Okta Workflows sends."""
    answer = await anonymous(upcard, **{name: value.format(key_of(upcard))}).get("/v1/connectors")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "{}"),
        ("authorization", "Basic {}"),
        ("authorization", "Bearer"),
        ("authorization", "Bearer "),
        ("authorization", "Bearer {}x"),
        ("authorization", "Bearer {} {}"),
        ("authorization", "Bearer {}, Bearer {}"),
        ("authorization", "Bearer{}"),
        ("authorization", "Bearer\t{}"),
        ("authorization", "Bearer: {}"),
        ("authorization", ""),
        ("authorization", "Token {}"),
        ("x-api-client-token", ""),
        ("x-api-client-token", "Bearer {}"),
        ("x-api-key", "{}"),
        ("proxy-authorization", "Bearer {}"),
        ("cookie", "key={}; authorization=Bearer {}"),
        ("x-forwarded-for", "127.0.0.1"),
    ],
)
async def test_nothing_else_is_a_key(upcard: Upcard, name: str, value: str) -> None:
    """AU-2, AU-6: neither a cookie nor another scheme nor where a request comes from."""
    answer = await anonymous(upcard, **{name: value.format(key_of(upcard), key_of(upcard))}).get("/v1/connectors")

    assert (answer.status_code, answer.json()["type"]) == (401, "unauthenticated")
    assert key_of(upcard) not in answer.text


@pytest.mark.parametrize("change", [("_live_", "_test_"), ("kc_", "KC_"), ("_", "-")])
async def test_a_key_is_taken_to_the_letter(upcard: Upcard, change: tuple[str, str]) -> None:
    """AU-2: one of another environment, in another case or with other signs is wrong."""
    key = key_of(upcard).replace(*change)

    answer = await anonymous(upcard, authorization=f"Bearer {key}").get("/v1/connectors")

    assert (answer.status_code, answer.json()["type"]) == (401, "unauthenticated")


async def test_a_secret_has_its_case(upcard: Upcard) -> None:
    """AU-2: 43 signs of 64 kinds, not of 38."""
    start, _, secret = key_of(upcard).rpartition("_")

    answer = await anonymous(upcard, authorization=f"Bearer {start}_{secret.swapcase()}").get("/v1/connectors")

    assert answer.status_code == 401


@pytest.mark.parametrize(("name", "value"), [("cookie", "key={}"), ("x-api-key", "{}")])
async def test_a_right_key_counts_beside_what_is_none(upcard: Upcard, name: str, value: str) -> None:
    """AU-2: what is not looked at changes nothing, for better or worse."""
    answer = await upcard.http.get("/v1/connectors", headers={name: value.format("kc_live_x_y")})

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["key", "token", "access_token", "authorization", "x-api-client-token"])
async def test_a_key_in_the_address_is_none(upcard: Upcard, name: str) -> None:
    """AU-2: addresses are logged everywhere."""
    assert (await anonymous(upcard).get("/v1/connectors", params={name: key_of(upcard)})).status_code == 401


@pytest.mark.parametrize("value", [b"Bearer \xff\xfe", b"Bearer \xc3\xa9", b"\x80", b"Bearer " + b"x" * 100_000])
async def test_a_header_of_any_bytes_is_no_key(upcard: Upcard, value: bytes) -> None:
    """ER-1: it is refused, and is no fault of ours."""
    answer = await anonymous(upcard).get("/v1/connectors", headers=[(b"authorization", value)])

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "names",
    [
        ["authorization", "authorization"],
        ["x-api-client-token", "x-api-client-token"],
        ["authorization", "x-api-client-token"],
    ],
)
async def test_two_keys_are_too_many(upcard: Upcard, names: list[str]) -> None:
    """AU-5: even where both are the same and right: a proxy and the host must not read different ones."""
    values = {"authorization": f"Bearer {key_of(upcard)}", "x-api-client-token": key_of(upcard)}

    answer = await anonymous(upcard).get("/v1/connectors", headers=[(name, values[name]) for name in names])

    assert (answer.status_code, answer.json()["detail"]) == (400, "Send one key, in one header.")


async def test_a_key_is_checked_before_the_body_is_read(upcard: Upcard) -> None:
    """AU-4: a stranger learns nothing of a call, and does not make the host read it."""
    asked: list[bool] = []

    async def endless() -> Any:
        asked.append(True)
        yield b"{"

    answer = await anonymous(upcard).post("/v1/cards/kandji/erase_device", content=endless())

    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "A valid key is needed: Authorization: Bearer KEY, or x-api-client-token: KEY.",
    )


async def test_every_kind_of_connection_needs_a_key(upcard: Upcard) -> None:
    """AU-1: deny by default holds for what is added some day."""
    reached: list[str] = []

    async def route(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/v1/events", "headers": []}
    await Door(route, upcard.host)(scope, nothing, nothing)

    assert reached == []
