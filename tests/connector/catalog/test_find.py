"""Cards are found by their files: every module of a connector without a leading underscore is one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cards
from connector.catalog import find
from connector.catalog.find import Catalog, catalog
from connector.sdk.card import BadCard
from connector.sdk.errors import NoSuchCard, NoSuchConnector

CLIENT = '''
from connector import CardOutputs, Client, Connection, Text, card, field

class Acme(Client[Connection], title="Acme Inc"):
    """A client."""

class Other(Client[Connection], title="Other"):
    """Another client."""

class Outputs(CardOutputs):
    id: Text = field("ID")
'''
CARD = '''"""Find a thing."""
from cards.acme._client import Acme, Other, Outputs
from connector import card

@card("Find Thing")
async def {name}(acme: {client}) -> Outputs:
    return Outputs()
'''

Write = Callable[..., Catalog]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """`write(find_thing=CARD...)`: the catalogue of an installation that has these files in `cards/acme`."""
    (tmp_path / "acme").mkdir()
    monkeypatch.setattr(cards, "__path__", [str(tmp_path)])

    def read(**files: str) -> Catalog:
        for name, text in {"__init__": '"""A service of\n\n  Acme."""', "_client": CLIENT, **files}.items():
            (tmp_path / "acme" / f"{name}.py").write_text(text)
        return catalog.__wrapped__()

    yield read
    for name in [name for name in sys.modules if name.startswith("cards.acme")]:
        del sys.modules[name]


def test_every_module_is_a_card(write: Write) -> None:
    """No list to edit; modules with an underscore are the connector's own."""
    found = write(
        find_thing=CARD.format(name="find_thing", client="Acme"),
        ask=CARD.format(name="ask", client="Acme"),
        _shapes="x = 1",
    )

    assert list(found.cards) == ["acme.ask", "acme.find_thing"]
    assert (found.cards["acme.ask"].title, found.cards["acme.ask"].description) == ("Find Thing", "Find a thing.")


def test_a_connector_is_its_package(write: Write) -> None:
    """Its words are the package's docstring, its title the client's."""
    found = write(ask=CARD.format(name="ask", client="Acme")).connector("acme")

    assert (found.key, found.title, found.description) == ("acme", "Acme Inc", "A service of Acme.")
    assert [card.key for card in found.cards] == ["acme.ask"]


@pytest.mark.parametrize(
    "text",
    ["", "find_thing = 1", CARD.format(name="find_things", client="Acme"), "from cards.acme._client import card"],
)
def test_a_file_without_its_card_is_told(write: Write, text: str) -> None:
    """A file in the wrong place, or a function with another name, does not vanish."""
    with pytest.raises(
        BadCard, match=r"^cards/acme/find_thing\.py: a card file holds a card function of the same name"
    ):
        write(find_thing=text)


def test_cards_of_a_connector_share_a_client(write: Write) -> None:
    """A connection is the connector's."""
    one, other = (CARD.format(name=name, client=client) for name, client in (("ask", "Acme"), ("tell", "Other")))

    with pytest.raises(BadCard, match=r"^cards/acme: its cards must share one client, not 2"):
        write(ask=one, tell=other)


def test_a_connector_without_cards_is_told(write: Write) -> None:
    """It could not be connected."""
    with pytest.raises(BadCard, match="not 0"):
        write()


@pytest.mark.parametrize(
    "key", ["", "kandji", "kandji.", ".lock_device", "kandji._client", "kandji.Lock_Device", "x.y"]
)
def test_an_unknown_card_is_not_there(key: str) -> None:
    """The key is not repeated."""
    with pytest.raises(NoSuchCard, match=r"^There is no card of this name\. GET /v1/cards lists them\.$"):
        catalog().card(key)


@pytest.mark.parametrize("key", ["", "Kandji", "_client", "kandji.lock_device"])
def test_an_unknown_connector_is_not_there(key: str) -> None:
    """The key is not repeated."""
    with pytest.raises(NoSuchConnector, match="There is no connector of this name"):
        catalog().connector(key)


def test_the_catalogue_is_read_once_and_not_changed() -> None:
    """One for all faces of the host."""
    assert catalog() is find.catalog()
    assert list(catalog().cards) == sorted(catalog().cards)
    with pytest.raises(TypeError):
        catalog().cards["x.y"] = None  # type: ignore[index]  # mypy knows it as well
