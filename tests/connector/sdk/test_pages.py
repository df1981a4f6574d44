"""A list is walked to its end: no page too many, no endless list, no end that only looks like one."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sdk import pages as module
from connector.sdk.errors import Unexpected
from connector.sdk.pages import pages
from connector.sdk.results import Cursor, Page


class Listed:
    """A service's list: `asked` are the cursors it was asked for."""

    def __init__(self, *some: Page[Any]) -> None:
        self._pages = iter(some)
        self.asked: list[Cursor] = []

    async def __call__(self, cursor: Cursor) -> Page[Any]:
        self.asked.append(cursor)
        return next(self._pages)


def page(*ids: int, next: str | None = None) -> Page[Any]:  # noqa: A002
    return Page([{"id": id_} for id_ in ids], next)


async def walked(listed: Listed, **how: Any) -> list[Sequence[Any]]:
    return [[record["id"] for record in page.records] async for page in pages(listed, **how)]


async def test_pages_are_walked_to_the_last() -> None:
    """Each page says where the next one starts."""
    listed = Listed(page(1, 2, next="b"), page(3, 4, next="c"), page(5))

    assert await walked(listed) == [[1, 2], [3, 4], [5]]
    assert [cursor.at for cursor in listed.asked] == [None, "b", "c"]


async def test_a_walk_begins_at_a_cursor() -> None:
    """A stream that was cut resumes where it was."""
    listed = Listed(page(5, 6))

    assert await walked(listed, after="c") == [[5, 6]]
    assert listed.asked == [Cursor("c", None)]


@pytest.mark.parametrize("last", [page(), page(next="d")])
async def test_an_empty_page_is_the_end(last: Page[Any]) -> None:
    """UP-6: and is not handed on."""
    assert await walked(Listed(page(1, next="b"), last)) == [[1]]


@pytest.mark.parametrize(
    ("limit", "found", "asked"),
    [
        (0, [], []),
        (1, [[1]], [1]),
        (2, [[1, 2]], [2]),
        (3, [[1, 2], [3]], [3, 1]),
        (5, [[1, 2], [3, 4], [5]], [5, 3, 1]),
        (9, [[1, 2], [3, 4], [5]], [9, 7, 5]),
        (None, [[1, 2], [3, 4], [5]], [None, None, None]),
    ],
)
async def test_no_more_is_asked_than_is_wanted(limit: int | None, found: list[Any], asked: list[int | None]) -> None:
    """Neither a record nor a page beyond the limit."""
    listed = Listed(page(1, 2, next="b"), page(3, 4, next="c"), page(5))

    assert await walked(listed, limit=limit) == found
    assert [cursor.limit for cursor in listed.asked] == asked


@pytest.mark.parametrize("back", ["b", "c", "a"])
async def test_a_list_that_leads_back_is_not_walked_for_ever(back: str) -> None:
    """UP-6: an endless list is the service's fault, and is told as such; what was read before stays read."""
    listed = Listed(page(1, next="b"), page(2, next="c"), page(3, next=back))
    found = pages(listed, after="a")

    assert [(await anext(found)).records for _ in range(3)] == [[{"id": 1}], [{"id": 2}], [{"id": 3}]]
    with pytest.raises(Unexpected, match="back to a page that was read already"):
        await anext(found)


async def test_a_page_that_comes_again_is_the_last_that_is_read() -> None:
    """UP-6: a service may give its first page whatever it is asked for, and 5000 times if it is let."""
    found = pages(Listed(page(1, 2, next="b"), page(1, 2, next="c")))

    assert [(await anext(found)).next for _ in range(2)] == ["b", "c"]
    with pytest.raises(Unexpected, match="the same page again"):
        await anext(found)


async def test_there_is_a_most_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """UP-6: a cut list never looks complete."""
    assert module.MOST_PAGES == 5000
    monkeypatch.setattr(module, "MOST_PAGES", 2)

    with pytest.raises(Unexpected, match="more than 2 pages; the rest was not read"):
        await walked(Listed(page(1, next="b"), page(2, next="c"), page(3)))


async def test_a_failing_page_fails_the_walk() -> None:
    """UP-6: partial data never looks complete."""

    async def ask(cursor: Cursor) -> Page[Any]:
        raise Unexpected("broken")

    with pytest.raises(Unexpected, match="broken"):
        await anext(pages(ask))


PAGES = st.lists(
    st.tuples(st.lists(st.integers(), max_size=4), st.none() | st.integers(0, 6).map(str)), min_size=1, max_size=7
)


@given(PAGES, st.none() | st.integers(0, 9))
async def test_any_pages_come_to_an_end(listed: list[tuple[list[int], str | None]], limit: int | None) -> None:
    """UP-6: each page is read once at most, and its records are given as they came, up to the limit."""
    asked: list[int] = []

    async def ask(cursor: Cursor) -> Page[Any]:
        asked.append(int(cursor.at or 0) % len(listed))
        ids, leads_to = listed[asked[-1]]
        return page(*ids, next=leads_to)

    found = []
    with suppress(Unexpected):
        async for some in pages(ask, limit=limit):
            found += [record["id"] for record in some.records]

    sent = [id_ for at in asked for id_ in listed[at][0]]
    assert found == sent[:limit]
    assert len(asked) <= 8
