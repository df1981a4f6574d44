"""`upcard cards list` and `show`: the catalogue for people, or as JSON."""

from collections.abc import Iterable

import typer
from rich.console import Console
from rich.table import Column, Table

from connector.catalog.find import catalog
from connector.catalog.schema import schema, variant_title
from connector.cli.printing import open_console, print_json
from connector.rest.discovery import speaks, summary
from connector.sdk.card import Card
from connector.sdk.errors import NoSuchCard
from connector.sdk.tables import CardOutputs, Row, rows
from connector.sdk.tables import Table as Rows


def print_cards(words: str, connector: str, *, as_json: bool) -> None:
    found = [card for card in catalog().cards.values() if connector in ("", card.connector) and speaks(card, words)]
    if as_json:
        print_json([summary(card) for card in found])
        return
    table = Table(_keys(card.key for card in found), "title", "effect", "what it does", box=None)
    for card in found:
        table.add_row(card.key, card.title, card.effect, card.description)
    open_console().print(table, markup=False)


def print_card(key: str, *, as_json: bool) -> None:
    try:
        card = catalog().card(key)
    except NoSuchCard as error:
        raise typer.BadParameter(f"there is no card {key!r}; upcard cards list shows them") from error
    if as_json:
        print_json(schema(card))
        return
    console = open_console()
    console.print(f"{card.title} ({card.key}, {card.effect})\n{card.description}", markup=False)
    _print_rows(console, "Options", card.options)
    _print_rows(console, "Inputs", card.inputs)
    for table in card.outputs:
        _print_outputs(console, card, table)


def _print_outputs(console: Console, card: Card, table: type[CardOutputs]) -> None:
    groups = [row for row in rows(table) if row.group]
    title = f"Outputs for {variant_title(card, table)}" if table.when else "Outputs"
    if len(groups) < len(rows(table)):
        _print_rows(console, title, table)
    for row in groups:
        if row.group:
            _print_rows(console, f"{title}: {row.label}", row.group)


def _print_rows(console: Console, title: str, table: type[Rows]) -> None:
    found = [row for row in rows(table) if not row.group]
    if not found:
        return
    keys = _keys(row.key for row in found)
    printed = Table(keys, "label", "type", "", "what it is", title=title, title_justify="left", box=None)
    for row in found:
        printed.add_row(row.key, row.label, _type(row), "required" if row.required else "", row.says)
    console.print(printed, markup=False)


def _type(row: Row) -> str:
    return " | ".join(row.choices) or row.kind.name


def _keys(keys: Iterable[str]) -> Column:
    """The column that is never cut, since its words are typed again."""
    return Column("key", no_wrap=True, min_width=max(map(len, keys), default=0))
