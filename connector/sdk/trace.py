"""Whose request this is: an id of ours, and the caller's trace as W3C Trace Context has it (OB-2).

Both go with the task: what a request starts, and the tasks it makes, know them without being told.
"""

import random
import re
from contextvars import ContextVar

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")

REQUEST: ContextVar[str] = ContextVar("request", default="")
TRACE: ContextVar[tuple[str, str] | None] = ContextVar("trace", default=None)
"""The trace's id and its flags."""


def new_request() -> str:
    """An id for a request, which its answer and the log have."""
    return f"req_{random.getrandbits(64):016x}"


def read_trace(traceparent: str) -> tuple[str, str] | None:
    """What a `traceparent` header says; None where it says nothing, or nothing that we know."""
    found = TRACEPARENT.fullmatch(traceparent)
    return (found[1], found[2]) if found else None


def traced() -> dict[str, str]:
    """The header for a request of ours: the caller's trace, and a span of its own."""
    trace = TRACE.get()
    return {"traceparent": parent(*trace)} if trace else {}


def parent(trace: str, flags: str) -> str:
    """A `traceparent` with a new span."""
    return f"00-{trace}-{random.getrandbits(64) or 1:016x}-{flags}"


def seen() -> dict[str, str]:
    """What the log says of whose request it was."""
    request, trace = REQUEST.get(), TRACE.get()
    return ({"request": request} if request else {}) | ({"trace": trace[0]} if trace else {})
