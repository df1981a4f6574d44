"""A search through the seeded fleet that goes as far as somebody asked, and remembers what it found."""

from array import array
from collections.abc import Callable, Iterator
from threading import Lock

STRIDE = 1000  # how many devices are looked at before the next reader gets its turn


class Scan:
    """The indexes that pass a test, in order; eight bytes for each one found."""

    def __init__(self, indexes: range, test: Callable[[int], bool]) -> None:
        self._left = indexes
        self._test = test
        self._found = array("Q")
        self._lock = Lock()

    @property
    def is_complete(self) -> bool:
        return not self._left

    def __iter__(self) -> Iterator[int]:
        position = 0
        while True:
            is_last_look = self.is_complete  # asked before reading on: another reader may add and finish meanwhile
            while position < len(self._found):
                yield self._found[position]
                position += 1
            if is_last_look:
                return
            self._go_on(position)

    def _go_on(self, position: int) -> None:
        """Look at some more, unless another reader did meanwhile."""
        with self._lock:
            if position == len(self._found):
                self._found.extend(index for index in self._left[:STRIDE] if self._test(index))
                self._left = self._left[STRIDE:]
