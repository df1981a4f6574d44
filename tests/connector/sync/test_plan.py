"""A plan says what makes both sides what the mapping says, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from connector.sdk.inventory import Assignee, Capabilities
from connector.sync.entities import Base, Lock, Notice
from connector.sync.plan.ground import Memory, Sides
from connector.sync.plan.plan import Plan, plan
from tests.connector.sync.things import asset, device, link, person, user, user_link
from tests.connector.sync.world import World, mapping

TAG = {"to": "tag", "source": "asset_tag", "direction": "both", "winner": "asset"}
NAME = {"to": "Name", "source": "device_name"}
SERIAL = {"to": "serial", "source": "serial_number", "key": True}
MAC = {"to": "MAC", "source": "details.network.mac_address", "transform": ["mac_colons"]}
FROM = {"assignment": {"direction": "mdm_to_asset"}}
BOTH = {"assignment": {"direction": "both", "winner": "asset"}}
NONE = {"assignment": {"direction": "none"}}


def said(found: Plan) -> list[tuple[str, str, Any, Any]]:
    """The lines that are done, without their reasons."""
    return [(line.op, line.target, line.before, line.after) for line in found.changes]


def kinds(found: Plan) -> list[str]:
    return [hold.kind for hold in found.holds]


def linked(how: Any = None, *, mdm: int | None = None, has: int | None = None) -> World:
    """Device 1 and asset 1 that agreed on p1; now the MDM says `mdm`, and the asset system `has`."""
    world = World(how or mapping(**BOTH))
    world.add(device(1, user=mdm), asset(1, person=has), *(user(n) for n in (1, 2)), *(person(n) for n in (1, 2, 3)))
    world.links = {one.id: one for one in (link(1), user_link(1), user_link(2))}
    world.agree((Base("device/a1", "assignee", "p1", "p1"),))
    return world


def test_a_new_device_becomes_an_asset_with_its_person() -> None:
    """In an order in which each step finds what it needs."""
    how = mapping(SERIAL, NAME, create={"default_category": "Kandji", "asset_tag": "KND-{serial}"}, **FROM)
    world = World(how).add(device(1, user=1, fields={"serial_number": "S1", "device_name": "Nora's Mac"}))

    found = world.plan()

    assert said(found) == [
        ("create_person", "new:u1", None, {"name": "Person 1", "email": "p1@x.org"}),
        (
            *("create_asset", "new:d1", None),
            {"category": "Kandji", "tag": "KND-S1", "serial": "S1", "Name": "Nora's Mac"},
        ),
        ("check_out", "new:d1", None, "new:u1"),
    ]
    world.apply(found)
    assert world.plan().lines == ()
    assert world.assets["a100"].assignee == Assignee("person", "p100")


def test_the_tag_of_a_new_asset_goes_to_the_mdm() -> None:
    """Where the tag is mapped both ways and the MDM has none."""
    world = World(mapping(TAG, create={"asset_tag": "KND-{serial}"}, **NONE)).add(device(1))

    assert said(world.plan())[1:] == [("update_device", "d1", None, "KND-S1")]
    assert world.settle().lines == ()


@pytest.mark.parametrize(("says", "kind"), [("ask", ["create_asset"]), ("no", [])])
def test_nothing_is_created_without_leave(says: str, kind: list[str]) -> None:
    """`ask` asks, `no` only says so; its user is not created either."""
    found = World(mapping(create={"assets": says}, **BOTH)).add(device(1, user=1)).plan()

    assert (found.lines, kinds(found)) == ((), kind)


def test_a_match_is_shown_before_it_is_used() -> None:
    """With the rule that found it."""
    world = World(mapping(**NONE)).add(device(1), asset(1))

    assert [(line.op, line.link and line.link.matched_by) for line in world.plan().changes] == [("link", "serial")]
    assert world.settle().lines == ()


def test_a_person_found_by_name_gets_their_email() -> None:
    """What they have is left as it is."""
    world = World(mapping(**FROM)).add(device(1, user=1), asset(1), user(1), person(1, email=None))

    assert ("update_person", "p1", None, "p1@x.org") in said(world.plan())
    assert world.settle().lines == ()


@pytest.mark.parametrize(
    ("mdm", "has", "lines"),
    [
        (1, 1, []),
        (2, 1, [("check_in", "a1", "p1", None), ("check_out", "a1", None, "p2")]),
        (None, 1, [("check_in", "a1", "p1", None)]),
        (1, 2, [("assign", "d1", "u1", "u2")]),
        (1, None, [("assign", "d1", "u1", None)]),
        (2, 2, []),
        (2, None, [("assign", "d1", "u2", None)]),
    ],
)
def test_an_assignment_follows_who_changed_it(mdm: int | None, has: int | None, lines: list[Any]) -> None:
    """Both ways, and the asset system wins where both changed."""
    world = linked(mdm=mdm, has=has)

    assert said(world.plan()) == lines
    assert world.settle().lines == ()


@pytest.mark.parametrize(
    ("mdm", "has", "lines"),
    [
        (1, 2, []),
        (1, None, []),
        (2, 1, [("check_in", "a1", "p1", None), ("check_out", "a1", None, "p2")]),
        (None, 2, [("check_in", "a1", "p2", None)]),
    ],
)
def test_from_the_mdm_only_a_checkout_by_hand_stays(mdm: int | None, has: int | None, lines: list[Any]) -> None:
    """Until the MDM's own assignment changes."""
    world = linked(mapping(**FROM), mdm=mdm, has=has)

    assert said(world.plan()) == lines
    assert world.settle().lines == ()


