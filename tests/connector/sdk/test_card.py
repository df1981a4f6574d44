"""A card: what is read from a typed function in a file of its own, and what is said where that cannot be."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal

import pytest

from connector.sdk.card import BadCard, Card, card, list_card
from connector.sdk.client import Client, Connection
from connector.sdk.http import Service
from connector.sdk.kinds import Text
from connector.sdk.results import Cursor, Page, ResultSet
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, field


class Acme(Client[Connection], title="Acme"):
    """A client."""


class Options(CardOptions):
    details: Literal["basic", "full"] = field("How much")


class Inputs(CardInputs):
    id: Text = field("ID")


class Basic(CardOutputs, when={"details": "basic"}):
    id: Text = field("ID")


class Full(CardOutputs, when={"details": "full"}):
    name: Text = field("Name")


class Pong(CardOutputs):
    id: Text = field("ID")


class Thing(Record):
    id: Text = field("ID")


async def find_thing(options: Options, inputs: Inputs, acme: Acme) -> Basic | Full:
    return Full(name=inputs.id) if options.details == "full" else Basic(id=inputs.id)


async def list_things(page: Cursor, acme: Acme) -> Page[Thing]:
    return Page([{"id": page.at}])


File = Callable[..., Any]


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> File:
    """`file(handler, "Says what it does.")`: the handler as if it stood in `cards/acme/find_thing.py`."""

    def place(handler: Any, says: str = "Find a thing.") -> Any:
        module = ModuleType("cards.acme.find_thing", says)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(handler, "__module__", module.__name__)
        return handler

    return place


def client() -> Acme:
    return Acme(Connection(), Service("https://acme.test", {}))


def test_a_card_is_named_after_its_file(file: File) -> None:
    """Key, connector and name come from the module, the description from its docstring."""
    found = card("Find Thing", effect="write", keywords=("look up",))(file(find_thing, "Find\n  a thing."))

    assert (found.key, found.connector, found.name) == ("acme.find_thing", "acme", "find_thing")
    assert (found.title, found.description, found.effect, found.keywords) == (
        *("Find Thing", "Find a thing.", "write"),
        ("look up",),
    )


def test_a_card_is_read_from_the_types_of_its_handler(file: File) -> None:
    """The declaration is the signature, whatever the names of the parameters."""
    found = card("Find Thing")(file(find_thing))

    assert (found.options, found.inputs, found.client) == (Options, Inputs, Acme)
    assert (found.outputs, found.effect, found.results, found.record) == ((Basic, Full), "read", None, None)


def test_a_card_needs_neither_options_nor_inputs(file: File) -> None:
    """What a handler does not take is an empty table."""

    async def ping(acme: Acme) -> Pong:
        return Pong()

    found = card("Ping")(file(ping))

    assert (found.options, found.inputs, found.outputs) == (CardOptions, CardInputs, (Pong,))


@pytest.mark.parametrize(("details", "table"), [("basic", Basic), ("full", Full)])
def test_outputs_depend_on_the_options(file: File, details: str, table: type[CardOutputs]) -> None:
    """Each table says for which choice it appears."""
    found = card("Find Thing")(file(find_thing))

    assert found.outputs_for(Options.model_validate({"details": details})) is table


async def test_a_card_answers_by_its_handler(file: File) -> None:
    """Each part is handed to the parameter of its type."""
    found = card("Find Thing")(file(find_thing))

    answer = await found.ask(Options.model_validate({"details": "full"}), Inputs(id="x"), client())

    assert answer == Full(name="x")


async def test_a_list_card_gives_a_page_for_a_cursor(file: File) -> None:
    """Options and outputs are those of its Result Set; it reads only."""
    results = ResultSet(first=10, into="things")
    found: Card = list_card("List Things", results)(file(list_things))

    page = await found.ask(CardOptions(), CardInputs(), client(), Cursor("7"))

    assert (found.results, found.record, found.effect) == (results, Thing, "read")
    assert (found.options, found.outputs) == (results.options, results.outputs)
    assert page == Page([{"id": "7"}])


async def without_a_client(inputs: Inputs) -> Basic:
    return Basic()


async def with_a_stranger(inputs: Inputs, acme: Acme, size: int) -> Basic:
    return Basic()


async def with_an_untyped(inputs: Inputs, acme) -> Basic:  # type: ignore[no-untyped-def]
    return Basic()


async def with_a_perhaps(inputs: Inputs, acme: Acme | None) -> Basic:
    return Basic()


async def with_an_answer_of_json(acme: Acme) -> dict[str, Any]:
    return {}


async def with_an_answer_of_inputs(acme: Acme) -> Inputs:
    return Inputs()


async def with_an_empty_answer(acme: Acme) -> Basic | None:
    return None


async def without_an_answer(acme: Acme):  # type: ignore[no-untyped-def]
    return None


RETURN = "the handler must return CardOutputs, or a union of them."
ROLE = "must be options, inputs, a page cursor or a client."


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (without_a_client, "the handler takes no client; add one, for example `kandji: Kandji`."),
        (with_a_stranger, f"`size` {ROLE}"),
        (with_an_untyped, f"`acme` {ROLE}"),
        (with_a_perhaps, f"`acme` {ROLE}"),
        (with_an_answer_of_json, RETURN),
        (with_an_answer_of_inputs, RETURN),
        (with_an_empty_answer, RETURN),
        (without_an_answer, RETURN),
    ],
)
def test_a_wrong_declaration_is_told(file: File, handler: Any, why: str) -> None:
    """The author reads which card it is and what to change."""
    with pytest.raises(BadCard) as raised:
        card("Find Thing")(file(handler))

    assert str(raised.value) == f"cards.acme.find_thing: {why}"


async def with_a_list(page: Cursor, acme: Acme) -> list[Thing]:
    return []


async def with_a_bare_page(page: Cursor, acme: Acme) -> Page:  # type: ignore[type-arg]
    return Page([])


@pytest.mark.parametrize("handler", [find_thing, with_a_list, with_a_bare_page])
def test_a_list_card_must_give_pages(file: File, handler: Any) -> None:
    """Without a record type nothing could be said about the list."""
    with pytest.raises(BadCard, match=r"a list card must return Page\[\.\.\.\] of a Record\."):
        list_card("List Things", ResultSet(first=1, into="things"))(file(handler))


async def with_an_unknown_choice(options: Options, acme: Acme) -> Basic:
    return Basic()


class Other(CardOutputs, when={"detail": "basic"}):
    id: Text = field("ID")


async def with_an_unknown_option(options: Options, acme: Acme) -> Basic | Full | Other:
    return Basic()


@pytest.mark.parametrize("handler", [with_an_unknown_choice, with_an_unknown_option])
def test_a_choice_without_outputs_is_a_wrong_declaration(file: File, handler: Any) -> None:
    """Every choice has a table, and every table names an option there is."""
    with pytest.raises(BadCard):
        card("Find Thing")(file(handler))
