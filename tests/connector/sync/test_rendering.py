"""A plan is read by people."""

from connector.sync.entities import Base
from connector.sync.plan.plan import Plan
from connector.sync.plan.rendering import text
from tests.connector.sync.things import asset, device, link, person, user, user_link
from tests.connector.sync.world import World, mapping

NAME = {"to": "Name", "source": "device_name"}
SHOWN = """\
Plan: 6 changes, 1 waiting, 1 hold.

Create people (1)
  + p5@x.org  [nobody has this email or name]
      name: Person 5
      email: p5@x.org

Create assets (1)
  + (S5)  [no asset has its serial number]
      serial: S5
      Name: New Mac

Update assets (1)
  ~ S1: Name: Old -> Nora's Mac  [edited on the side that only receives]

Check in (1)
  - S1: assignee: p1@x.org -> nobody  [the MDM changed]

Check out (2)
  ~ (S5): assignee: nobody -> p5@x.org (new)  [its user in the MDM]
  ~ S1: assignee: nobody -> p2@x.org  [the MDM changed]

Not done (1)
  ! (S4): user  [cannot: no Kandji user for p3@x.org]

Held (1)
  ? d6: it has no serial number
      Give it one, or leave it out of the scope.
"""


def world() -> World:
    """One line of each kind."""
    here = World(mapping(NAME, assignment={"direction": "both", "winner": "asset"}))
    here.add(device(1, user=2, fields={"device_name": "Nora's Mac"}), asset(1, person=1, fields={"Name": "Old"}))
    here.add(device(5, user=5, fields={"device_name": "New Mac"}), device(4), asset(4, person=3), device(6, None))
    here.add(user(1), user(2), person(1), person(2), person(3))
    here.links = {one.id: one for one in (link(1), link(4), user_link(1), user_link(2))}
    here.agree((Base("device/a1", "assignee", "p1", "p1"), Base("device/a1", "Name", "Nora's Mac", "Nora's Mac")))
    return here


def test_a_plan_is_read_like_a_diff() -> None:
    """By step; then what is not done, and what is asked."""
    assert text(world().plan()) == SHOWN


def test_nothing_to_do_is_said() -> None:
    """And so is why there is no plan."""
    assert text(Plan("x")) == "Nothing to do.\n"
    stopped = text(Plan("x", stopped="The MDM lists no devices."))

    assert stopped.startswith("Stopped: The MDM lists no devices. If that is right, let the mapping say safety: {")
