"""Cursors of a service's lists, sealed: what a caller sends the service is a cursor it was given for this very list."""

import base64
from dataclasses import dataclass

from connector.engine.seals import Broken, Seals
from connector.sdk.errors import Fault, InvalidCall


@dataclass(frozen=True)
class Cursors:
    """The cursors of one list; `place` names it."""

    seals: Seals
    place: str

    def give(self, at: str | None) -> str | None:
        return at and base64.urlsafe_b64encode(self.seals.seal_bytes(at.encode(), self.place)).decode()

    def read(self, cursor: str | None) -> str | None:
        """Raises InvalidCall for a cursor that was not given for this list."""
        try:
            return cursor and self.seals.open_bytes(base64.urlsafe_b64decode(cursor), self.place).decode()
        except (Broken, ValueError) as error:
            raise foreign() from error


def foreign() -> InvalidCall:
    return InvalidCall.of([Fault("query/cursor", "Cursor is not one that this list gave.")])
