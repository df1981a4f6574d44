"""Properties of planning and applying: it settles, it mirrors, and no edit is lost or comes back."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from connector.sdk.inventory import Capabilities, Value
from connector.sync.entities import Base
from connector.sync.mapping.mapping import Mapping
from tests.connector.sync.things import asset, device, person, user
from tests.connector.sync.world import World, mapping

WINNERS = some.sampled_from(["mdm", "asset"])
TEXTS = some.sampled_from([None, "a", "b", "long one", "long two"])
PEOPLE = some.sampled_from([None, 1, 2])
PLACES = some.integers(1, 3)
MIRROR = {"mdm": "asset", "asset": "mdm", "hold": "hold"}
COUNTER = {"update_asset": "update_device", "update_device": "update_asset"}


def fields(winner: str, empty: str = "keep") -> Mapping:
    note = {"to": "Note", "source": "note", "direction": "both", "winner": winner, "when_empty": empty}
    return mapping(note, assignment={"direction": "both", "winner": winner})


def fleet(how: Mapping, notes: Iterable[tuple[Value, Value]], can: Capabilities | None = None) -> World:
    """Devices 1, 2, ... and their assets, with a note on both sides."""
    world = World(how, can).add(*(user(n) for n in (1, 2)), *(person(n) for n in (1, 2)))
    for number, (mdm, there) in enumerate(notes, start=1):
        world.add(device(number, fields={"note": mdm}), asset(number, fields={"Note": there}))
    return world


EDITS = some.lists(
    some.tuples(some.sampled_from(["mdm", "asset"]), some.sampled_from(["note", "user"]), PLACES, TEXTS, PEOPLE),
    max_size=6,
)
CUTS = some.lists(some.tuples(some.integers(0, 4), some.booleans()), max_size=3)
ROUNDS = some.lists(some.tuples(EDITS, CUTS), min_size=1, max_size=4)
NOTES = some.lists(some.tuples(TEXTS, TEXTS), min_size=3, max_size=3)


def edit(world: World, side: str, what: str, place: int, text: Value, one: int | None) -> None:
    """What a person does in one of the two systems."""
    if what == "note":
        (world.edit_device if side == "mdm" else world.edit_asset)(*_note(side, place, text))
    elif side == "mdm":
        world.assign(f"d{place}", f"u{one}" if one else None)
    else:
        who = world.assets[f"a{place}"].assignee.id
        for next_one in ([None] if who else []) + ([f"p{one}"] if one else []):
            world.hand(f"a{place}", next_one)


def _note(side: str, place: int, text: Value) -> tuple[str, str, Value]:
    return (f"d{place}", "note", text) if side == "mdm" else (f"a{place}", "Note", text)


def values(world: World, place: int) -> dict[str, tuple[Any, Any]]:
    """What both sides say of a device: its note, and who has it."""
    one, other = world.devices[f"d{place}"], world.assets[f"a{place}"]
    who = (one.user_id or "").removeprefix("u"), (other.assignee.id or "").removeprefix("p")
    return {"note": (one.fields.get("note"), other.fields.get("Note")), "user": who}


def interrupted(world: World, cuts: list[tuple[int, bool]]) -> None:
    """Applies that are killed after some steps, with or without the last one recorded; then one that is not."""
    for steps, confirmed in cuts:
        world.apply(world.plan(), steps, confirmed=confirmed)
    world.apply(world.plan())


@given(
    NOTES,
    some.lists(some.tuples(PEOPLE, PEOPLE), min_size=3, max_size=3),
    WINNERS,
    some.sampled_from(["keep", "clear"]),
)
def test_a_plan_after_apply_is_empty(
    notes: list[tuple[Value, Value]], who: list[tuple[int | None, int | None]], winner: str, empty: str
) -> None:
    """Whatever was on both sides: nothing to write, and nothing new to agree on."""
    world = fleet(fields(winner, empty), notes)
    for place, (mdm, there) in enumerate(who, start=1):
        edit(world, "mdm", "user", place, None, mdm)
        edit(world, "asset", "user", place, None, there)

    world.settle()
    world.apply(world.plan())

    assert (world.plan().lines, world.plan().agreed, world.plan().holds) == ((), (), ())


@given(
    NOTES, some.lists(some.none() | some.tuples(TEXTS, TEXTS), min_size=3, max_size=3), some.sampled_from(list(MIRROR))
)
def test_swapping_the_sides_mirrors_the_plan(
    notes: list[tuple[Value, Value]], agreed: list[tuple[Value, Value] | None], winner: str
) -> None:
    """Neither side is favoured but by the mapping."""
    straight, swapped = fleet(fields(winner), notes), fleet(fields(MIRROR[winner]), [pair[::-1] for pair in notes])
    for place, pair in enumerate(agreed, start=1):
        known = [(straight, pair), (swapped, pair[::-1])] if pair else []
        for world, (mdm, there) in known:
            world.agree((Base(f"device/a{place}", "Note", mdm, there),))

    lines = {
        (COUNTER[line.op], line.target[1:], line.before, line.after) for line in straight.plan().lines if line.field
    }
    mirrored = {(line.op, line.target[1:], line.before, line.after) for line in swapped.plan().lines if line.field}
    assert lines == mirrored
    assert len(straight.plan().holds) == len(swapped.plan().holds)


@settings(max_examples=300, deadline=None)
@given(ROUNDS, WINNERS)
def test_edits_and_interruptions_converge(rounds: list[Any], winner: str) -> None:
    """The last edit of either side is on both; where both edited, the winner's; each is written once."""
    world = fleet(fields(winner, "clear"), [(None, None)] * 3)
    world.apply(world.plan())
    world.apply(world.plan())
    for edits, cuts in rounds:
        before = {place: values(world, place) for place in (1, 2, 3)}
        for each in edits:
            edit(world, *each)
        wanted = {place: _answer(before[place], values(world, place), winner) for place in (1, 2, 3)}
        world.writes.clear()

        interrupted(world, cuts)

        found = {place: values(world, place) for place in (1, 2, 3)}
        assert found == {place: {what: (one, one) for what, one in each.items()} for place, each in wanted.items()}
        assert max(world.writes.values(), default=0) <= 1
        assert world.plan().lines == ()


