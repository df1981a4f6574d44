"""The published files: schemas, their index, and the README's table of cards. Written, never edited."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from connector.catalog.find import catalog
from connector.catalog.schema import schema
from connector.sdk.kinds import Json

BEGIN, END = "<!-- cards: written by `upcard publish` -->", "<!-- end of cards -->"
Documents = Mapping[str, Json]
NONE: Documents = {}


def index() -> Json:
    """Every card with the place of its document."""
    cards = catalog().cards.values()
    return {
        "cards": [
            {
                "key": card.key,
                "title": card.title,
                "effect": card.effect,
                "schema": f"{card.connector}/{card.name}.json",
            }
            for card in cards
        ]
    }


def files(openapi: Json, also: Documents = NONE) -> dict[str, str]:
    """Path below the project's root -> content, for everything but the README; `also` are documents of others."""
    schemas = {f"schemas/{card.connector}/{card.name}.json": schema(card) for card in catalog().cards.values()}
    ours = {"schemas/index.json": index(), "openapi.json": openapi}
    return {path: text(value) for path, value in {**schemas, **ours, **also}.items()}


def text(value: Json) -> str:
    """JSON as it is committed: sorted keys, two spaces, a newline at the end."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def readme(old: str) -> str:
    """The README with its table of cards made anew."""
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [
        f"| `{card.key}` | {card.title} | {card.effect} | {card.description} |" for card in catalog().cards.values()
    ]
    table = ["", "", "| card | title | effect | what it does |", "| --- | --- | --- | --- |", *rows, "", ""]
    return before + BEGIN + "\n".join(table) + END + after


def publish(root: Path, openapi: Json, also: Documents = NONE) -> list[str]:
    """Write what is stale, and remove schemas of cards that are gone; returns the paths."""
    wanted = _wanted(root, openapi, also)
    stale = stale_files(root, openapi, also)
    for path in stale:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path])
        else:
            (root / path).unlink()
    return stale


def stale_files(root: Path, openapi: Json, also: Documents = NONE) -> list[str]:
    """Paths whose content is not what the cards say, or that no card has any more."""
    wanted = _wanted(root, openapi, also)
    known = {str(path.relative_to(root)) for path in (root / "schemas").rglob("*.json")}
    changed = [path for path, content in wanted.items() if _content(root / path) != content]
    return sorted({*changed, *(known - set(wanted))})


def _wanted(root: Path, openapi: Json, also: Documents) -> Mapping[str, str]:
    return {**files(openapi, also), "README.md": readme(_content(root / "README.md"))}


def _content(path: Path) -> str:
    return path.read_text() if path.exists() else ""
