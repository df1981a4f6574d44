"""The time, as the product writes it: RFC 3339 in UTC with milliseconds."""

from datetime import UTC, datetime


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