def test_without_assignments_none_are_touched() -> None:
    """The third setting of the guide."""
    assert linked(mapping(**NONE), mdm=2, has=None).plan().lines == ()


def test_a_first_sync_holds_two_different_people() -> None:
    """Unless the mapping names a winner."""
    world = linked(mapping(assignment={"direction": "both"}), mdm=1, has=2)
    world.bases.clear()

    assert (world.plan().lines, kinds(world.plan())) == ((), ["conflict"])


def test_a_person_the_mdm_does_not_know_waits() -> None:
    """It is kept with its reason, and goes out when the user appears."""
    world = linked(mdm=1, has=3)

    assert [(line.op, line.why) for line in world.plan().waiting] == [("assign", "cannot: no Kandji user for p3@x.org")]
    assert world.plan().changes == ()
    world.add(user(3))
    assert said(world.plan()) == [("link", "p3", None, None), ("assign", "d1", "u1", "u3")]
    assert world.settle().lines == ()


def test_an_asset_at_a_place_is_left_alone() -> None:
    """It is said, and nothing is checked in."""
    world = linked(mdm=2)
    world.add(replace(asset(1), assignee=Assignee("location", "l1")))

    assert world.plan().lines == ()
    assert world.plan().warnings == (Notice("S1", "is checked out to a location, so its user is left alone"),)


def test_details_that_were_not_read_are_not_empty() -> None:
    """The field waits for the run that reads them."""
    world = World(mapping(MAC, **NONE)).add(device(1), asset(1, fields={"MAC": "A4:83:E7:00:00:01"}))
    world.links = {"device/a1": link(1)}

    assert (world.plan().lines, world.plan().agreed) == ((), ())
    world.add(device(1, details={"network": {"mac_address": "a483e7000002"}}))
    assert said(world.plan()) == [("update_asset", "a1", "A4:83:E7:00:00:01", "A4:83:E7:00:00:02")]


LONG = {"Name": 4, "tag": 4}


def test_a_value_that_is_too_long_is_shortened_and_does_not_travel_back() -> None:
    """What the asset system keeps of it is agreed on."""
    both = NAME | {"source": "note", "direction": "both", "winner": "asset"}
    world = World(mapping(both, **NONE), Capabilities(max_lengths=LONG)).add(asset(1))
    world.add(device(1, fields={"note": "a long note"}))

    assert [line.after for line in world.plan().changes if line.field] == ["a lo"]
    assert [each.why for each in world.plan().warnings] == ["is shortened to 4 characters"]
    assert world.settle().lines == ()
    assert world.devices["d1"].fields["note"] == "a long note"


def test_a_tag_that_is_too_long_is_refused() -> None:
    """A shortened one would be another tag."""
    world = World(mapping(TAG, **NONE), Capabilities(max_lengths=LONG)).add(asset(1))
    world.add(device(1, fields={"asset_tag": "IT-10001"}))
    world.links = {"device/a1": link(1)}

    assert [(line.status, line.after) for line in world.plan().lines] == [("refused", "IT-1")]
    assert world.plan().changes == ()


