"""What there is to call: connectors, cards, schemas for chosen options, and the choices of dropdowns."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector.catalog.find import Connector
from connector.catalog.schema import given_schema, resolved, schema
from connector.engine.calls import Call
from connector.engine.host import Host
from connector.rest.answers import json_answer, listed
from connector.rest.body import read_body
from connector.sdk.card import Card
from connector.sdk.errors import NotFound
from connector.sdk.kinds import Json, Object
from connector.sdk.reading import accept
from connector.sdk.results import Cursor
from connector.sdk.tables import CardInputs, Row, field, rows

MOST_CHOICES = 100


class ChosenOptions(CardInputs):
    options: Object = field("The options chosen so far")


async def list_connectors(request: Request) -> Response:
    host: Host = request.app.state.host
    return listed([_connector(connector) for connector in host.catalog.connectors.values()])


async def get_connector(request: Request) -> Response:
    return json_answer(_connector(_host(request).catalog.connector(request.path_params["connector"])))


async def list_cards(request: Request) -> Response:
    """The catalogue, narrowed by connector, effect and words."""
    wanted = {key: request.query_params[key] for key in ("connector", "effect") if key in request.query_params}
    words = request.query_params.get("q", "").casefold().split()
    found = [
        summary(card) for card in _host(request).catalog.cards.values() if all(speaks(card, word) for word in words)
    ]
    return listed([card for card in found if all(card[key] == value for key, value in wanted.items())])


async def get_card(request: Request) -> Response:
    return json_answer(schema(_card(request)))


async def get_schema_file(request: Request) -> Response:
    """The same document, where the published files have it."""
    return await get_card(request)


async def get_card_schema(request: Request) -> Response:
    """The exact tables for the options in the query; the options still open, where some are missing."""
    return json_answer(resolved(_card(request), dict(request.query_params)))


async def resolve_card_schema(request: Request) -> Response:
    """The exact tables for the options in the body; the options still open, where some are missing."""
    chosen = accept(ChosenOptions, await read_body(request))
    return json_answer(resolved(_card(request), chosen.options or {}))


async def list_choices(request: Request) -> Response:
    """The values a dropdown offers: those declared, or those that another card lists."""
    found = _card(request)
    row = _row(found, request.path_params["field"])
    words = request.query_params.get("q", "").casefold()
    if row.mark.choices is None:
        labels = {choice: row.label_of_choice(choice) for choice in row.choices}
        return listed(_offered(labels.items(), words))
    key, _, names = row.mark.choices.partition(":")
    value, _, label = names.partition(",")
    host = _host(request)
    call = Call(key, request.state.caller.id, request.query_params.get("connection"), records=True)
    ready = await host.reader.read(call)
    page = await host.runner.page(ready, Cursor(request.query_params.get("cursor"), MOST_CHOICES))
    return listed(_offered(((record.get(value), str(record.get(label))) for record in page.records), words), page.next)


def _offered(labels: Iterable[tuple[Any, str]], words: str) -> list[Json]:
    return [{"value": value, "label": label} for value, label in labels if words in label.casefold()]


def summary(found: Card) -> Json:
    """A card in one line."""
    return {
        "key": found.key,
        "connector": found.connector,
        "title": found.title,
        "description": found.description,
        "effect": found.effect,
        "list": found.results is not None,
    }


def _connector(found: Connector) -> Json:
    return {
        "key": found.key,
        "title": found.title,
        "description": found.description,
        "connection": given_schema(found.connects_with),
        "cards": [card.key for card in found.cards],
    }


def speaks(found: Card, word: str) -> bool:
    tables: list[Any] = [found.options, found.inputs, *found.outputs]
    labels = [row.label for table in tables for row in rows(table)]
    return word in " ".join([found.key, found.title, found.description, *found.keywords, *labels]).casefold()


def _row(found: Card, key: str) -> Row:
    offering = [
        row for table in (found.options, found.inputs) for row in rows(table) if row.choices or row.mark.choices
    ]
    for row in offering:
        if row.key == key:
            return row
    raise NotFound("This card has no dropdown of this name.")


def _card(request: Request) -> Card:
    return _host(request).catalog.card(f"{request.path_params['connector']}.{request.path_params['card']}")


def _host(request: Request) -> Host:
    host: Host = request.app.state.host
    return host
