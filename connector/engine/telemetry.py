"""What operators see: counters for Prometheus, and one JSON line an event. Labels hold no ids or addresses (OB-3).

The log has one line a call and a stream, with its run, caller, card and connection; values of calls are never in it.
"""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from connector.engine.runs import Run
from connector.sdk.http import Heard

TOO_MANY = 429

log = structlog.get_logger()


class Telemetry:
    """The counters of one host."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        all_ = self.registry
        self._calls = Counter("upcard_calls", "Calls of cards by how they ended", ["card", "outcome"], registry=all_)
        self._seconds = Histogram("upcard_call_seconds", "Time until a call ended", ["card"], registry=all_)
        self._records = Counter("upcard_stream_records", "Records handed over, by result", ["result"], registry=all_)
        self._streams = Counter("upcard_streams", "Streams by how they stopped", ["state"], registry=all_)
        self._working = Gauge("upcard_streams_at_work", "Streams that this host works on", registry=all_)
        self._asked = Counter(
            "upcard_service_requests", "Requests to services, by answer", ["connector", "answer"], registry=all_
        )
        self._again = Counter("upcard_service_retries", "Requests sent again", ["connector"], registry=all_)
        self._left = Gauge("upcard_budget_left", "Least left of an hour's requests", ["connector"], registry=all_)
        self._out = Gauge("upcard_flows_out", "Origins of flows that do not answer", registry=all_)
        self._due = Gauge("upcard_records_due", "Records that will be sent again", registry=all_)
        self._oldest = Gauge("upcard_records_due_seconds", "Age of the oldest of them", registry=all_)
        self._dead = Gauge("upcard_records_failed", "Records that flows did not take, still kept", registry=all_)
        self._commands = Counter(
            "upcard_commands",
            "Calls that change something or give secrets, by decision",
            ["effect", "decision"],
            registry=all_,
        )
        self._lag = Gauge("upcard_loop_lag_seconds", "How late the event loop is", registry=all_)

    def called(self, run: Run, seconds: float) -> None:
        """A call ended."""
        outcome = run.error["type"] if run.error else "succeeded"
        self._calls.labels(run.card, outcome).inc()
        self._seconds.labels(run.card).observe(seconds)
        log.info("call", **_who(run), outcome=outcome, milliseconds=round(seconds * 1000, 1))

    def decided(self, effect: str, decision: str) -> None:
        """A call was let through, or refused: then the log says so as well, since somebody should look."""
        self._commands.labels(effect, decision).inc()
        if decision != "allowed":
            log.warning("refused", effect=effect, why=decision)

    def heard(self, connector: str) -> Heard:
        """Counts what a service answers."""
        again = self._again.labels(connector)

        def count(status: int | None, attempts: int) -> None:
            self._asked.labels(connector, _answer(status)).inc()
            if attempts:
                again.inc()

        return count

    def left(self, connector: str, requests: int) -> None:
        self._left.labels(connector).set(requests)

    def backlog(self, due: int, oldest: float, dead: int, out: int) -> None:
        """What waits, at this moment; `oldest` in seconds."""
        self._due.set(due)
        self._oldest.set(oldest)
        self._dead.set(dead)
        self._out.set(out)

    def late(self, seconds: float) -> None:
        self._lag.set(seconds)

    def handed_over(self, taken: int, failed: int) -> None:
        """Records of a stream were taken, or have failed."""
        self._records.labels("taken").inc(taken)
        self._records.labels("failed").inc(failed)

    def stream_began(self, run: str, card: str) -> None:
        self._working.inc()
        log.info("stream_began", run=run, card=card)

    def stream_stopped(self, run: str, card: str, state: str, delivered: int, failed: int) -> None:
        """A stream ended, or was paused."""
        self._working.dec()
        self._streams.labels(state).inc()
        log.info("stream_stopped", run=run, card=card, state=state, delivered=delivered, failed=failed)

    def shown(self) -> bytes:
        """All counters in Prometheus' text format."""
        return generate_latest(self.registry)


def _answer(status: int | None) -> str:
    """A bounded set: none, 2xx to 5xx, and 429 by itself."""
    if status is None:
        return "none"
    return "429" if status == TOO_MANY else f"{status // 100}xx"


def _who(run: Run) -> dict[str, str]:
    return {"run": run.id, "caller": run.caller, "card": run.card, "connection": run.connection}
