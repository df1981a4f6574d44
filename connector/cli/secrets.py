"""`upcard secrets rotate` and `status`: which keys seal what the store keeps, and how to be rid of one."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Column, Table

from connector.engine import rotation, seals
from connector.engine.seals import NoKeys, Seals
from connector.engine.settings import Settings
from connector.engine.store import AWAY, Store

UNKNOWN = "another key"


def rotate_secrets() -> int:
    """Returns the exit status: 0 where the first key seals everything."""
    left = 0
    with _opened() as (store, keys):
        for found in rotation.rotate(store, keys):
            sys.stdout.write(f"{found.name}: {found.done} sealed with {keys.kids[0]}, {found.left} left\n")
            sys.stdout.flush()
            for place in found.broken:
                sys.stderr.write(f"  {place} cannot be opened with the keys at hand\n")
            left += found.left
    return 1 if left else 0


def print_status() -> None:
    with _opened() as (store, keys):
        held = rotation.held(store, keys)
    table = Table("", *(Column(kid or UNKNOWN, justify="right") for kid in (*keys.kids, "")), box=None)
    for name, counts in [*held.items(), ("all", sum(held.values(), Counter[str]()))]:
        table.add_row(name, *(str(counts[kid]) for kid in (*keys.kids, "")))
    Console(highlight=False).print(table, markup=False)


@contextmanager
def _opened() -> Iterator[tuple[Store, Seals]]:
    """The store and the keys of the settings; where one of them is not to be had, says which."""
    try:
        settings = Settings()
        keys = seals.load(settings.secret_keys, settings.data_dir)
        store = Store(settings.store_url)
        store.migrate()
    except (NoKeys, ValueError) as error:
        raise SystemExit(str(error)) from None
    except AWAY:
        raise SystemExit("The store cannot be reached. Look at UPCARD_DATABASE_URL.") from None
    try:
        yield store, keys
    finally:
        store.close()
