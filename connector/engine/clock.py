"""The time, as the product writes it: RFC 3339 in UTC with milliseconds, so that the later text is the later time."""

from datetime import UTC, datetime


def now() -> str:
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_since(moment: str) -> float:
    """How long ago something was that was written like this."""
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
