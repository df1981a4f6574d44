"""`upcard audit verify`: reads the store itself, so that it needs no host, and trusts none."""

import sys

import typer

from connector.engine import seals
from connector.engine.audit import Audit, Head
from connector.engine.settings import Settings
from connector.engine.store import Store

WHOLE, BROKEN = 0, 1


def verify(head: str) -> int:
    """Prints what is wrong, or how far the chain is whole; returns the exit status."""
    settings = Settings()
    store = Store(settings.store_url)
    audit = Audit(store, seals.load(settings.secret_keys, settings.data_dir))
    faults = audit.verify(_head(head))
    for fault in faults:
        sys.stderr.write(fault + "\n")
    if faults:
        return BROKEN
    last = audit.head()
    sys.stdout.write(f"The audit is whole: {last.seq} entries. Head: {last.seq}:{last.hash}\n")
    return WHOLE


def _head(given: str) -> Head | None:
    if not given:
        return None
    seq, _, hash_ = given.partition(":")
    if not seq.isdecimal() or len(hash_) != len(Head().hash):
        raise typer.BadParameter("a head is SEQ:HASH, as the log names it")
    return Head(int(seq), hash_)
