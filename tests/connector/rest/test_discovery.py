"""What there is to call: connectors, cards, tables for chosen options, and the choices of dropdowns."""

from typing import Any

import jsonschema
import pytest
import respx

from connector.catalog.find import catalog
from connector.catalog.schema import schema
from tests.conftest import Upcard, asked
from tests.connector.rest.conftest import Fresh

CARDS = list(catalog().cards.values())
CONDITIONS = {"oneOf", "anyOf", "allOf", "if", "then", "else", "not", "$ref"}
every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.key)


async def got(upcard: Upcard, path: str, **query: str) -> Any:
    answer = await upcard.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def words(value: Any) -> set[str]:
    """Every key in a document."""
    if isinstance(value, dict):
        return set(value).union(*map(words, value.values()))
    return set[str]().union(*map(words, value)) if isinstance(value, list) else set()


async def test_connectors_are_listed(upcard: Upcard) -> None:
    """With the schema of their connection, which a console makes a form of, and their cards."""
    listed = {each["key"]: each for each in (await got(upcard, "/v1/connectors"))["items"]}
    found = listed["kandji"]

    assert list(listed) == sorted({card.connector for card in CARDS})
    assert found["title"] == "Kandji"
    assert found["cards"] == [card.key for card in CARDS if card.connector == "kandji"]
    assert found["connection"]["properties"]["token"]["x-secret"] is True
    assert await got(upcard, "/v1/connectors/kandji") == found


async def test_the_catalogue_lists_every_card(upcard: Upcard) -> None:
    """In one line each."""
    found = await got(upcard, "/v1/cards")

    assert [card["key"] for card in found["items"]] == [card.key for card in CARDS]
    assert found["next"] is None
    assert set(found["items"][0]) == {"key", "connector", "title", "description", "effect", "list"}


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"q": "lost mode sound"}, {"kandji.play_lost_mode_sound"}),
        ({"q": "WIPE"}, {"kandji.erase_device"}),
        ({"q": "bypass"}, {"kandji.get_activation_lock_bypass_codes"}),
        ({"effect": "destroy", "q": "erase"}, {"kandji.erase_device"}),
        ({"connector": "kandji", "q": "zzz"}, set()),
        ({"connector": "nobody"}, set()),
        ({"effect": "", "q": " "}, {"kandji.lock_device"}),
    ],
)
async def test_the_catalogue_is_narrowed(upcard: Upcard, query: dict[str, str], keys: set[str]) -> None:
    """By connector, effect and words, which stand in titles, descriptions, keywords and labels."""
    found = (await got(upcard, "/v1/cards", **query))["items"]

    assert keys <= {card["key"] for card in found}
    assert bool(keys) == bool(found)


@pytest.mark.parametrize("effect", ["read", "write", "destroy"])
async def test_the_catalogue_tells_effects_apart(upcard: Upcard, effect: str) -> None:
    """An agent that may only read sees what it can use."""
    found = (await got(upcard, "/v1/cards", effect=effect))["items"]

    assert {card["key"] for card in found} == {card.key for card in CARDS if card.effect == effect}


async def test_a_card_s_document_is_its_published_file(upcard: Upcard) -> None:
    """At both of its addresses, and in the index."""
    document = await got(upcard, "/v1/cards/kandji/get_device")

    assert document == await got(upcard, "/schemas/kandji/get_device.json")
    assert document == schema(catalog().card("kandji.get_device"))
    assert "kandji/get_device.json" in {card["schema"] for card in (await got(upcard, "/schemas/index.json"))["cards"]}


@every_card
async def test_tables_for_chosen_options_are_flat(upcard: Upcard, card: Any) -> None:
    """No conditions: a builder without them can make a form of it; by query and by body alike."""
    path = f"/v1/cards/{card.connector}/{card.name}/schema"
    table = card.outputs[0]

    asked_, told = (
        await got(upcard, path, **table.when),
        await upcard.http.post(path, json={"options": dict(table.when)}),
    )

    assert asked_ == told.json() or not table.when
    assert words(asked_).isdisjoint(CONDITIONS)
    assert [jsonschema.Draft202012Validator.check_schema(asked_[part] or {}) for part in ("inputs", "outputs")]


