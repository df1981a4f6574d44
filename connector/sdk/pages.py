"""Walk a list card's pages to their end: no endless list, no page asked for beyond what is wanted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from connector.sdk.errors import Unexpected
from connector.sdk.results import Cursor, Page

MOST_PAGES = 5000  # Okta's own cap for paginated cards

Ask = Callable[[Cursor], Awaitable[Page[Any]]]


async def pages(ask: Ask, *, limit: int | None = None, after: str | None = None) -> AsyncIterator[Page[Any]]:
    """Pages from a cursor on, `limit` records at most. Raises Unexpected where the service leads nowhere."""
    cursor, left, seen = Cursor(after, limit), limit, {after}
    before: Sequence[Any] = ()
    for _ in range(MOST_PAGES):
        if left == 0:
            return
        page = await ask(cursor)
        records = page.records if left is None else page.records[:left]
        if records:
            yield Page(records, page.next)
        if page.next is None or not records:
            return
        if page.next in seen:
            raise Unexpected("The service leads back to a page that was read already.")
        if page.records == before:
            raise Unexpected("The service sent the same page again.")
        seen.add(page.next)
        before = page.records
        left = None if left is None else left - len(records)
        cursor = Cursor(page.next, left)
    raise Unexpected(f"The list has more than {MOST_PAGES} pages; the rest was not read.")