@pytest.mark.parametrize(
    ("how", "can", "line"),
    [
        (mapping({"to": "OS", "source": "os_version", "direction": "asset_to_mdm"}), {}, "update_device"),
        (mapping(NAME), {"writable": frozenset({"tag"})}, "update_asset"),
        (mapping(missing={"after_runs": 1, "then": "archive"}), {}, "archive"),
    ],
)
def test_what_a_system_cannot_do_is_a_line_that_says_so(how: Any, can: dict[str, Any], line: str) -> None:
    """Never a call that fails; it counts as no change."""
    world = World(how, Capabilities(**can)).add(asset(1, fields={"OS": "15"}))
    world.add(device(1, fields={"device_name": "x"}) if line != "archive" else device(2, None))
    world.links = {"device/a1": link(1)}

    assert [(each.op, each.status) for each in world.plan().lines] == [(line, "unsupported")]


def test_a_field_the_asset_system_has_not_is_created_or_left_out() -> None:
    """As the mapping says, and as the system can."""
    how = mapping(NAME | {"create": True}, {"to": "OS", "source": "os_version"}, **NONE)
    sides = Sides((device(1, fields={"device_name": "x"}),), assets=(asset(1),), columns=frozenset({"tag"}))
    memory = Memory((link(1),))

    found = plan(replace(sides, asset_can=Capabilities(create_fields=True)), memory, how)
    assert [line.op for line in found.changes] == ["create_field", "update_asset"]
    assert [each.about for each in found.warnings] == ["OS"]
    assert [line.status for line in plan(sides, memory, how).lines] == ["unsupported"]


@pytest.mark.parametrize(("then", "op"), [("mark", "mark"), ("check_in", "check_in"), ("archive", "archive")])
def test_a_device_that_is_gone_is_counted_first(then: str, op: str) -> None:
    """Then what the mapping says, once; when it is back, its asset is as before."""
    how = mapping(missing={"after_runs": 2, "then": then}, **FROM)
    world = World(how, Capabilities(archive=True)).add(device(1, user=1), device(2), asset(1, person=1), asset(2))
    world.add(user(1), person(1))
    assert world.settle().lines == ()
    here = world.devices.pop("d1")

    assert world.apply(world.plan()).lines == ()
    assert [line.op for line in world.apply(world.plan()).lines] == [op]
    assert world.plan().lines == ()
    world.add(here)
    assert world.apply(world.plan()).lines[0].op == "restore"
    assert world.plan().lines == ()
    assert world.assets["a1"] == asset(1, person=1)


def test_a_removed_device_is_gone() -> None:
    """And one that is only missing by its own word is not."""
    world = World(mapping(missing={"after_runs": 1}, **NONE)).add(asset(1), asset(2))
    world.add(device(1, is_removed=True), device(2, is_missing=True))
    world.links = {one.id: one for one in (link(1), link(2))}

    assert [(line.op, line.target) for line in world.plan().lines] == [("mark", "a1")]


def test_a_device_enrolled_again_keeps_what_was_agreed() -> None:
    """Its link moves; an edit made meanwhile is one edit, not a first sync."""
    world = World(mapping(TAG, **NONE)).add(device(1, fields={"asset_tag": "A"}), asset(1, tag="A"))
    world.settle()
    del world.devices["d1"]
    world.add(device(7, "S1", fields={"asset_tag": "B"}))

    assert [line.op for line in world.plan().changes] == ["move_link", "update_asset"]
    assert world.settle().lines == ()
    assert world.links["device/a1"].mdm_id == "d7"


def test_what_is_out_of_scope_is_neither_synced_nor_missing() -> None:
    """By platform or by pattern."""
    how = mapping(scope={"platforms": ["Mac"], "exclude": {"blueprint": ["Lab*"]}}, missing={"after_runs": 1})
    world = World(how).add(device(1, platform="iPad"), device(2, platform="Mac", blueprint="Lab 1"), asset(1))
    world.links = {"device/a1": link(1)}

    assert (world.plan().lines, world.plan().holds) == ((), ())


def test_a_locked_field_is_reported() -> None:
    """And a field that locks on drift is locked once."""
    world = World(mapping(NAME | {"drift": "lock"}, **NONE)).add(device(1, fields={"device_name": "x"}), asset(1))
    world.settle()
    world.edit_asset("a1", "Name", "y")

    assert [line.op for line in world.apply(world.plan()).changes] == ["lock"]
    assert world.plan().lines == ()
    assert world.locks == [Lock("device/a1", "Name", world.locks[0].reason)]
    assert [each.about for each in world.plan().warnings] == ["S1: Name"]


