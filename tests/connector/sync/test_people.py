"""People are found by link, email or name; what these leave open is held."""

import pytest

from connector.sdk.inventory import Person, User
from connector.sync.entities import Link
from connector.sync.plan.people import match_people
from tests.connector.sync.things import person, user, user_link

WANTED = frozenset({"u1", "u2"})


@pytest.mark.parametrize(
    ("users", "people", "links", "matched"),
    [
        ([user(1)], [person(1, email="other@x.org"), person(2)], [user_link(1)], []),
        ([user(1)], [person(1, email=" P1@X.ORG ", name="Else")], [], [("u1", "p1", "email")]),
        ([user(1)], [person(1, email=None, name="person  1")], [], [("u1", "p1", "name")]),
        ([user(1, email=None)], [person(1)], [], [("u1", "p1", "name")]),
        ([user(1), user(3, email="p1@x.org", archived=True)], [person(1)], [], [("u1", "p1", "email")]),
        ([user(1, archived=True)], [person(1)], [], [("u1", "p1", "email")]),
    ],
)
def test_a_person_is_found(
    users: list[User], people: list[Person], links: list[Link], matched: list[tuple[str, str, str]]
) -> None:
    """By link, by email, by name, in this order; every match says by which rule."""
    found = match_people(users, people, links, wanted=WANTED)

    assert [(each.mdm_id, each.sys_id, each.matched_by) for each in found.links] == matched
    assert found.person_of["u1"].sys_id == "p1"
    assert (found.new, found.holds) == ((), ())


@pytest.mark.parametrize(
    ("users", "people", "links"),
    [
        ([user(1)], [person(1), person(2, email="p1@x.org")], []),
        ([user(1), user(2, email="p1@x.org")], [person(1)], []),
        ([user(1, email=None)], [person(1), person(2, name="Person 1")], []),
        ([user(1), user(3, name="Person 1")], [person(9, name="Person 1", email=None)], []),
        ([user(1)], [person(9, name="Person 1")], []),
        ([user(1), user(3)], [person(1)], [user_link(3, 1)]),
    ],
)
def test_an_open_question_about_a_person_is_held(users: list[User], people: list[Person], links: list[Link]) -> None:
    """Several hits, a name with another email, a person who is another's: nobody is guessed and nobody created."""
    found = match_people(users, people, links, wanted=frozenset({"u1"}))

    assert "u1" not in found.person_of
    assert found.new == ()
    assert [hold.kind for hold in found.holds] == ["ambiguous_person"]


@pytest.mark.parametrize(
    ("one", "away"),
    [
        (user(1), person(1, name="Else", archived=True)),
        (user(1, email=None), person(1, email=None, archived=True)),
    ],
)
def test_a_user_whose_person_is_archived_is_held(one: User, away: Person) -> None:
    """Nobody is created twice."""
    found = match_people([one], [away], [], wanted=WANTED)

    assert (found.new, found.links, [hold.kind for hold in found.holds]) == ((), (), ["person_archived"])
    assert match_people([one], [away, person(2, email="p1@x.org", name="Person 1")], [], wanted=WANTED).links


def test_users_who_cannot_be_told_apart_are_not_created() -> None:
    """Several with one email, or one without any name."""
    assert match_people([user(1), user(2, email="p1@x.org")], [], [], wanted=WANTED).new == ()
    found = match_people([user(1, email=None, name=" ")], [], [], wanted=WANTED)
    assert (found.new, [hold.kind for hold in found.holds]) == ((), ["nameless_person"])


def test_only_users_with_a_device_are_new() -> None:
    """A whole directory is not imported."""
    assert match_people([user(1), user(2), user(3)], [], [], wanted=frozenset({"u2"})).new == (user(2),)


def test_a_user_who_came_back_with_another_id_gets_their_person() -> None:
    """The user the person was linked to is not there any more."""
    found = match_people([user(5, email="p1@x.org")], [person(1)], [user_link(1)], wanted=WANTED)

    assert found.person_of["u5"].sys_id == "p1"
