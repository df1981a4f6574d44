"""The directory users of the tenant, minus those that were deleted."""

from collections.abc import Iterator

from sandbox.kandji.facts.fleet import Fleet, Person


class Users:
    """Looked up by id or walked in order; a person is computed, only deletions are kept."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._deleted: set[int] = set()

    def number(self, user_id: str) -> int | None:
        """The person behind an id, unless there is none."""
        number = self._fleet.user_ids.index(user_id)
        if number is None or number >= self._fleet.people or number in self._deleted:
            return None
        return number

    def number_of_email(self, email: str) -> int | None:
        return self._fleet.number_of(email)

    def person(self, number: int) -> Person:
        return self._fleet.person(number)

    def is_archived(self, number: int) -> bool:
        """One in forty has left the company."""
        return number % 40 == 39

    def after(self, number: int) -> Iterator[int]:
        """Everybody from that number on."""
        return (each for each in range(number, self._fleet.people) if each not in self._deleted)

    def before(self, number: int) -> Iterator[int]:
        """Everybody below that number, from there back to the first."""
        return (each for each in reversed(range(min(number, self._fleet.people))) if each not in self._deleted)

    def delete(self, number: int) -> None:
        self._deleted.add(number)
