"""The floors of the house: who may import whom, read from the sources (architecture.md, section 2)."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACES = ("rest", "mcp", "console", "cli")
FLOORS = {"sdk": 0, "catalog": 1, "engine": 2, "sync": 3, **dict.fromkeys(FACES, 4)}
OWN = {"connector", "cards", "sandbox", "tests", "bench"}
# Modules that speak to the network by themselves, and why each of them may.
NETWORK = {
    "connector/cli/demo.py": "calls its own host, as a caller would",
    "connector/cli/receiver.py": "listens on the loopback address",
    "connector/cli/run.py": "calls its own host",
    "connector/cli/serve.py": "listens",
    "connector/engine/connections.py": "is handed a session",
    "connector/engine/delivery.py": "is handed a session",
    "connector/engine/durable.py": "asks for this machine's name",
    "connector/engine/network.py": "opens sessions, with their guard",
    "connector/engine/trials.py": "is handed a session",
    "connector/engine/worker.py": "is handed a session",
    "connector/sdk/http.py": "is handed a session",
}
CLIENTS = {"aiohttp", "httpx", "http.client", "requests", "socket", "urllib.request", "urllib3"}


def sources(folder: str) -> list[str]:
    """Every module below a folder, by its path."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@cache
def imports(path: str) -> frozenset[str]:
    """Modules that a module names in its imports, wherever these stand in it."""
    return frozenset(name for node in ast.walk(tree(path)) for name in _named(node))


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def below(names: frozenset[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


def floor(name: str) -> str:
    """`rest` of connector.rest.app and of connector/rest/app.py."""
    return name.replace("/", ".").split(".")[1]


CONNECTOR, CARDS, SANDBOX = sources("connector"), sources("cards"), sources("sandbox")
INSIDE = [path for path in CONNECTOR if path != "connector/__init__.py"]


def test_every_folder_has_its_floor() -> None:
    """A new folder is given one before it is used."""
    assert {floor(path) for path in INSIDE} <= set(FLOORS)


@pytest.mark.parametrize("path", INSIDE)
def test_imports_point_downward(path: str) -> None:
    """A module knows its own floor and those below it."""
    used = {floor(name) for name in imports(path) if name.startswith("connector.")}

    assert {name for name in used if FLOORS[name] > FLOORS[floor(path)]} == set()


@pytest.mark.parametrize("path", [path for path in INSIDE if floor(path) != "cli"])
def test_nobody_imports_the_command_line(path: str) -> None:
    """The faces may use each other, but the commands are the top of the house."""
    assert below(imports(path), "connector.cli") == set()


def test_the_words_of_a_card_come_from_the_sdk() -> None:
    """`from connector import ...` loads no engine."""
    assert {floor(name) for name in imports("connector/__init__.py")} == {"sdk"}


@pytest.mark.parametrize("path", [path for path in CONNECTOR if floor(path) != "catalog"])
def test_only_the_catalog_imports_cards(path: str) -> None:
    """The runtime knows no service."""
    assert below(imports(path), "cards") == set()


def test_the_catalog_imports_cards_by_name() -> None:
    """One module does, and names none of them."""
    assert [path for path in CONNECTOR if below(imports(path), "cards")] == ["connector/catalog/find.py"]
    assert below(imports("connector/catalog/find.py"), "cards") == {"cards"}


@pytest.mark.parametrize("path", CONNECTOR)
def test_no_module_names_a_service(path: str) -> None:
    """A fact about one service stands in that service's folder; words in texts and examples are no names."""
    names = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}

    assert not any("kandji" in name.lower() for name in names) or floor(path) == "cli"


@pytest.mark.parametrize("path", CARDS)
def test_a_card_imports_words_its_own_and_the_standard_library(path: str) -> None:
    """`connector` itself, the connector's modules with an underscore, and nothing else."""
    own = ".".join(Path(path).parts[:2])
    named = {node.module or "" for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)}
    plain = {alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import) for alias in node.names}
    others = {name for name in named | plain if name.split(".")[0] not in sys.stdlib_module_names}

    assert {name for name in others if name != "connector" and not name.startswith(f"{own}._")} == set()


@pytest.mark.parametrize("path", SANDBOX)
def test_the_sandbox_knows_nothing_of_the_connector(path: str) -> None:
    """It speaks HTTP only: what works against it works against the service."""
    assert {name for name in imports(path) if name.split(".")[0] in OWN - {"sandbox"}} == set()


def test_only_one_command_imports_the_sandbox() -> None:
    """`upcard up` starts it; a host that serves does not even load it."""
    assert [path for path in CONNECTOR if below(imports(path), "sandbox")] == ["connector/cli/up.py"]


def test_one_module_knows_httpx() -> None:
    """Authors mock services with it; nobody else depends on it."""
    assert [path for path in CONNECTOR if below(imports(path), "httpx")] == ["connector/sdk/http.py"]


def test_sessions_are_made_in_one_place() -> None:
    """SSRF-1: with the guard that belongs to them, also where a command calls its own host."""
    making = [path for path in CONNECTOR if "aiohttp.ClientSession(" in (ROOT / path).read_text()]

    assert making == ["connector/engine/network.py"]


@pytest.mark.parametrize("path", [*CONNECTOR, *CARDS])
def test_the_network_is_reached_from_known_places(path: str) -> None:
    """SSRF-1: no other HTTP client, socket or resolver in the package; a new one is an entry with a reason."""
    used = {client for client in CLIENTS if below(imports(path), client)}

    assert not used or path in NETWORK


def test_every_known_place_is_still_one() -> None:
    """An entry whose reason is gone is gone as well."""
    assert [path for path in NETWORK if not any(below(imports(path), client) for client in CLIENTS)] == []


@pytest.mark.parametrize("path", [*CONNECTOR, *CARDS, *SANDBOX])
def test_imports_are_absolute(path: str) -> None:
    """A name is found by searching for it."""
    assert {node.level for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)} <= {0}


@pytest.mark.parametrize("path", [*CONNECTOR, *CARDS, *SANDBOX])
def test_no_module_is_called_a_drawer(path: str) -> None:
    """A helper lives beside its only caller, or its concept has a name (house-style.md 2)."""
    assert Path(path).stem not in {"utils", "util", "helpers", "helper", "common", "base", "misc"}
