"""What there is to call: connectors, cards, schemas for chosen options, and the choices of dropdowns."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector.catalog.find import Connector
from connector.catalog.schema import given_schema, resolved, schema
from connector.engine.calls import Call
from connector.rest.answers import json_answer, listed
from connector.rest.body import read_body
from connector.rest.cursors import Cursors, foreign
from connector.rest.hosts import host_of
from connector.sdk.card import Card, Effect
from connector.sdk.errors import NotFound
from connector.sdk.kinds import Json, Object, Text
from connector.sdk.reading import accept
from connector.sdk.results import Cursor
from connector.sdk.tables import CardInputs, Row, field, rows

MOST_CHOICES = 100  # of a page
LONGEST_WORDS = 200  # characters; each word is looked for in all cards

Choices = list[tuple[Any, str]]  # value and label


class CardsWanted(CardInputs):
    connector: Text = field("Key of the connector, such as kandji")
    effect: Effect | None = field("What the cards do")
    q: Text = field("Words to look for", max_length=LONGEST_WORDS)


class ChoicesWanted(CardInputs):
    q: Text = field("Words to look for", max_length=LONGEST_WORDS)
    cursor: Text = field("Where the page starts: `next` of the page before")
    connection: Text = field("Name of the connection, where there are several")


class ChosenOptions(CardInputs):
    options: Object = field("The options chosen so far")


async def list_connectors(request: Request) -> Response:
    host = host_of(request)
    return listed([_connector(connector) for connector in host.catalog.connectors.values()])


async def get_connector(request: Request) -> Response:
    return json_answer(_connector(host_of(request).catalog.connector(request.path_params["connector"])))


async def list_cards(request: Request) -> Response:
    """The catalogue, narrowed by connector, effect and words."""
    wanted: CardsWanted = request.state.query
    found = [
        summary(card)
        for card in host_of(request).catalog.cards.values()
        if wanted.connector in (None, card.connector)
        and wanted.effect in (None, card.effect)
        and speaks(card, wanted.q or "")
    ]
    return listed(found)


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
    wanted: ChoicesWanted = request.state.query
    row = _row(_card(request), request.path_params["field"])
    if row.mark.choices:
        choices, cursor = await _live_choices(request, row.mark.choices, wanted)
    elif wanted.cursor:
        raise foreign()
    else:
        choices, cursor = [(choice, row.label_of_choice(choice)) for choice in row.choices], None
    words = (wanted.q or "").casefold()
    return listed([{"value": value, "label": label} for value, label in choices if words in label.casefold()], cursor)


async def _live_choices(request: Request, choices: str, wanted: ChoicesWanted) -> tuple[Choices, str | None]:
    """Values and labels of one page of the card that lists them, and the cursor of the next page."""
    key, _, names = choices.partition(":")
    value, _, label = names.partition(",")
    host, caller = host_of(request), request.state.caller
    ready = await host.reader.read(Call(key, caller, wanted.connection, records=True))
    cursors = Cursors(request.app.state.seals, f"choices/{caller.id}/{ready.account.name}/{key}")
    page = await host.runner.page(ready, Cursor(cursors.read(wanted.cursor), MOST_CHOICES))
    return [(record.get(value), str(record.get(label))) for record in page.records], cursors.give(page.next)


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


def speaks(found: Card, words: str) -> bool:
    """Whether a card speaks of each of these words."""
    tables: list[Any] = [found.options, found.inputs, *found.outputs]
    labels = [row.label for table in tables for row in rows(table)]
    spoken = " ".join([found.key, found.title, found.description, *found.keywords, *labels]).casefold()
    return all(word in spoken for word in words.casefold().split())


def _row(found: Card, key: str) -> Row:
    for row in (*rows(found.options), *rows(found.inputs)):
        if row.key == key and (row.choices or row.mark.choices):
            return row
    raise NotFound("This card has no dropdown of this name.")


def _card(request: Request) -> Card:
    return host_of(request).catalog.card(f"{request.path_params['connector']}.{request.path_params['card']}")
