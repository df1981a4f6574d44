"""The README is true: every command in it is run, in order, in a copy of the project."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to write a card in."""
    shutil.copytree(ROOT, tmp_path / "upcard", ignore=shutil.ignore_patterns(".*", "node_modules", "__pycache__"))
    return tmp_path / "upcard"


@pytest.fixture
def port() -> int:
    """A free port whose next two are free as well: the simulated systems take them."""
    while True:
        with socket.socket() as found, socket.socket() as tenant, socket.socket() as workspace:
            found.bind(("127.0.0.1", 0))
            with suppress(OSError, OverflowError):
                tenant.bind(("127.0.0.1", found.getsockname()[1] + 1))
                workspace.bind(("127.0.0.1", found.getsockname()[1] + 2))
                return int(found.getsockname()[1])


@pytest.fixture
def environment(project: Path, port: int) -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "UPCARD_PORT": str(port),
    }


@pytest.fixture
def host(project: Path, port: int, environment: dict[str, str]) -> Iterator[str]:
    """`upcard up` in the project; gives the ID of a Mac of its tenant."""
    command = ["upcard", "up", "--port", str(port)]
    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert any("Stop with Ctrl-C" in line for line in running.stdout)
        yield _a_mac(project, port)
        running.send_signal(signal.SIGINT)


def test_every_command_of_the_readme_works(project: Path, port: int, environment: dict[str, str], host: str) -> None:
    """A stranger who pastes them in order sees no error."""
    assert BLOCKS[0] == "./up\n"
    for block in BLOCKS[1:]:
        given = {**environment, "KEY": (project / ".upcard/key").read_text().strip(), "DEVICE": host}
        script = block.replace("127.0.0.1:8700", f"127.0.0.1:{port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=project, env=given, capture_output=True, text=True
        )

        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        assert '"errors"' not in done.stdout, f"{block}\n{done.stdout}"


def test_the_card_that_the_readme_shows_is_the_card(project: Path) -> None:
    """The example is the file itself."""
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)

    assert example
    assert example.group(1) == (ROOT / "cards/kandji/restart_device.py").read_text()


def _a_mac(project: Path, port: int) -> str:
    asked = {"options": {"result_set": "first"}, "inputs": {"platform": "Mac"}}
    key = (project / ".upcard/key").read_text().strip()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/cards/kandji/list_devices",
        json.dumps(asked).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["outputs"]["device_id"])
