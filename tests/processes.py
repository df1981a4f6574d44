"""Real processes for tests that kill them: a simulated tenant, and hosts that share a database."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from connector.engine import seals

ROOT = Path(__file__).parents[1]
LOOK = 0.05  # seconds between looks at what has no event
START = 30.0  # seconds until a host takes calls, at most

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def until(look: Callable[[], Awaitable[T]], within: float = 30) -> T:
    """What `look` gives as soon as it is neither empty nor false; fails when that takes too long."""
    async with asyncio.timeout(within):
        while not (found := await look()):  # noqa: ASYNC110 - it happens in other processes
            await asyncio.sleep(LOOK)
    return found


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


async def admin(service: str, method: str, called: str, /, **body: Any) -> Any:
    """One of the sandbox's admin calls: faults, limits, devices that come and go."""
    return await asyncio.to_thread(_exchange, method, f"{service}/_sandbox{called}", body or None)


@dataclass
class HostProcess:
    """`upcard serve` as a process of its own, which can be killed, frozen and started again.

    `settings`: more of its environment. `log`: what it has written since its last start.
    """

    folder: Path
    service: str
    database_url: str = ""
    works: bool = True
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    running: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> str:
        return (self.folder / f"log-{self.port}").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> dict[str, str]:
        """The header with the key of the first start."""
        return {"Authorization": f"Bearer {(self.folder / 'key').read_text().strip()}"}

    def start(self) -> None:
        """Returns when it takes calls."""
        seals.generate(self.folder)
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "UPCARD_DATA_DIR": str(self.folder),
            "UPCARD_DATABASE_URL": self.database_url,
            "UPCARD_PORT": str(self.port),
            "UPCARD_WORKER": str(self.works),
            "UPCARD_ALLOW_SERVICES": self.service.partition("://")[2],
            "UPCARD_ALLOW_RECEIVERS": "127.0.0.1:*",
            **self.settings,
        }
        command = [sys.executable, "-m", "connector.cli", "serve"]
        with (self.folder / f"log-{self.port}").open("wb") as log:
            self.running = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        end = time.monotonic() + START
        while '"event":"ready"' not in self.log.replace(" ", ""):
            assert self.running.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(LOOK)

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        if self.running:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()

    def freeze(self) -> None:
        """SIGSTOP: it does nothing any more, and does not know it."""
        assert self.running
        self.running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.running
        self.running.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        assert self.running
        self.running.terminate()
        return self.running.wait(40)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One request; gives the answer's JSON, be it a problem or not."""
        found: dict[str, Any] = _exchange(method, f"{self.url}{path}", body, {**self.key, **headers})
        return found

    def connect(self, token: str, flow: str, name: str = "sandbox") -> None:
        """A connection, and the flow `flow` if there is none yet."""
        fields = {"url": self.service, "token": token}
        self.ask("POST", "/v1/connections", {"name": name, "connector": "kandji", "fields": fields})
        self.ask("POST", "/v1/flows", {"name": "flow", "url": flow})

    def stream(self, connection: str = "sandbox", **stream: Any) -> str:
        """Start a stream of all devices; gives the run."""
        call = {"connection": connection, "options": {"result_set": "stream"}, "stream": {"flow": "flow", **stream}}
        run: str = self.ask("POST", "/v1/cards/kandji/list_devices", call, Prefer="respond-async")["run"]
        return run

    async def streams(self, count: int, **stream: Any) -> list[str]:
        return [await asyncio.to_thread(self.stream, **stream) for _ in range(count)]

    async def run(self, run: str, verb: str = "", body: Any = None) -> dict[str, Any]:
        """The run; with a verb (`pause`, `resume`, ...) the answer to it."""
        method, path = ("POST", f"/v1/runs/{run}/{verb}") if verb else ("GET", f"/v1/runs/{run}")
        return await asyncio.to_thread(self.ask, method, path, body)

    async def reaches(self, run: str, *states: str, within: float = 30) -> dict[str, Any]:
        """The run, once it is in one of these states."""

        async def look() -> dict[str, Any]:
            found = await self.run(run)
            return found if found["state"] in states else {}

        return await until(look, within)


@asynccontextmanager
async def hosts(
    count: int, folder: Path, database: str, service: tuple[str, str], flow: str
) -> AsyncIterator[list[HostProcess]]:
    """Hosts that share a data folder and a database, started one after the other; slots are given in that order."""
    made = [HostProcess(folder, service[0], database) for _ in range(count)]
    try:
        for host in made:
            await asyncio.to_thread(host.start)
            if host is made[0]:
                await asyncio.to_thread(host.connect, service[1], flow)
        yield made
    finally:
        for host in made:
            host.kill()


def _exchange(method: str, url: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310
        url, content, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:  # noqa: S310
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return json.load(error)
