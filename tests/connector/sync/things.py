"""Short ways to the two sides, for tests of matching and planning."""

from typing import Any

from connector.sdk.inventory import Asset, Assignee, Device, Person, User
from connector.sync.entities import Link


def device(number: int, serial: str | None = "", user: int | None = None, **more: Any) -> Device:
    """Device 1 is d1 with serial S1; with `user=2` it is assigned to u2."""
    given: dict[str, Any] = {"mdm_id": f"d{number}", "serial": f"S{number}" if serial == "" else serial} | more
    if user:
        given |= {"user_id": f"u{user}", "user_email": f"p{user}@x.org", "user_name": f"Person {user}"}
    return Device(**given)


def asset(number: int, serial: str | None = "", person: int | None = None, **more: Any) -> Asset:
    """Asset 1 is a1 with serial S1; with `person=2` it is checked out to p2."""
    given: dict[str, Any] = {"sys_id": f"a{number}", "serial": f"S{number}" if serial == "" else serial} | more
    return Asset(**given, assignee=Assignee("person", f"p{person}") if person else Assignee())


def user(number: int, **more: Any) -> User:
    return User(**{"mdm_id": f"u{number}", "email": f"p{number}@x.org", "name": f"Person {number}"} | more)


def person(number: int, **more: Any) -> Person:
    return Person(**{"sys_id": f"p{number}", "email": f"p{number}@x.org", "name": f"Person {number}"} | more)


def link(number: int, to: int | None = None, **more: Any) -> Link:
    """Device and asset of one number."""
    return Link("device", f"d{number}", f"a{to or number}", "serial", **more)


def user_link(number: int, to: int | None = None) -> Link:
    return Link("user", f"u{number}", f"p{to or number}", "email")
