"""The floors of the house: who may import whom, read from the sources (architecture.md, section 2)."""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACES = ("rest", "mcp", "console", "cli")
FLOORS = {"sdk": 0, "catalog": 1, "engine": 2, "sync": 3, "host": 4, **dict.fromkeys(FACES, 5)}
OWN = {"connector", "cards", "sandbox", "tests", "bench"}
# What speaks to the network, or starts what does, and why it may. A session that is handed over is no use: it comes
# from network.py, with its guard. Databases are not here: their address is the operator's.
NETWORK = {
    "connector/cli/receiver.py": "listens on the loopback address: aiohttp.web.AppRunner aiohttp.web.TCPSite",
    "connector/cli/ask.py": "calls its own host: http.client.HTTPException "
    "urllib.request.Request urllib.request.urlopen",
    "connector/cli/serve.py": "listens: socket.create_server",
    "connector/engine/hosts.py": "asks for this machine's name: socket.gethostname",
    "connector/engine/network.py": "opens sessions, with their guard: aiohttp.ClientSession aiohttp.TCPConnector "
    "aiohttp.abc.AbstractResolver socket.socket .getaddrinfo",
    "connector/sdk/http.py": "writes requests for the session it is handed: httpx.AsyncBaseTransport httpx.AsyncClient",
}
CLIENTS = (  # modules, of which everything counts
    *("aiohttp", "aiohttp.web", "httpx", "http.client", "requests", "urllib.request", "urllib3", "websockets", "grpc"),
    *("socket", "socketserver", "_socket", "ftplib", "imaplib", "poplib", "smtplib", "telnetlib", "webbrowser", "dns"),
    *("subprocess", "_posixsubprocess", "multiprocessing", "pty", "ctypes", "anyio", "xmlrpc", "asyncio.streams"),
)
CALLS = {  # of modules that have other things as well
    *("os.system", "os.popen", "os.execv", "os.execvp", "os.fork", "os.posix_spawn", "os.spawnv", "os.spawnvp"),
    *("asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server"),
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
}
HARMLESS = {  # parts of these that hold values, and reach nobody
    *("aiohttp.DummyCookieJar", "aiohttp.abc.ResolveResult", "aiohttp.web.Application", "aiohttp.web.Response"),
    *("httpx.Headers", "httpx.QueryParams", "httpx.Request", "httpx.Response"),
}
LOOP = {  # methods of an event loop or a socket that reach out
    *("create_connection", "create_unix_connection", "create_datagram_endpoint", "getaddrinfo", "getnameinfo"),
    *("gethostbyname", "sock_connect", "sock_sendto", "subprocess_exec", "subprocess_shell", "connect_ex"),
}


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


def uses(module: ast.Module) -> set[str]:
    """What of the network a module uses. Types, constants, time limits and errors are no use."""
    nodes = list(ast.walk(module))
    known = dict(bound for node in nodes for bound in _bound(node))
    types = {part for node in nodes for each in _types(node) for part in ast.walk(each)}
    return {name for node in nodes if node not in types if _reaches(name := _dotted(node, known))}


def _bound(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        first = ((alias.name.split(".")[0], alias) for alias in node.names)
        yield from ((alias.asname or name, alias.name if alias.asname else name) for name, alias in first)
    if isinstance(node, ast.ImportFrom):
        yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _types(node: ast.AST) -> Iterator[ast.AST]:
    for part in ("annotation", "returns"):
        if isinstance(found := getattr(node, part, None), ast.AST):
            yield found


def _dotted(node: ast.AST, known: dict[str, str]) -> str:
    """`aiohttp.ClientSession`, however it was imported; `.getaddrinfo` of something that was not."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, known)}.{node.attr}"
    return ""


def _reaches(name: str) -> bool:
    last = name.rpartition(".")[2]
    if name in CALLS or (name.startswith(".") and last in LOOP):
        return True
    is_value = last.isupper() or last.endswith(("Error", "Timeout", "Type"))
    is_part = name not in CLIENTS and name.startswith(tuple(f"{client}." for client in CLIENTS))
    return is_part and not is_value and name not in HARMLESS


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


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import aiohttp\nsession: aiohttp.ClientSession", set()),
        ("import aiohttp\nsession = aiohttp.ClientSession()", {"aiohttp.ClientSession"}),
        ("from aiohttp import ClientSession as Web\nopen = Web", {"aiohttp.ClientSession"}),
        ("import urllib.request as web\nweb.urlopen('x')", {"urllib.request.urlopen"}),
        ("def f():\n    import socket\n    return socket.create_connection", {"socket.create_connection"}),
        ("import asyncio\nasyncio.get_running_loop().getaddrinfo('x', 1)", {".getaddrinfo"}),
        ("from asyncio import open_connection\nopen_connection()", {"asyncio.open_connection"}),
        ("import subprocess\nsubprocess.run('x')", {"subprocess.run"}),
        ("import httpx\ntry:\n    httpx.get('x')\nexcept httpx.ConnectError:\n    pass", {"httpx.get"}),
        ("import requests\nrequests.Session().get('x')", {"requests.Session"}),
    ],
)
def test_a_use_of_the_network_is_seen(source: str, used: set[str]) -> None:
    """SSRF-1: whatever it is called where it is used; a type is no use."""
    assert uses(ast.parse(source)) == used


def test_the_network_is_reached_from_known_places() -> None:
    """SSRF-1: no other HTTP client, socket, resolver or process in the package; a new one is an entry with a reason."""
    listed = {path: set(entry.partition(": ")[2].split()) for path, entry in NETWORK.items()}

    assert offending([*CONNECTOR, *CARDS], lambda path: uses(tree(path))) == listed


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
