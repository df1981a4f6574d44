"""The real host, as `upcard serve` runs it, with a new data folder, a key and a connection to the stub."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.processes import SERVED, Program, free_port, running
from connector.engine.seals import generate

LONGEST = 600  # seconds for one call


@dataclass
class Host:
    """A host and its data folder: killed and started again, it goes on there."""

    folder: Path
    env: dict[str, str]
    programs: ExitStack
    module: str
    program: Program = field(init=False)

    def start(self) -> None:
        """Returns when it takes calls."""
        port = free_port()
        env = {**self.env, "UPCARD_DATA_DIR": str(self.folder), "UPCARD_PORT": str(port)}
        serving = running(self.module, core=SERVED, port=port, env=env, log=self.folder / "log")
        self.program = self.programs.enter_context(serving)

    @property
    def key(self) -> str:
        """It is made once the host listens."""
        path = self.folder / "key"
        while not (path.exists() and (key := path.read_text().strip())):
            time.sleep(0.01)
        return key

    def ask(self, method: str, path: str, body: Any = None, *, prefer: str = f"wait={LONGEST}") -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "Prefer": prefer}
        with closing(HTTPConnection("127.0.0.1", self.program.port, timeout=LONGEST)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            found = json.load(answer)
            assert answer.status in (200, 201, 202), found
            return found


@contextmanager
def hosting(stub: Program, receivers: str = "", database: str = "", *, trusting: bool = False) -> Iterator[Host]:
    """A host with the connection `bench`, on SQLite unless a database is given; `trusting`: it lets everybody in."""
    with tempfile.TemporaryDirectory(prefix="upcard-bench-") as name, ExitStack() as programs:
        generate(Path(name))
        env = {
            "UPCARD_DATABASE_URL": database,
            "UPCARD_ALLOW_SERVICES": f"127.0.0.1:{stub.port}",
            "UPCARD_ALLOW_RECEIVERS": receivers,
            "UPCARD_CALLS_PER_SECOND": "1000000",
        }
        host = Host(Path(name), env, programs, "bench.trusting" if trusting else "bench.serve")
        host.start()
        fields = {"url": stub.url, "token": "any"}
        host.ask("POST", "/v1/connections", {"name": "bench", "connector": "kandji", "fields": fields})
        yield host
