"""What a key allows: every operation needs its scope, and is looked at no further without it."""

import pytest
import respx

from connector.catalog.find import catalog
from connector.engine.callers import SCOPES
from connector.rest.openapi import openapi
from connector.rest.operation import Operation
from connector.rest.operations import OPERATIONS
from connector.sdk.card import Card
from tests.conftest import TENANT, TOKEN, Upcard
from tests.connector.rest.conftest import Fresh, holding

# What any key may do, and so one without scopes: everything else is refused.
ANY_KEY = {
    "list_connectors", "get_connector", "list_cards", "get_card", "get_card_schema", "resolve_card_schema",
    "list_choices", "list_connections", "get_connection", "list_flows", "get_flow", "get_openapi", "get_index",
    "get_schema_file", "get_metrics", "get_kill_switch",
}  # fmt: skip
ALL = [operation for operations in OPERATIONS.values() for operation in operations]
CLOSED = [operation for operation in ALL if not operation.is_open]
NEEDY = [operation for operation in CLOSED if operation.id not in ANY_KEY]
BETA = {"name": "beta", "connector": "kandji", "fields": {"url": TENANT, "token": TOKEN}}


def by_id(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.id)


def path_of(operation: Operation) -> str:
    return operation.path.replace("{", "").replace("}", "")


@by_id(NEEDY)
async def test_a_key_without_scopes_is_refused(upcard: Upcard, operation: Operation) -> None:
    """AU-1, AU-4: with 403, before the query and the body are looked at, whether or not the thing is there."""
    async with holding(upcard) as http:
        answer = await http.request(operation.method, path_of(operation) + "?s3cret=1", content=b"{s3cret")

    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert answer.json()["detail"] == f"The key lacks the scope {operation.scope}."


@by_id([operation for operation in CLOSED if operation.id in ANY_KEY])
async def test_a_key_without_scopes_may_look(upcard: Upcard, operation: Operation) -> None:
    """AU-4: at the catalogue, at documents, and at which connections and flows there are."""
    async with holding(upcard) as http:
        answer = await http.request(operation.method, path_of(operation))

    assert answer.status_code in (200, 404)


def test_an_operation_needs_admin_unless_it_says_otherwise() -> None:
    """AU-1: what is added some day is closed."""
    assert Operation("GET", "/v1/new", "New", None, None).scopes == ["admin"]  # type: ignore[arg-type]


@by_id([operation for operation in NEEDY if operation.scope == "admin"])
async def test_other_scopes_do_not_administer(upcard: Upcard, operation: Operation) -> None:
    """AU-4: all of them together are not `admin`."""
    async with holding(upcard, *(scope for scope in SCOPES if scope != "admin")) as http:
        answer = await http.request(operation.method, path_of(operation), json={})

    assert (answer.status_code, answer.json()["detail"]) == (403, "The key lacks the scope admin.")


@pytest.mark.parametrize("card", [card for card in catalog().cards.values() if not card.by_name], ids=lambda c: c.key)
async def test_a_key_without_scopes_calls_no_card(upcard: Upcard, card: Card) -> None:
    """AU-1: deny by default, for every card there is."""
    async with holding(upcard) as http:
        answer = await http.post(f"/v1/cards/{card.connector}/{card.name}", json={})

    assert (answer.status_code, answer.json()["detail"]) == (403, f"The key lacks the scope cards:{card.effect}.")


@pytest.mark.parametrize(
    ("card", "scopes"),
    [
        ("kandji.get_device", ("cards:write", "cards:destroy", "cards:secret", "runs", "admin")),
        ("kandji.restart_device", ("cards:read", "cards:destroy", "cards:secret", "runs", "admin")),
        ("kandji.erase_device", ("cards:read", "cards:write", "cards:secret", "runs", "admin")),
        ("kandji.get_filevault_recovery_key", ("cards:read", "cards:write", "cards:destroy", "runs", "admin")),
    ],
)
async def test_a_card_needs_its_scope(upcard: Upcard, card: str, scopes: tuple[str, ...]) -> None:
    """AU-4: no other stands for it, and nothing of the call is told before."""
    async with holding(upcard, *scopes) as http:
        answer = await http.post(f"/v1/cards/{card.replace('.', '/')}", json={"inputs": {"s3cret": 1}})

    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert "errors" not in answer.json()


async def test_a_dropdown_needs_what_its_card_needs(upcard: Upcard) -> None:
    """AU-4: choices are another card's records."""
    async with holding(upcard, "runs", "admin") as http:
        answer = await http.get("/v1/cards/kandji/get_blueprint/choices/blueprint_id")

    assert answer.status_code == 403


async def test_connections_beyond_a_key_are_not_there(upcard: Upcard) -> None:
    """AU-4: 404, as for one that never was; and before the query and the body are looked at."""
    names = {operation.path: operation.method for operation in CLOSED if "/v1/connections/{name}" in operation.path}
    async with holding(upcard, *SCOPES, connections=("beta",)) as http:
        listed = await http.get("/v1/connections")
        answers = [
            await http.request(method, path.replace("{name}", "acme") + "?s3cret=1", content=b"{s3cret")
            for path, method in names.items()
        ]

    assert listed.json()["items"] == []
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(404, "no_such_connection")}


async def test_a_key_reaches_its_connections(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """AU-4: it may look at them, change, check and delete them."""
    upcard = await fresh()
    kandji.route(method="GET").respond(json=[])
    async with holding(upcard, "admin", connections=("acme",)) as http:
        answers = [
            await http.get("/v1/connections/acme"),
            await http.post("/v1/connections/acme/check"),
            await http.patch("/v1/connections/acme", json={"fields": {"token": "other"}}),
            await http.delete("/v1/connections/acme"),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 204]


async def test_a_key_makes_only_connections_that_it_reaches(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """AU-4: else it could take a name that is kept for others."""
    upcard = await fresh()
    kandji.get("/devices").respond(json=[])
    async with holding(upcard, "admin", connections=("beta",)) as http:
        made = await http.post("/v1/connections", json=BETA)
        refused = [(await http.post("/v1/connections", json={**BETA, "name": name})) for name in ("gamma", "acme")]

    assert made.status_code == 201
    assert [(answer.status_code, answer.json()["type"]) for answer in refused] == [(403, "forbidden")] * 2


@by_id([operation for operation in NEEDY if "/flows" in operation.path])
async def test_a_key_for_some_connections_changes_no_flows(upcard: Upcard, operation: Operation) -> None:
    """AU-4: flows take records of all connections."""
    async with holding(upcard, "admin", connections=("acme",)) as http:
        answer = await http.request(operation.method, path_of(operation), json={})

    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "The key is for some connections only, and this is about all of them.",
    )


@by_id(ALL)
def test_what_a_key_needs_is_published(operation: Operation) -> None:
    """AU-4: with each operation, and that it may be refused."""
    found = openapi()["paths"][operation.path][operation.method.lower()]

    assert found["x-scopes"] == operation.scopes
    assert ("403" in found["responses"]) >= bool(operation.scopes)


def test_what_a_card_needs_is_published() -> None:
    """AU-4: a card that only gives secrets needs two scopes."""
    paths = openapi()["paths"]

    assert paths["/v1/cards/kandji/get_device"]["post"]["x-scopes"] == ["cards:read"]
    assert paths["/v1/cards/kandji/get_filevault_recovery_key"]["post"]["x-scopes"] == ["cards:read", "cards:secret"]
    assert {"401", "403", "429"} <= set(paths["/v1/cards/kandji/get_device"]["post"]["responses"])
