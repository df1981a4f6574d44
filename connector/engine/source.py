"""Read a list ahead of who sends it: page by page, without doubles, no further than is wanted."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.sdk.errors import Unexpected
from connector.sdk.kinds import Json
from connector.sdk.pages import MOST_PAGES, Ask
from connector.sdk.results import Cursor


@dataclass
class InFlight:
    """A page on its way. `done` are the positions that need no sending any more."""

    first: int
    records: list[Json]
    next: str | None
    skipped: int = 0
    truncated: bool = False
    done: set[int] = field(default_factory=set)

    @property
    def end(self) -> int:
        """The position of the first record after it."""
        return self.first + len(self.records)


class Source:
    """The pages of one list from a cursor on. `told` is called when the next one is there, or could not be read."""

    def __init__(
        self,
        ask: Ask,
        identity: str,
        told: Callable[[], None],
        *,
        cursor: str | None,
        first: int,
        pages: int,
        limit: int | None,
    ) -> None:
        self._ask = ask
        self._identity = identity
        self._told = told
        self._cursor = cursor
        self._first = first
        self._pages = pages
        self._limit = limit
        self._last: set[object] = set()  # the identities of the page before, also those skipped there
        self._last_read: set[object] = set()
        self._is_over = pages > 0 and cursor is None
        self._ahead: asyncio.Task[InFlight | None] | None = None

    @property
    def is_over(self) -> bool:
        return self._is_over

    def go_on(self, page: InFlight | None = None) -> None:
        """Read the next page: the one after this, which is in flight now."""
        if page:
            self._cursor, self._first = page.next, page.end
            self._pages += 1
            self._last = self._last_read | self._ids(page.records)
            self._is_over = page.next is None
        if not self._is_over:
            self._ahead = asyncio.create_task(self._fetched())
            self._ahead.add_done_callback(lambda _: self._told())

    def read(self) -> InFlight | None:
        """The next page if it is there. Raises what made reading it fail."""
        if self._is_over or self._ahead is None or not self._ahead.done():
            return None
        if (found := self._ahead.result()) is None:
            self._is_over = True
        return found

    async def stop(self) -> None:
        if self._ahead:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    async def _fetched(self) -> InFlight | None:
        left = None if self._limit is None else self._limit - self._first
        if left == 0:
            return None
        page = await self._ask(Cursor(self._cursor, left))
        new = self._new(page.records)
        if page.records and not new and page.next is not None:
            raise Unexpected("The service sent the same page again.")
        if page.next is not None and page.next == self._cursor:
            raise Unexpected("The service leads back to the page that was just read.")
        some, skipped = new[:left], len(page.records) - len(new)
        truncated = page.next is not None and self._pages + 1 >= MOST_PAGES and len(some) != left
        is_last = truncated or not page.records or len(some) == left
        self._last_read = self._ids(page.records)
        found = InFlight(self._first, some, None if is_last else page.next, skipped, truncated)
        return found if some or skipped else None

    def _new(self, records: Sequence[Any]) -> list[Any]:
        """Those that were neither in the page before nor earlier in this one."""
        seen, found = set(self._last), []
        for record in records:
            if (id_ := self._id(record)) not in seen:
                found.append(record)
                seen.add(id_)
        return found

    def _ids(self, records: Sequence[Any]) -> set[object]:
        return {self._id(record) for record in records}

    def _id(self, record: Json) -> object:
        """What tells a record from others; where its table, or the service, does not say it is one of its own."""
        id_ = record.get(self._identity) if self._identity else None
        return object() if id_ is None else str(id_)