@pytest.mark.parametrize(
    ("options", "keys", "streams"),
    [
        ({"result_set": "first_200"}, ["devices"], False),
        ({"result_set": "First 200 Matching Records"}, ["devices"], False),
        ({"result_set": "stream"}, ["record_count"], True),
    ],
)
async def test_outputs_are_those_of_the_options(
    upcard: Upcard, options: dict[str, str], keys: list[str], streams: bool
) -> None:
    """By slug or label; a stream has its own table as well."""
    found = await got(upcard, "/v1/cards/kandji/list_devices/schema", **options)

    assert list(found["outputs"]["properties"]) == keys
    assert (found["options"]["properties"], found["stream"] is not None) == ({}, streams)


async def test_options_that_are_still_open_are_told(upcard: Upcard) -> None:
    """Until all are chosen there are no outputs, and inputs are told all the same."""
    found = await got(upcard, "/v1/cards/kandji/get_device/schema")

    assert list(found["options"]["properties"]) == ["details"]
    assert list(found["inputs"]["properties"]) == ["device_id"]
    assert (found["outputs"], found["stream"]) == (None, None)


@pytest.mark.parametrize("blank", ["", " "])
async def test_a_blank_option_is_still_open(upcard: Upcard, blank: str) -> None:
    """A form sends every field, also those that were not touched."""
    found = await upcard.http.post("/v1/cards/kandji/get_device/schema", json={"options": {"details": blank}})

    assert list(found.json()["options"]["properties"]) == ["details"]


@pytest.mark.parametrize(
    ("options", "at"), [({"details": "x"}, "options/details"), ({"detail": "full"}, "options/detail")]
)
async def test_a_wrong_option_is_told(upcard: Upcard, options: dict[str, str], at: str) -> None:
    """By query and by body."""
    path = "/v1/cards/kandji/get_device/schema"

    answers = [await upcard.http.get(path, params=options), await upcard.http.post(path, json={"options": options})]

    assert {answer.status_code for answer in answers} == {400}
    assert [[error["at"] for error in answer.json()["errors"]] for answer in answers] == [[at], [at]]


async def test_a_rule_across_rows_is_named(upcard: Upcard) -> None:
    """Since it cannot be said without conditions."""
    found = await got(upcard, "/v1/cards/kandji/turn_on_lost_mode/schema")

    assert found["inputs"]["x-any-of"] == ["lock_message", "phone_number"]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({}, ["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ({"q": "p"}, ["POST", "PUT", "PATCH"]),
        ({"q": "zzz"}, []),
    ],
)
async def test_declared_choices_are_offered(upcard: Upcard, query: dict[str, str], values: list[str]) -> None:
    """With their labels, narrowed by what is typed; there is one page of them."""
    found = await got(upcard, "/v1/cards/kandji/custom_api_action/choices/request_type", **query)

    assert [choice["value"] for choice in found["items"]] == values
    assert found["next"] is None


