"""A list that is searched on this side, since how Assetbots' own filter is written is not known."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, Protocol, TypeVar

AGE = 60.0  # seconds for which a listing will do


class Kept(Protocol):
    @property
    def sys_id(self) -> str: ...


T = TypeVar("T", bound=Kept)


class Listing(Generic[T]):
    """All records, as they were read at most a minute ago, with what was written since."""

    def __init__(self, read: Callable[[], Awaitable[list[T]]]) -> None:
        self._read = read
        self._read_at: float | None = None
        self._there: dict[str, T] = {}
        self._added: dict[str, tuple[float, T]] = {}

    async def all(self, *, anew: bool = False) -> list[T]:
        began = monotonic()
        if anew or self._read_at is None or began - self._read_at > AGE:
            listed = {each.sys_id: each for each in await self._read()}
            self._added = {key: one for key, one in self._added.items() if began - one[0] < AGE}
            self._there = {key: each for key, (_, each) in self._added.items()} | listed
            self._read_at = began
        return list(self._there.values())

    def change(self, record: T) -> T:
        """A record as it now is."""
        self._there[record.sys_id] = record
        return record

    def add(self, record: T) -> T:
        """A new record, which the next listing may not have yet."""
        self._added[record.sys_id] = (monotonic(), record)
        return self.change(record)
