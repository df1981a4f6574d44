"""The real host, as `upcard serve` runs it, with a new data folder, a key and a connection to the stub."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.processes import SERVED, Program, free_port, running
from connector.engine.seals import generate

LONGEST = 600  # seconds for one call


@dataclass(frozen=True)
class Host:
    """A host that is up, and the key to it."""

    program: Program
    key: str

    def ask(self, method: str, path: str, body: Any) -> Any:
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Prefer": f"wait={LONGEST}",
        }
        with closing(HTTPConnection("127.0.0.1", self.program.port, timeout=LONGEST)) as connection:
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            found = json.load(answer)
            assert answer.status in (200, 201), found
            return found


@contextmanager
def hosting(stub: Program, receivers: str = "") -> Iterator[Host]:
    """A host with the connection `bench`."""
    with tempfile.TemporaryDirectory(prefix="upcard-bench-") as name:
        folder, port = Path(name), free_port()
        generate(folder)
        env = {
            "UPCARD_DATA_DIR": name,
            "UPCARD_PORT": str(port),
            "UPCARD_ALLOW_SERVICES": f"127.0.0.1:{stub.port}",
            "UPCARD_ALLOW_RECEIVERS": receivers,
        }
        with running("bench.serve", core=SERVED, port=port, env=env) as program:
            host = Host(program, _key(folder / "key"))
            connection = {"name": "bench", "connector": "kandji", "fields": {"url": stub.url, "token": "any"}}
            host.ask("POST", "/v1/connections", connection)
            yield host


def _key(path: Path) -> str:
    """The key is made once the host listens."""
    while not (path.exists() and (key := path.read_text().strip())):
        time.sleep(0.01)
    return key
