"""A list is read to its end whatever its pages look like: nothing twice, nothing made up, no more than is wanted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.engine import source as module
from connector.engine.source import InFlight, Source
from connector.sdk.errors import Unexpected
from connector.sdk.pages import Ask
from connector.sdk.results import Cursor, Page

MOST = 12  # pages; the cap is lowered to it, so that lists without an end are short


async def walked(ask: Ask, limit: int | None = None) -> tuple[list[InFlight], bool]:
    """The pages that came, and whether the list was read to an end of its own."""
    found: list[InFlight] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_PAGES", MOST)
        try:
            async for page in _read(ask, limit):
                found.append(page)
        except Unexpected:
            return found, False
    return found, True


async def _read(ask: Ask, limit: int | None) -> AsyncIterator[InFlight]:
    there = asyncio.Event()
    source = Source(ask, "id", there.set, cursor=None, first=0, pages=0, limit=limit)
    source.go_on()
    while not source.is_over:
        await there.wait()
        there.clear()
        if page := source.read():
            yield page
            source.go_on(page)


def ids(pages: list[InFlight]) -> list[Any]:
    return [record.get("id") for page in pages for record in page.records]


class Script:
    """A service whose pages are what a test says: ids of each page, and the number of the page it leads to."""

    def __init__(self, pages: list[tuple[list[int | None], int | None]]) -> None:
        self._pages = pages
        self.asked: list[int] = []

    async def __call__(self, cursor: Cursor) -> Page[Any]:
        at = int(cursor.at or 0) % len(self._pages)
        self.asked.append(at)
        given, leads_to = self._pages[at]
        return Page([{"id": id_} for id_ in given], None if leads_to is None else str(leads_to))

    @property
    def sent(self) -> list[int | None]:
        return [id_ for at in self.asked for id_ in self._pages[at][0]]


IDS = st.lists(st.integers(0, 5) | st.none(), max_size=4)
SCRIPTS = st.lists(st.tuples(IDS, st.none() | st.integers(0, 6)), min_size=1, max_size=7)


@given(SCRIPTS, st.none() | st.integers(0, 8))
@example([([1, 1, 2], None)], None)
@example([([1], 1), ([], 2), ([2], None)], None)
@example([([1], 1), ([2], 0)], None)
async def test_any_pages_come_to_an_end(pages: list[tuple[list[int | None], int | None]], limit: int | None) -> None:
    """UP-6: empty, short, repeated, in a circle; what is given was sent, in that order, and no more than is wanted."""
    service = Script(pages)

    found, _ = await walked(service, limit)

    sent = iter(service.sent)
    assert all(id_ in sent for id_ in ids(found))
    assert len(service.asked) <= MOST
    assert limit is None or len(ids(found)) <= limit
    assert [page.first for page in found] == [sum(len(page.records) for page in found[:at]) for at in range(len(found))]


@given(SCRIPTS)
@example([([1, 1, 2], None)])
@example([([1, 2, 3], 1), ([3, 4, 3], None)])
async def test_a_record_comes_once_within_two_pages(pages: list[tuple[list[int | None], int | None]]) -> None:
    """UP-6: a page repeats neither itself nor the one before; records without an identity are all different."""
    found, _ = await walked(Script(pages))

    pairs = [ids(found[at : at + 2]) for at in range(len(found))]
    assert all(count == 1 for pair in pairs for id_, count in Counter(pair).items() if id_ is not None)


class Shifting:
    """A service's list by offset. Before each page but the first, some records come in front and push the others on."""

    def __init__(self, count: int, size: int, shifts: list[int]) -> None:
        self._ids = [f"d{at}" for at in range(count)]
        self._size = size
        self._shifts = iter(shifts)

    async def __call__(self, cursor: Cursor) -> Page[Any]:
        offset = int(cursor.at or 0)
        came = next(self._shifts, 0) if offset else 0
        self._ids[:0] = [f"new{offset}-{at}" for at in range(came)]
        some = self._ids[offset : offset + self._size]
        return Page([{"id": id_} for id_ in some], str(offset + self._size) if len(some) == self._size else None)


@given(st.integers(0, 20), st.integers(4, 6), st.lists(st.integers(0, 3), max_size=8))
@example(9, 4, [3, 3])
async def test_a_list_that_shifts_is_given_once_and_whole(count: int, size: int, shifts: list[int]) -> None:
    """UP-6: as long as less than a page comes in front between two pages, each record that was there comes once."""
    found, is_whole = await walked(Shifting(count, size, shifts))

    assert is_whole
    assert sorted(ids(found)) == sorted(f"d{at}" for at in range(count))
