"""The log: one JSON line an event, on standard error, what libraries log included.

Tracebacks have no locals, since these hold secrets (SEC-6); secrets that words repeat are masked (SEC-4).
"""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict

from connector.sdk.errors import UpcardError
from connector.sdk.masks import masked
from connector.sdk.trace import seen


class Libraries(logging.Handler):
    """Makes what libraries log a line like ours."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], UpcardError):
            return  # an answer was cut off: the line of its call says why
        log, told = structlog.get_logger(), record.getMessage().strip()
        log.log(record.levelno, told, logger=record.name, exc_info=record.exc_info)


LIBRARIES = Libraries()


def configure(least: str = "info") -> None:
    """Log what is at least so important: `info` has every call, `warning` only what went wrong."""
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso"),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            _with_request,
            _without_secrets,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
    )
    logging.getLogger().addHandler(LIBRARIES)
    logging.getLogger("dbos").addHandler(LIBRARIES)  # it adds one of its own, unless it has one
    logging.getLogger("dbos").propagate = False


def _with_request(_: Any, __: str, event: EventDict) -> EventDict:
    return {**event, **seen()}


def _without_secrets(_: Any, __: str, event: EventDict) -> EventDict:
    found: EventDict = masked(event)
    return found