async def test_live_choices_come_from_another_card(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """A page at a time; `next` leads on to the page after it."""
    link = "https://acme.kandji.io/api/v1/blueprints?limit=2&offset=2"
    some = [{"id": "b1", "name": "Sales"}, {"id": "b2", "name": "Support"}]
    first = {"count": 3, "next": link, "previous": None, "results": some}
    last = {"count": 3, "next": None, "previous": None, "results": [{"id": "b3", "name": "Staff"}]}
    kandji.get("/blueprints", params={"offset": 2}).respond(json=last)
    kandji.get("/blueprints").respond(json=first)
    path = "/v1/cards/kandji/update_device/choices/blueprint_id"

    one = await got(upcard, path)
    two = await got(upcard, path, cursor=one["next"], connection="acme")

    assert one["items"] == [{"value": "b1", "label": "Sales"}, {"value": "b2", "label": "Support"}]
    assert two == {"items": [{"value": "b3", "label": "Staff"}], "next": None}
    assert (await got(upcard, path, q="SUP"))["items"] == [{"value": "b2", "label": "Support"}]


LIVE = "/v1/cards/kandji/update_device/choices/blueprint_id"
DECLARED = "/v1/cards/kandji/custom_api_action/choices/request_type"


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("/v1/cards?effect=nope", ["query/effect"]),
        ("/v1/cards?effct=read&q=x", ["query/effct"]),
        ("/v1/cards?q=a&q=b", ["query/q"]),
        (f"/v1/cards?q={'a+' * 101}", ["query/q"]),
        ("/v1/connectors?q=x", ["query/q"]),
        ("/v1/connectors/kandji?x", ["query/x"]),
        ("/v1/connections?limit=1", ["query/limit"]),
        ("/v1/flows?limit=1", ["query/limit"]),
        ("/v1/cards/kandji/get_device?details=full", ["query/details"]),
        (f"{LIVE}?query=x", ["query/query"]),
        (f"{DECLARED}?cursor=7", ["query/cursor"]),
    ],
)
async def test_a_wrong_query_is_told(upcard: Upcard, path: str, at: list[str]) -> None:
    """ER-2: a misspelt filter does not list everything."""
    answer = await upcard.http.get(path)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, at)


@pytest.mark.parametrize("cursor", ["7", "limit=300&deleted=true", "k1.AAAA", "azEuAAAA", "\u00e9", "=", "-" * 5000])
async def test_the_service_is_sent_no_cursor_but_ours(upcard: Upcard, kandji: respx.MockRouter, cursor: str) -> None:
    """SSRF-13: a cursor becomes part of what the service is asked."""
    answer = await upcard.http.get(LIVE, params={"cursor": cursor})

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, ["query/cursor"])
    assert asked(kandji) == []


async def test_a_cursor_is_good_for_its_caller_only(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """AU-4: a key that may use other connections may have another one's cursor."""
    link = "https://acme.kandji.io/api/v1/blueprints?limit=2&offset=2"
    kandji.get("/blueprints").respond(json={"count": 3, "next": link, "previous": None, "results": [{"id": "b1"}]})
    cursor = (await got(upcard, LIVE))["next"]
    other = {"Authorization": f"Bearer {upcard.host.keys.mint('another')}"}

    answer = await upcard.http.get(LIVE, params={"cursor": cursor}, headers=other)

    assert "offset" not in cursor
    assert (answer.status_code, len(asked(kandji))) == (400, 1)


async def test_choices_need_a_connection(fresh: Fresh) -> None:
    """As a call does."""
    upcard = await fresh()
    await upcard.host.connections.delete("acme")

    answer = await upcard.http.get("/v1/cards/kandji/update_device/choices/blueprint_id")

    assert (answer.status_code, answer.json()["type"]) == (409, "not_connected")


async def test_choices_with_a_refused_token_are_not_connected(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """UP-4: as for any card."""
    kandji.get("/blueprints").respond(401)

    answer = await upcard.http.get("/v1/cards/kandji/update_device/choices/blueprint_id")

    assert (answer.status_code, answer.json()["type"]) == (409, "not_connected")


@pytest.mark.parametrize("field", ["device_id", "nothing", "blueprint-id", "status_code"])
async def test_only_dropdowns_have_choices(upcard: Upcard, kandji: respx.MockRouter, field: str) -> None:
    """Anything else is not there."""
    answer = await upcard.http.get(f"/v1/cards/kandji/update_device/choices/{field}")

    assert (answer.status_code, answer.json()["type"], asked(kandji)) == (404, "not_found", [])
