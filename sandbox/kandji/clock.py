"""The two ways Kandji writes a moment."""

from datetime import UTC, datetime


def iso(moment: float) -> str:
    """`2026-02-03T09:15:00.123456Z`."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def iso_of(spaced: str) -> str:
    """The same for `2026-02-03 09:15:00.123456+00:00`, as the records of devices write their enrollment."""
    return spaced.replace(" ", "T").replace("+00:00", "Z")