STEPS = some.lists(
    some.tuples(some.sampled_from(["note", "user"]), PLACES, TEXTS, PEOPLE)
    | some.tuples(some.integers(0, 3), some.booleans()),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, some.dictionaries(PLACES, some.sampled_from(["mdm", "asset"])), WINNERS)
def test_an_edit_between_interruptions_is_not_lost(steps: list[Any], editors: dict[int, str], winner: str) -> None:
    """Where one side edits, its last edit stands, however often an apply was killed before or after it."""
    world = fleet(fields(winner, "clear"), [(None, None)] * 3)
    interrupted(world, [(99, True)])
    last: dict[tuple[int, str], Any] = {}
    for each in steps:
        if isinstance(each[0], int):
            world.apply(world.plan(), each[0], confirmed=each[1])
        else:
            what, place, text, one = each
            edit(world, editors.get(place, "mdm"), what, place, text, one)
            last[place, what] = text if what == "note" else str(one or "")

    interrupted(world, [])

    found = {(place, what): values(world, place)[what] for place, what in last}
    assert found == {key: (one, one) for key, one in last.items()}
    assert world.plan().lines == ()


def _answer(before: dict[str, Any], now: dict[str, Any], winner: str) -> dict[str, Any]:
    """By the rules: the side that changed, or the winner."""
    found = {}
    for what, (mdm, there) in now.items():
        changed = [mdm != before[what][0], there != before[what][1]]
        found[what] = mdm if changed == [True, False] or (all(changed) and winner == "mdm") else there
    return found


@settings(max_examples=200, deadline=None)
@given(some.lists(some.tuples(some.sampled_from(["mdm", "asset"]), PLACES, TEXTS), max_size=8), CUTS, WINNERS)
def test_a_shortened_value_does_not_travel_back(edits: list[Any], cuts: list[tuple[int, bool]], winner: str) -> None:
    """The asset system keeps six characters: what was typed in the MDM stays whole until somebody edits the copy."""
    world = fleet(
        fields(winner), [("long one", None), ("long two", None), (None, None)], Capabilities(max_lengths={"Note": 6})
    )
    interrupted(world, cuts)
    for side, place, text in edits:
        before = values(world, place)["note"]
        edit(world, side, "note", place, text, None)
        now = values(world, place)["note"]

        interrupted(world, cuts)

        copy = now[0][:6] if now[0] else None
        whole = now[0] if side == "mdm" or now[1] in (before[1], copy, None) else now[1]
        assert values(world, place)["note"][0] == whole
        assert world.plan().lines == ()


@settings(max_examples=100, deadline=None)
@given(
    some.lists(some.tuples(some.booleans(), PEOPLE), min_size=1, max_size=4),
    CUTS,
    some.sampled_from(["mdm_to_asset", "both"]),
)
def test_a_fleet_is_created_once_however_often_it_is_interrupted(
    new: list[tuple[bool, int | None]], cuts: list[tuple[int, bool]], direction: str
) -> None:
    """No asset, person or checkout twice."""
    world = World(mapping(create={"asset_tag": "T-{serial}"}, assignment={"direction": direction}))
    for number, (_, one) in enumerate(new, start=1):
        world.add(device(number, user=one))
    how = world.how.model_copy(update={"fields": mapping({"to": "serial", "source": "serial_number"}).fields})
    world.how = how
    for number in range(1, len(new) + 1):
        world.edit_device(f"d{number}", "serial_number", f"S{number}")

    interrupted(world, cuts)
    world.apply(world.plan())

    assert sorted(str(each.serial) for each in world.assets.values()) == [f"S{n}" for n in range(1, len(new) + 1)]
    assert len(world.people) == len({one for _, one in new if one})
    assert max(world.writes.values(), default=0) <= 1
    assert world.plan().lines == ()
