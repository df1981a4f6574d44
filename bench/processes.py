"""Programs in processes of their own, each on its core, watched from outside."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

SERVED, MEASURING = 0, 1  # the core of the program that is measured, and of everything around it
PATIENCE = 20.0  # seconds for a program to start
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Program:
    """A program that listens on a port of the loopback address."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        return cpu(self.pid)

    def peak(self) -> float:
        """The most memory it ever held (VmHWM), in MiB."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait()


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pin(core: int, pid: int = 0) -> None:
    os.sched_setaffinity(pid, {core})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(
    module: str, *arguments: object, core: int, port: int, env: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[Program]:
    """`python -m module …` on a core, from when it answers until the block ends; what it logs may go to a file."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with log.open("ab") if log else nullcontext() as errors:
        process = subprocess.Popen(command, env={**os.environ, **(env or {})}, stderr=errors)
    pin(core, process.pid)  # before it has threads: these inherit the core
    try:
        _wait_for(port, process, log)
        yield Program(process, port)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path | None) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"{process.args!r} did not start. {log.read_text() if log else ''}")
