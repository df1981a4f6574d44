"""The floors of the house: who may import whom, read from the sources (architecture.md, section 2)."""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FACES = ("rest", "mcp", "console", "cli")
FLOORS = {"sdk": 0, "catalog": 1, "engine": 2, "sync": 3, **dict.fromkeys(FACES, 4)}
OWN = {"connector", "cards", "sandbox", "tests", "bench"}
# Modules that speak to the network by themselves, and why each of them may.
NETWORK = {
    "connector/cli/ask.py": "calls its own host",
    "connector/cli/demo.py": "calls its own host, as a caller would",
    "connector/cli/receiver.py": "listens on the loopback address",
    "connector/cli/serve.py": "listens",
    "connector/engine/connections.py": "is handed a session",
    "connector/engine/delivery.py": "is handed a session",
    "connector/engine/hosts.py": "asks for this machine's name",
    "connector/engine/jobs.py": "is handed a session",
    "connector/engine/network.py": "opens sessions, with their guard",
    "connector/engine/trials.py": "is handed a session",
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
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def below(names: frozenset[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


def floor(name: str) -> str:
    """`rest` of connector.rest.app and of connector/rest/app.py."""
    return name.replace("/", ".").split(".")[1]


CONNECTOR, CARDS, SANDBOX = sources("connector"), sources("cards"), sources("sandbox")
ALL = [*CONNECTOR, *CARDS, *SANDBOX]
INSIDE = [path for path in CONNECTOR if path != "connector/__init__.py"]
Used = Callable[[str], set[str]]


def offending(paths: list[str], used: Used) -> dict[str, set[str]]:
    """The modules that import what they must not, each with what that is."""
    return {path: wrong for path in paths if (wrong := used(path))}


def test_there_are_modules_to_look_at() -> None:
    """A folder that was renamed does not make these tests pass."""
    assert min(len(CONNECTOR), len(CARDS), len(SANDBOX)) > 20


def test_every_folder_has_its_floor() -> None:
    """A new folder is given one before it is used."""
    assert {floor(path) for path in INSIDE} <= set(FLOORS)


def test_imports_point_downward() -> None:
    """A module knows its own floor and those below it."""

    def above(path: str) -> set[str]:
        used = {floor(name) for name in imports(path) if name.startswith("connector.")}
        return {name for name in used if FLOORS[name] > FLOORS[floor(path)]}

    assert offending(INSIDE, above) == {}


def test_nobody_imports_the_command_line() -> None:
    """The faces may use each other, but the commands are the top of the house."""
    others = [path for path in INSIDE if floor(path) != "cli"]

    assert offending(others, lambda path: below(imports(path), "connector.cli")) == {}


def test_the_words_of_a_card_come_from_the_sdk() -> None:
    """`from connector import ...` loads no engine."""
    assert {floor(name) for name in imports("connector/__init__.py")} == {"sdk"}


def test_only_the_catalog_imports_cards() -> None:
    """The runtime knows no service: one module imports the folder, and the cards in it by name."""
    assert offending(CONNECTOR, lambda path: below(imports(path), "cards")) == {"connector/catalog/find.py": {"cards"}}


def test_no_module_names_a_service() -> None:
    """A fact about one service stands in that service's folder; words in texts and examples are no names."""

    def services(path: str) -> set[str]:
        return {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name) and "kandji" in node.id.lower()}

    assert set(offending(CONNECTOR, services)) <= {"connector/cli/up.py"}


def test_a_card_imports_words_its_own_and_the_standard_library() -> None:
    """`connector` itself, the connector's modules with an underscore, and nothing else."""

    def others(path: str) -> set[str]:
        own = ".".join(Path(path).parts[:2])
        named = {node.module or "" for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)}
        plain = {alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import) for alias in node.names}
        foreign = {name for name in named | plain if name.split(".")[0] not in sys.stdlib_module_names}
        return {name for name in foreign if name != "connector" and not name.startswith(f"{own}._")}

    assert offending(CARDS, others) == {}


def test_the_sandbox_knows_nothing_of_the_connector() -> None:
    """It speaks HTTP only: what works against it works against the service."""

    def ours(path: str) -> set[str]:
        return {name for name in imports(path) if name.split(".")[0] in OWN - {"sandbox"}}

    assert offending(SANDBOX, ours) == {}


def test_only_one_command_imports_the_sandbox() -> None:
    """`upcard up` starts it; a host that serves does not even load it."""
    assert list(offending(CONNECTOR, lambda path: below(imports(path), "sandbox"))) == ["connector/cli/up.py"]


def test_one_module_knows_httpx() -> None:
    """Authors mock services with it; nobody else depends on it."""
    assert list(offending(CONNECTOR, lambda path: below(imports(path), "httpx"))) == ["connector/sdk/http.py"]


def test_sessions_are_made_in_one_place() -> None:
    """SSRF-1: with the guard that belongs to them, also where a command calls its own host."""
    making = [path for path in CONNECTOR if "aiohttp.ClientSession(" in (ROOT / path).read_text()]

    assert making == ["connector/engine/network.py"]


def test_the_network_is_reached_from_known_places() -> None:
    """SSRF-1: no other HTTP client, socket or resolver in the package; a new one is an entry with a reason."""
    known = offending([*CONNECTOR, *CARDS], lambda path: {name for name in CLIENTS if below(imports(path), name)})

    assert set(known) == set(NETWORK)


def test_imports_are_absolute() -> None:
    """A name is found by searching for it."""

    def relative(path: str) -> set[str]:
        nodes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)]
        return {node.module or "." for node in nodes if node.level}

    assert offending(ALL, relative) == {}


def test_no_module_is_a_drawer() -> None:
    """A helper lives beside its only caller, or its concept has a name (house-style.md 2)."""
    assert {Path(path).stem for path in ALL}.isdisjoint(
        {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    )
