"""Which person is which user: by link, email or name, where exactly one fits on each side."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.sdk.inventory import Person, User
from connector.sync.entities import Hold, Link
from connector.sync.plan.matching import by


@dataclass(frozen=True, slots=True)
class People:
    """Users and their people: what is linked, who is new, and why others have nobody."""

    person_of: Mapping[str, Person]
    user_of: Mapping[str, User]
    links: tuple[Link, ...]
    new: tuple[User, ...]
    holds: tuple[Hold, ...]


def match_people(
    users: Iterable[User],
    people: Iterable[Person],
    links: Iterable[Link],
    *,
    rules: tuple[str, ...] = ("link", "email", "name"),
    wanted: frozenset[str] = frozenset(),
) -> People:
    """Find the person of each user. Only `wanted` users, those with a device, are created or asked about."""
    known, there = {person.sys_id: person for person in people}, {user.mdm_id: user for user in users}
    ours = {link.mdm_id: link for link in links if link.kind == "user" and "link" in rules}
    kept = {key: link for key, link in ours.items() if link.sys_id in known and key in there}
    asked = [user for key, user in there.items() if key not in kept and (key in wanted or not user.archived)]
    hall = _Hall.of(asked, tuple(known.values()), kept, rules)
    found = _once({user: hall.match(user) for user in asked}, known)
    links = tuple(each for each in found.values() if isinstance(each, Link))
    return People(
        person_of={link.mdm_id: known[link.sys_id] for link in (*kept.values(), *links)},
        user_of={link.sys_id: there[link.mdm_id] for link in (*kept.values(), *links)},
        links=links,
        new=tuple(user for user, each in found.items() if each is None and user.mdm_id in wanted),
        holds=tuple(each for user, each in found.items() if isinstance(each, Hold) and user.mdm_id in wanted),
    )


Found = Link | Hold | None


def _once(found: Mapping[User, Found], known: Mapping[str, Person]) -> dict[User, Found]:
    """Several users who fit one person are held."""
    count = Counter(each.sys_id for each in found.values() if isinstance(each, Link))
    return {
        user: _claimed(user, known[each.sys_id]) if isinstance(each, Link) and count[each.sys_id] > 1 else each
        for user, each in found.items()
    }


@dataclass(frozen=True)
class _Hall:
    """Users without a person, and the people there are, by what the rules look for."""

    taken: set[str]
    users_mailed: Mapping[str, list[User]]
    users_named: Mapping[str, list[User]]
    people_mailed: Mapping[str, list[Person]]
    people_named: Mapping[str, list[Person]]
    away: Mapping[str, list[Person]]

    @classmethod
    def of(
        cls, users: list[User], people: tuple[Person, ...], ours: Mapping[str, Link], rules: tuple[str, ...]
    ) -> "_Hall":
        taken = {link.sys_id for link in ours.values()}
        there = [person for person in people if not person.archived]
        free = [person for person in there if person.sys_id not in taken]
        return cls(
            taken,
            by(users, lambda user: words(user.email)),
            by(users, lambda user: words(user.name)),
            by(there, lambda person: words(person.email)) if "email" in rules else {},
            by(free, lambda person: words(person.name)) if "name" in rules else {},
            by([each for each in people if each.archived], lambda person: words(person.email) or words(person.name)),
        )

    def match(self, user: User) -> Link | Hold | None:
        """The link to their person, why it is open, or nothing where nobody fits."""
        if not words(user.email) and not words(user.name):
            return Hold("nameless_person", (user.mdm_id,), f"{user.label}: has no email and no name", "Give them one.")
        mailed = self.people_mailed.get(words(user.email) or "", [])
        if len(mailed) > 1 or len(self.users_mailed.get(words(user.email) or "", [])) > 1:
            return _several(user, mailed, f"several records have the email {user.email}")
        if mailed and mailed[0].sys_id in self.taken:
            return _several(user, mailed, f"the person with the email {user.email} is linked to another user")
        if mailed:
            return Link("user", user.mdm_id, mailed[0].sys_id, "email")
        return self._named(user, self.people_named.get(words(user.name) or "", []))

    def _named(self, user: User, named: list[Person]) -> Link | Hold | None:
        if not named:
            away = self.away.get(words(user.email) or words(user.name) or "")
            return _archived(user, away[0]) if away else None
        if len(named) > 1 or len(self.users_named[words(user.name) or ""]) > 1:
            return _several(user, named, f"several records have the name {user.name}")
        if named[0].email and user.email and words(named[0].email) != words(user.email):
            return _several(user, named, f"a person of the name {user.name} has another email")
        return Link("user", user.mdm_id, named[0].sys_id, "name")


def words(text: str | None) -> str | None:
    """An email or a name as it is compared: case and blanks do not count."""
    return " ".join((text or "").split()).casefold() or None


def _several(user: User, people: list[Person], why: str) -> Hold:
    about = (user.mdm_id, *(person.sys_id for person in people))
    return Hold("ambiguous_person", about, f"{user.label}: {why}", "Give the right person this email, and no other.")


def _archived(user: User, person: Person) -> Hold:
    """No second one is created: the system would have two of the same email."""
    why = f"{user.label}: their person {person.label} is archived"
    return Hold("person_archived", (user.mdm_id, person.sys_id), why, "Bring the person back.")


def _claimed(user: User, person: Person) -> Hold:
    return _several(user, [person], f"{person.label} fits several users")
