"""`upcard new card` writes a card that runs, and its case; it overwrites nothing."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from cards.kandji._client import Kandji, Tenant
from connector.catalog.scaffold import scaffold
from connector.sdk.card import BadCard, Card
from connector.sdk.http import Service
from connector.sdk.results import Cursor
from tests.conftest import TENANT, TOKEN

ROOT = Path(__file__).parents[3]

Load = Callable[[str], Card]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with Kandji's client and nothing else."""
    (tmp_path / "cards/kandji").mkdir(parents=True)
    shutil.copy(ROOT / "cards/kandji/_client.py", tmp_path / "cards/kandji")
    return tmp_path


@pytest.fixture
def load(project: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """`load("find_device")`: the card of a file that was written."""

    def read(name: str) -> Card:
        spec = importlib.util.spec_from_file_location(f"cards.kandji.{name}", project / f"cards/kandji/{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        spec.loader.exec_module(module)
        card: Card = vars(module)[name]
        return card

    return read


def case(project: Path, name: str) -> Any:
    return json.loads((project / f"tests/cards/kandji/{name}.json").read_text())


def client() -> Kandji:
    tenant = Tenant(url=TENANT, token=TOKEN)
    return Kandji(tenant, Service(tenant.origin(), tenant.credentials()))


async def test_a_new_card_answers_what_its_case_says(project: Path, load: Load, kandji: respx.MockRouter) -> None:
    """Before its author has changed a word."""
    written = scaffold(project, "kandji.find_device", list_of_records=False)
    card, said = load("find_device"), case(project, "find_device")
    method, path = said["upstream"][0]["ask"].split()
    kandji.request(method, path).mock(return_value=httpx.Response(200, json=said["upstream"][0]["answer"]))

    answer = await card.ask(card.options(), card.inputs.model_validate(said["inputs"]), client())

    assert written == ["cards/kandji/find_device.py", "tests/cards/kandji/find_device.json"]
    assert (card.key, card.title, card.effect) == ("kandji.find_device", "Find Device", "read")
    assert answer.model_dump() == said["outputs"]


async def test_a_new_list_card_answers_what_its_case_says(project: Path, load: Load, kandji: respx.MockRouter) -> None:
    """With its Result Set."""
    scaffold(project, "kandji.find_devices", list_of_records=True)
    card, said = load("find_devices"), case(project, "find_devices")
    kandji.get("/devices", params={"limit": 200, "offset": 0}).respond(json=said["upstream"][0]["answer"])

    page = await card.ask(card.options.model_validate(said["options"]), card.inputs(), client(), Cursor(limit=200))

    assert card.results is not None
    assert {card.results.into: page.records} == said["outputs"]


@pytest.mark.parametrize("path", ["cards/kandji/find_device.py", "tests/cards/kandji/find_device.json"])
def test_nothing_is_overwritten(project: Path, path: str) -> None:
    """Neither is the other file written."""
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_text("mine")

    with pytest.raises(BadCard, match=f"^{path} is there already"):
        scaffold(project, "kandji.find_device", list_of_records=False)

    assert [file.read_text() for file in project.rglob("find_device.*")] == ["mine"]


@pytest.mark.parametrize(
    "key",
    [
        "", "kandji", "kandji.", "kandji.Find", "kandji.find-device", "kandji.find device", "kandji.1st", "kandji.a.b",
        "kandji.../x", "kandji.a/b",
        *(
            pytest.param(key)
            for key in ("kandji._find", "kandji.class", "kandji.import")
        ),
    ],
)  # fmt: skip
def test_a_wrong_key_is_told(project: Path, key: str) -> None:
    """What is written must be a card: a name that a module and a function can have."""
    with pytest.raises(BadCard, match=r"kandji\.find_device"):
        scaffold(project, key, list_of_records=False)


@pytest.mark.parametrize("connector", ["nobody", "", "..", "../cards/kandji"])
def test_a_connector_must_be_there(project: Path, connector: str) -> None:
    """It says which file is missing."""
    with pytest.raises(BadCard, match=r"_client\.py is missing|A card's key is"):
        scaffold(project, f"{connector}.find_device", list_of_records=False)
