"""The log: one JSON line an event, on standard error. Tracebacks have no locals, since these hold secrets (SEC-6)."""

import sys

import orjson
import structlog


def configure(least: str = "info") -> None:
    """Log what is at least so important: `info` has every call, `warning` only what went wrong."""
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso"),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
    )