def test_an_edit_on_the_receiving_side_is_undone() -> None:
    """A one-way field shows what the giving side says."""
    world = World(mapping(NAME, **NONE)).add(device(1, fields={"device_name": "x"}), asset(1))
    world.settle()
    world.edit_asset("a1", "Name", "y")

    assert said(world.plan()) == [("update_asset", "a1", "y", "x")]
    assert world.settle().lines == ()


@pytest.mark.parametrize(
    ("safety", "brake"),
    [
        ({"max_creates": 19}, "20 lines create_asset; max_creates allows 19."),
        ({"max_check_ins": 19}, "20 check-ins; max_check_ins allows 19."),
        ({"max_changes": "50%"}, "20 records change; max_changes allows 10."),
    ],
)
def test_the_brake_stops_a_landslide(safety: dict[str, Any], brake: str) -> None:
    """The plan is whole; it says which limit it exceeds."""
    numbers = range(1, 21)
    world = World(mapping(safety=safety, **FROM)).add(*(device(n) for n in numbers), user(1), person(1))
    world.add(*(asset(n, person=1) for n in numbers if "max_creates" not in safety))
    world.links = {f"device/a{n}": link(n) for n in numbers if "max_creates" not in safety} | {"user/p1": user_link(1)}
    world.agree(tuple(Base(f"device/a{n}", "assignee", "p1", "p1") for n in numbers))

    assert brake in world.plan().brakes
    assert len(world.plan().changes) == 20


@pytest.mark.parametrize(
    ("sides", "before", "stopped"),
    [
        (Sides(), 0, "The MDM lists no devices."),
        (Sides((device(1),)), 3, "The MDM lists 1 devices; there were 3."),
        (Sides((device(1), device(2))), 3, "The asset system lists 0 assets; there were 3."),
    ],
)
def test_half_a_world_gives_no_plan(sides: Sides, before: int, stopped: str) -> None:
    """A list that failed must not look like a fleet that left."""
    found = plan(sides, Memory(tuple(link(n) for n in range(before))), mapping(safety={}))

    assert (found.stopped, found.lines) == (stopped, ())


@pytest.mark.parametrize(
    ("there", "stopped"),
    [
        (range(0), "The asset system lists 0 people who have a device; there were 30."),
        (range(1, 15), "The asset system lists 14 people who have a device; there were 30."),
        (range(1, 16), None),
    ],
)
def test_half_of_the_people_gives_no_plan(there: range, stopped: str | None) -> None:
    """All others would be created once more, and handed what they have."""
    numbers = range(1, 31)
    sides = Sides(
        tuple(device(n, user=n) for n in numbers),
        assets=tuple(asset(n, person=n) for n in numbers),
        people=tuple(person(n) for n in there),
    )
    links = (*(link(n) for n in numbers), *(user_link(n) for n in numbers))

    assert plan(sides, Memory(links), mapping(safety={})).stopped == stopped


def test_a_few_people_who_are_gone_stop_nothing() -> None:
    """Somebody deleted them, and they are created anew."""
    sides = Sides((device(1, user=1),), assets=(asset(1),), people=(person(2),))
    found = plan(sides, Memory((link(1), user_link(1))), mapping(safety={}))

    assert (found.stopped, [line.op for line in found.changes][:1]) == (None, ["create_person"])


def test_the_hash_is_of_what_is_there_and_not_of_its_order() -> None:
    """Two plans of the same inputs are the same plan."""
    one = Sides((device(1), device(2)), assets=(asset(1), asset(2)))
    other = Sides(one.devices[::-1], assets=one.assets[::-1])
    changed = Sides((device(1), device(2, name="x")), assets=one.assets)
    found = [plan(each, Memory((link(1), link(2))), mapping(TAG)).inputs for each in (one, other, changed)]

    assert found[0] == found[1] != found[2]


def test_seeing_the_same_plan_twice_is_seeing_the_same() -> None:
    """Lines are numbered in the order in which they are done."""
    world = linked(mdm=2, has=1)

    assert world.plan() == world.plan()
    assert [(line.seq, line.op) for line in world.plan().lines] == [(1, "check_in"), (2, "check_out")]
