"""Runs: what was called, and how it went. Kept in memory until streams become durable."""

import asyncio
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.engine.clock import now
from connector.sdk.errors import NoSuchRun, UpcardError
from connector.sdk.kinds import Json

MOST = 10_000

State = Literal["running", "succeeded", "failed", "canceled"]


@dataclass
class Progress:
    """How far a stream is. sent = delivered + failed; fetched = sent + what is in flight."""

    fetched: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    pages: int = 0
    cursor: str | None = None
    waiting_for: str | None = None
    began: float = field(default_factory=time.monotonic)

    def shown(self) -> Json:
        seconds = max(time.monotonic() - self.began, 0.001)
        rows = {key: value for key, value in vars(self).items() if key != "began"}
        return {**rows, "rate": round(self.delivered / seconds, 1)}


@dataclass
class Run:
    """One invocation of a card. `task` does the work and goes on when its caller has gone."""

    id: str
    card: str
    connection: str
    caller: str
    started: str = field(default_factory=now)
    finished: str | None = None
    state: State = "running"
    progress: Progress | None = None
    error: UpcardError | None = None
    task: "asyncio.Task[Any] | None" = None

    def end(self, error: UpcardError | None = None) -> None:
        self.state, self.error, self.finished = "failed" if error else "succeeded", error, now()

    def shown(self) -> Json:
        found: Json = {"run": self.id, "card": self.card, "connection": self.connection, "state": self.state}
        found |= {"started": self.started, "finished": self.finished}
        found |= {"progress": self.progress.shown()} if self.progress else {}
        return found | ({"error": {"type": self.error.slug, "detail": self.error.detail}} if self.error else {})


class Runs:
    """The latest runs; the oldest finished ones make room."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def begin(self, card: str, connection: str, caller: str) -> Run:
        run = Run(f"run_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}", card, connection, caller)
        self._runs[run.id] = run
        if len(self._runs) > MOST:
            self._forget()
        return run

    def get(self, id_: str, caller: str) -> Run:
        """A run of this caller; another's is not there."""
        run = self._runs.get(id_)
        if run and run.caller == caller:
            return run
        raise NoSuchRun("There is no run of this name.")

    async def stop(self) -> None:
        """End what still runs, when the host stops."""
        tasks = [run.task for run in self._runs.values() if run.task and not run.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        oldest = next((id_ for id_, run in self._runs.items() if run.state != "running"), None)
        if oldest:
            del self._runs[oldest]
