"""The OpenAPI document: valid, complete, and about the routes that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from connector.catalog.find import catalog
from connector.rest.app import routes
from connector.rest.door import OPEN
from connector.rest.openapi import openapi
from connector.sdk.errors import UpcardError

ROOT = Path(__file__).parents[3]
CARDS = catalog().cards
METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method, path, operation)
    for path, operations in openapi()["paths"].items()
    for method, operation in operations.items()
    if method in METHODS
]
every_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS]
)


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """What a part is, be it a reference or not."""
    found: Any = {"": openapi()}
    for step in part.get("$ref", "").split("/"):
        found = found[""] if step == "#" else found.get(step, found)
    return dict(found) if "$ref" in part else part


def statuses(path: str) -> set[str]:
    """The statuses that the document has for a method of a path."""
    method, _, path = path.partition(" ")
    return set(openapi()["paths"][path][method.lower()]["responses"])


def test_the_document_is_valid() -> None:
    """OpenAPI 3.1, by its own validator; and the published file is this one."""
    OpenAPIV31SpecValidator(json.loads(json.dumps(openapi()))).validate()

    assert openapi()["openapi"].startswith("3.1.")
    assert json.loads((ROOT / "openapi.json").read_text()) == json.loads(json.dumps(openapi()))


def test_every_route_is_documented_and_nothing_else() -> None:
    """Each method of each address; a card's operation stands for the one address that calls cards."""
    there = {(method, route.path) for route in routes() for method in route.methods or () if method != "HEAD"}
    calls = {("POST", f"/v1/cards/{card.connector}/{card.name}") for card in CARDS.values()}

    assert {(method.upper(), path) for method, path, _ in OPERATIONS} == there | calls


@every_operation
def test_an_operation_says_what_it_is(method: str, path: str, operation: dict[str, Any]) -> None:
    """A name, a summary, whole sentences, and a tag that is explained."""
    tags = {tag["name"] for tag in openapi()["tags"]}

    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", operation["operationId"])
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert set(operation["tags"]) <= tags


@every_operation
def test_every_parameter_of_an_address_is_described(method: str, path: str, operation: dict[str, Any]) -> None:
    """Those in the path, and no others there."""
    found = [resolve(parameter) for parameter in operation["parameters"]]

    assert {each["name"] for each in found if each["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
    assert all(each["description"] and "schema" in each for each in found)
    assert all(each.get("allowEmptyValue") for each in found if each["in"] == "query" and not each["required"])


@every_operation
def test_every_operation_has_problem_answers(method: str, path: str, operation: dict[str, Any]) -> None:
    """ER-1: at least for our own faults, and for a missing key unless it is open; all of one model."""
    errors = {status: resolve(answer) for status, answer in operation["responses"].items() if status[0] in "45"}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    assert {"500"} | ({"401"} if path not in OPEN else set()) <= set(errors)
    assert all(answer["content"] == problem for status, answer in errors.items() if path not in OPEN)


@every_operation
def test_only_health_is_open(method: str, path: str, operation: dict[str, Any]) -> None:
    """AU-1: everything else asks for a key."""
    assert (operation.get("security") == []) == (path in OPEN)
    assert openapi()["security"] == [{"bearer": []}, {"token": []}]


def test_names_of_operations_are_unique() -> None:
    """Generated clients make functions of them."""
    names = [operation["operationId"] for *_, operation in OPERATIONS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.key)
def test_a_card_s_answers_are_all_documented(card: Any) -> None:
    """ER-1: every status that calling a card can end with."""
    found = openapi()["paths"][f"/v1/cards/{card.connector}/{card.name}"]["post"]["responses"]

    assert set(found) >= {"200", "202", "400", "401", "404", "409", "413", "415", "500", "502", "503"}


@every_operation
def test_an_operation_with_a_body_says_how_that_fails(method: str, path: str, operation: dict[str, Any]) -> None:
    """ER-1: it can be slow, too large, no JSON or about something that is not there."""
    errors = {"400", "404", "408", "409", "413", "415"} if "requestBody" in operation else set()

    assert errors <= set(operation["responses"])


@pytest.mark.parametrize(
    ("operation", "required"),
    [
        ("POST /v1/connections", True),
        ("PATCH /v1/flows/{name}", True),
        ("POST /v1/cards/kandji/get_blueprint", True),
        ("POST /v1/flows/{name}/test", False),
        ("POST /v1/runs/{run}/redeliver", False),
        ("POST /v1/cards/{connector}/{card}/schema", False),
    ],
)
def test_a_body_is_required_where_something_in_it_is(operation: str, required: bool) -> None:
    """No body is an empty object, which is enough where nothing has to be given."""
    method, _, path = operation.partition(" ")

    assert openapi()["paths"][path][method.lower()]["requestBody"]["required"] is required


ASKING = ["POST /v1/connections", "PATCH /v1/connections/{name}", "POST /v1/connections/{name}/check"]
CHOICES = "GET /v1/cards/{connector}/{card}/choices/{field}"


@pytest.mark.parametrize("operation", [*ASKING, CHOICES])
def test_an_operation_that_asks_a_service_says_how_that_fails(operation: str) -> None:
    """ER-1: it can be refused, or not available; and not connected."""
    assert statuses(operation) >= {"409", "502", "503"}


@pytest.mark.parametrize(
    "operation", ["GET /v1/cards/{connector}/{card}/schema", "GET /v1/runs", "GET /v1/runs/{run}/failures", CHOICES]
)
def test_an_operation_that_reads_its_query_says_that_it_can_be_wrong(operation: str) -> None:
    """ER-1: 400."""
    assert "400" in statuses(operation)


def test_every_component_is_used() -> None:
    """What nothing refers to is dead weight in every generated client."""
    text = json.dumps(openapi())
    unused = {name for name in openapi()["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text}

    assert unused == set()


def test_the_problem_model_is_what_problems_are() -> None:
    """ER-1: every member that is sent is described, and what is always sent is required."""
    model = openapi()["components"]["schemas"]["Problem"]
    bare = UpcardError("Something.").shown()

    assert set(model["required"]) == set(bare)
    assert set(model["properties"]) >= {"run", "errors", "service"}


def test_the_problem_model_knows_how_long_to_wait() -> None:
    """ER-1: a generated client that is strict must not fail over a member it does not know."""
    shown = UpcardError("Something.", retry_after=7).shown("run_1")

    assert set(shown) <= set(openapi()["components"]["schemas"]["Problem"]["properties"])


@pytest.mark.parametrize("card", [card for card in CARDS.values() if card.record], ids=lambda card: card.key)
def test_a_list_describes_what_its_flow_is_sent(card: Any) -> None:
    """The callback has the record's own schema, and the headers that sign it."""
    operation = openapi()["paths"][f"/v1/cards/{card.connector}/{card.name}"]["post"]
    handed = operation["callbacks"]["record"]["{$request.body#/stream/url}"]["post"]
    headers = {resolve(parameter)["name"] for parameter in handed["parameters"]}

    assert headers == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert handed["security"] == []
