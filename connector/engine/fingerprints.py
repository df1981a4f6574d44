"""Fingerprints of calls: equal calls have equal ones, and only who has the store's own secret can try PINs on them."""

import hashlib
import hmac
import secrets
from typing import Any

import orjson
import sqlalchemy as sa

from connector.engine import controls
from connector.engine.seals import Seals
from connector.engine.store import Store

PEPPER = "pepper"


class Fingerprints:
    """HMAC-SHA256 over canonical JSON, under a secret that all hosts of the store share."""

    def __init__(self, store: Store, seals: Seals) -> None:
        self._pepper = bytes.fromhex(store.run_alone_here(lambda db: _kept(db, seals)))

    def of(self, *parts: Any) -> str:
        """The order of keys and white space do not matter (ID-3)."""
        text = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
        return hmac.new(self._pepper, text, hashlib.sha256).hexdigest()


def _kept(db: sa.Connection, seals: Seals) -> str:
    """The secret, made by the first host."""
    if kept := controls.read_sealed(db, PEPPER, seals):
        return kept
    made = secrets.token_hex(32)
    controls.write_sealed(db, PEPPER, made, seals)
    return made
