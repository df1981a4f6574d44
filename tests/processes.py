"""Real processes for tests that kill them: a simulated tenant, and hosts that share a database."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.engine import seals

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def tenant(devices: int) -> Iterator[tuple[str, str]]:
    """`python -m sandbox kandji` without rate limits; gives its address and token."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "kandji", "--port", str(port), "--devices", str(devices)]
    with subprocess.Popen([*command, "--rate-limit", "off"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        token = next(line.split()[1] for line in running.stdout if "token" in line)
        try:
            yield f"http://127.0.0.1:{port}", token
        finally:
            running.kill()


@dataclass
class HostProcess:
    """`upcard serve` as a process of its own, which can be killed and started again."""

    folder: Path
    service: str
    database_url: str = ""
    port: int = field(default_factory=free_port)
    running: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """Returns when it takes calls."""
        seals.generate(self.folder)
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "UPCARD_DATA_DIR": str(self.folder),
            "UPCARD_DATABASE_URL": self.database_url,
            "UPCARD_PORT": str(self.port),
            "UPCARD_ALLOW_SERVICES": self.service.partition("://")[2],
            "UPCARD_ALLOW_RECEIVERS": "127.0.0.1:*",
        }
        command = [sys.executable, "-m", "connector.cli", "serve"]
        self.running = subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)
        assert self.running.stderr
        heard = []
        for line in self.running.stderr:
            heard.append(line)
            if '"ready"' in line:
                return
        raise AssertionError("".join(heard))

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        if self.running:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        assert self.running
        self.running.terminate()
        return self.running.wait(30)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One request; gives the answer's JSON, be it a problem or not."""
        key = (self.folder / "key").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers},
            method=method,
        )
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                found: dict[str, Any] = json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            found = json.load(error)
        return found

    def connect(self, token: str, flow: str) -> None:
        """The connection `sandbox` and the flow `flow`."""
        fields = {"url": self.service, "token": token}
        self.ask("POST", "/v1/connections", {"name": "sandbox", "connector": "kandji", "fields": fields})
        self.ask("POST", "/v1/flows", {"name": "flow", "url": flow})

    def stream(self, **stream: Any) -> str:
        """Start a stream of all devices; gives the run."""
        call = {"options": {"result_set": "stream"}, "stream": {"flow": "flow", **stream}}
        run: str = self.ask("POST", "/v1/cards/kandji/list_devices", call, Prefer="respond-async")["run"]
        return run
