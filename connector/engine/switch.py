"""The kill switch: stops every disruptive card on all hosts at once, and stays where it is over restarts (DA-6).

It is on by a call (`PUT /v1/kill-switch`), by a file `kill-switch` in the data folder, or by a setting.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from connector.engine import controls
from connector.engine.audit import Audit
from connector.engine.clock import now
from connector.engine.store import Store
from connector.sdk.errors import Forbidden
from connector.sdk.kinds import Json

NAME = "kill-switch"


@dataclass(frozen=True)
class Position:
    """Whether it was turned on by a call, by whom, when and why."""

    on: bool = False
    by: str = ""
    at: str = ""
    reason: str | None = None


class Switch:
    """As the store has it, and as this host saw it last."""

    def __init__(self, store: Store, audit: Audit, data_dir: Path, *, always: bool) -> None:
        self._store = store
        self._audit = audit
        self._file = data_dir / NAME
        self._always = always
        self.position = store.run_here(_position)

    @property
    def is_on(self) -> bool:
        return self.position.on or self._always or self._file.exists()

    async def look(self) -> None:
        """See where another host put it."""
        self.position = await self._store.run(_position)

    async def put(self, *, on: bool, by: str, reason: str | None) -> None:
        """Turn it on or off, for all hosts."""
        position = Position(on, by, now(), reason)

        def work(db: sa.Connection) -> None:
            controls.write(db, NAME, json.dumps(asdict(position)))
            self._audit.append(db, "kill_switch_on" if on else "kill_switch_off", by, reason=reason)

        await self._store.run_alone(work)
        self.position = position

    def refuse(self, db: sa.Connection | None = None) -> None:
        """Raises Forbidden where it is on; with `db`, also where another host turned it on just now."""
        if self.is_on or (db is not None and _position(db).on):
            raise Forbidden("The kill switch is on: no disruptive card is sent. Nothing was sent.")

    def shown(self) -> Json:
        """`on`, and what turned it on: a call, a file or a setting."""
        why = {"call": self.position.on, "file": self._file.exists(), "setting": self._always}
        found = {"on": self.is_on, "by": [name for name, is_on in why.items() if is_on]}
        return {**found, "reason": self.position.reason, "at": self.position.at or None}


def _position(db: sa.Connection) -> Position:
    kept = controls.read(db, NAME)
    return Position(**json.loads(kept)) if kept else Position()
