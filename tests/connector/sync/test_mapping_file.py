"""A mapping file is checked completely when it is read."""

import json
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some
from ruamel.yaml import YAML

from connector.sdk.errors import InvalidCall
from connector.sync.mapping.mapping import Mapping, schema
from connector.sync.mapping.mapping_file import load, parse, read

WHOLE = """\
version: 1
mdm:    { kind: kandji, connection: acme }
assets: { kind: snipeit, connection: office }
scope:
  platforms: [Mac, iPhone, iPad, AppleTV]
  exclude: { blueprint: ["Lab*"], is_removed: true }
match:
  device: [link, serial]
  person: [link, email, name]
create:
  assets: yes
  people: yes
  default_category: "Kandji"
  asset_tag: "KND-{serial}"
fields:
  - { to: name,          from: device_name,        direction: mdm_to_asset }
  - { to: serial,        from: serial_number,      direction: mdm_to_asset, key: true }
  - { to: tag,           from: asset_tag,          direction: both, winner: asset, when_empty: keep }
  - { to: "OS version",  from: os_version,         direction: mdm_to_asset }
  - { to: "MAC",         from: "details.network.mac_address", direction: mdm_to_asset, transform: [mac_colons] }
  - { to: "Storage GB",  from: "details.volumes[0].capacity", direction: mdm_to_asset, transform: [size_gb] }
  - { to: category,      from: platform,           direction: mdm_to_asset, values: { Mac: Laptops, "*": Mobile } }
  - { from: blueprint_name, skip: true }
assignment:
  direction: both
  winner: asset
  locations: ignore
missing: { after_runs: 3, then: mark }
safety:  { max_changes: 25%, max_check_ins: 10, max_creates: 200, empty_source: stop }
actions: { enabled: false, allow: [blankpush, lock, restart, shutdown], confirm: [lock, restart, shutdown] }
schedule: { every: 20m, jitter: 60s }
"""
HEAD = "version: 1\nmdm: { kind: kandji }\nassets: { kind: file }\n"


def problems(text: str) -> list[tuple[int, str, str]]:
    found = read(text)
    assert isinstance(found, list)
    return [(each.line, each.at, each.why) for each in found]


def test_the_file_of_the_design_is_read() -> None:
    """With what it says, and what it leaves unsaid."""
    mapping = load(WHOLE)

    assert mapping.safety.max_changes == 0.25
    assert mapping.schedule.every == timedelta(minutes=20)
    assert [row.to for row in mapping.mapped] == [
        "name",
        "serial",
        "tag",
        "OS version",
        "MAC",
        "Storage GB",
        "category",
    ]
    assert mapping.assignment.rule().winner == "asset"


def test_the_published_schema_takes_the_file_of_the_design() -> None:
    """An editor that knows the schema finds no fault in it."""
    jsonschema.Draft202012Validator(schema()).validate(YAML(typ="safe").load(WHOLE))


def test_the_published_defaults_are_as_a_file_writes_them() -> None:
    """Whoever copies them from the schema, as editors do, says nothing new."""
    parts = {"safety": schema()["$defs"]["Safety"], "schedule": schema()["$defs"]["Schedule"]}
    said = {key: {name: row["default"] for name, row in part["properties"].items()} for key, part in parts.items()}
    bare = YAML(typ="safe").load(HEAD + "fields: []")

    jsonschema.Draft202012Validator(schema()).validate({**bare, **said})
    assert Mapping.model_validate({**bare, **said}) == Mapping.model_validate(bare)


def test_every_key_is_explained_in_the_published_schema() -> None:
    """A proposed file points there from its first line."""
    tables = {"": schema(), **schema()["$defs"]}

    rows = [(f"{table}.{key}", row) for table, said in tables.items() for key, row in said["properties"].items()]

    assert [at for at, row in rows if not row.get("description", "").endswith(".")] == []
    assert len(rows) > 50


def test_all_errors_of_a_file_are_named_at_once() -> None:
    """Each with its line and its place, and what would be right."""
    text = (
        HEAD + "match: { device: [magic] }\ncreate: { asset_tag: 'K-{serail}' }\nfields:\n"
        "  - { to: name, from: device_name, direction: sideways }\n"
        "  - { to: name, from: 'x[', transform: [mac_colon], winer: mdm }\n"
        "  - { to: tag, from: asset_tag, direction: both, values: { a: b } }\n"
        "  - { to: x, from: asset_tag, direction: both, transform: [date] }\n"
        "  - { from: model }\n"
        "  - { to: y, from: model, winner: asset }\n"
        "missing: { after_runs: often }\nsafety: { max_changes: 125% }\nschedule: { every: 20 }\n"
    )

    assert problems(text) == [
        (4, "match/device/0", "must be one of: link, serial or asset_tag"),
        (
            *(5, "create/asset_tag"),
            "must be auto, from-mdm, or text with {serial}, {name}, {model}, {platform}, {asset_tag}, {mdm_id}",
        ),
        (7, "fields/0/direction", "must be one of: both, mdm_to_asset, asset_to_mdm or none"),
        (8, "fields/1/from", "must be a path such as os_version or details.volumes[0].capacity"),
        (8, "fields/1/to", "is written by two fields (see fields/0)"),
        (
            *(8, "fields/1/transform/0"),
            "must be one of: date, digits, join, lower, mac_colons, mac_plain, size_gb, upper, yes_no",
        ),
        (8, "fields/1/winer", "is not a key here; did you mean winner?"),
        (9, "fields/2/values", "cannot be turned around, so the direction must be mdm_to_asset"),
        (10, "fields/3/from", "is written by two fields (see fields/2)"),
        (10, "fields/3/transform", "cannot be turned around, so the direction must be mdm_to_asset"),
        (11, "fields/4/to", "is missing; to leave the property out, say skip: true"),
        (12, "fields/5/winner", "must be mdm or hold, because values go only from there"),
        (13, "missing/after_runs", "must be a whole number"),
        (14, "safety/max_changes", "must be a count such as 10, or a share such as 25%"),
        (15, "schedule/every", "must be a duration such as 60s, 20m, 6h or 1d"),
    ]


def test_a_system_that_there_is_not_is_named_with_its_line() -> None:
    """Beside all else that is wrong, and alone."""
    text = HEAD.replace("kandji", "jamf").replace("kind: file", "kind: kandji") + "fields: []\n"

    found = [(2, "mdm/kind", "must be one of: kandji"), (3, "assets/kind", "must be one of: assetbots, snipeit, file")]
    assert problems(text) == found
    assert problems(f"{text}schedul: 1\n") == [*found, (5, "schedul", "is not a key here; did you mean schedule?")]


@pytest.mark.parametrize("direction", ["both", "asset_to_mdm"])
def test_only_what_the_mdm_lets_be_written_goes_there(direction: str) -> None:
    """A mapping that can never do what it says is not saved."""
    row = f"{HEAD}fields:\n  - {{ to: a, from: PATH, direction: {direction} }}\n"
    why = "must be mdm_to_asset: the MDM lets be written only asset_tag"

    assert problems(row.replace("PATH", "device_name")) == [(5, "fields/0/direction", why)]
    assert problems(row.replace("PATH", "details.general.asset_tag")) == [(5, "fields/0/direction", why)]
    assert load(row.replace("PATH", "asset_tag")).fields[0].direction == direction
    assert load(row.replace("PATH", "device_name, skip: yes")).fields[0].skip


@pytest.mark.parametrize("said", ["true", "yes"])
def test_the_key_goes_one_way(said: str) -> None:
    """What tells devices apart is the MDM's."""
    row = f"{HEAD}fields:\n  - {{ to: tag, from: asset_tag, direction: both, key: {said} }}\n"

    assert problems(row) == [(5, "fields/0/direction", "must be mdm_to_asset, because it is the key")]
    assert not load(row.replace(f"key: {said}", "key: no")).fields[0].key


def test_a_row_that_is_not_skipped_is_checked() -> None:
    """A bare `no` is no word that counts as yes."""
    assert [at for _, at, _ in problems(HEAD + "fields:\n  - { to: a, skip: no }\n")] == ["fields/0/from"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: [1\nb: 2", (2, "file", "is no YAML: expected ',' or ']', but got ':'")),
        ("- 1", (1, "file", "must be a table of keys and values")),
        ("", (1, "file", "must be a table of keys and values")),
        ("#" * 200_001, (1, "file", "is no YAML: must have at most 200000 characters")),
        ("[" * 199_000, (1, "file", "is nested too deeply")),
        ("a:\n  " + "{ a: " * 21, (2, "file", "is nested too deeply")),
    ],
)
def test_a_file_that_is_none_has_one_error(text: str, found: tuple[int, str, str]) -> None:
    """By its line, where it has one."""
    assert problems(text) == [found]


@pytest.mark.parametrize("value", ["2026-02-30", "!!int x", "!!bool x", "0x_", "9" * 5000, "!!omap 3"])
def test_a_value_that_cannot_be_is_named_with_its_line(value: str) -> None:
    """YAML takes what has no quotes for a number or a date where it looks like one."""
    why = "is no YAML: there is no such number, date or table; text is written in quotes"

    assert problems(f"{HEAD}fields:\n  - {{ to: {value}, from: model }}\n") == [(5, "file", why)]


def test_aliases_make_no_file_larger_than_a_file_may_be() -> None:
    """A table that thousands of fields share would fill the memory."""
    table = ", ".join(f"k{number}: v" for number in range(900))
    text = HEAD + f"fields:\n  - &row {{ to: a, from: b, values: {{ {table} }} }}\n" + "  - *row\n" * 900

    assert problems(text) == [(1, "file", "is too large with its aliases filled in")]
    assert len(load(text.replace("  - *row\n", "")).fields) == 1


def test_an_error_in_what_a_field_takes_from_another_is_named_where_the_field_is() -> None:
    """By `<<`, which stands in the file once."""
    text = (
        HEAD + "fields:\n  - &row { from: asset_tag, direction: both, values: { a: b }, to: x }\n"
        "  - { <<: *row, to: y }\n"
    )

    assert [(line, at) for line, at, _ in problems(text)] == [
        (5, "fields/0/values"),
        (6, "fields/1/from"),
        (6, "fields/1/values"),
    ]


def test_a_file_with_errors_is_refused_with_all_of_them() -> None:
    """As any call is."""
    with pytest.raises(InvalidCall) as refused:
        load(HEAD + "fields: 5\nschedul: {}\n")

    assert [fault.at for fault in refused.value.faults] == ["line 4: fields", "line 5: schedul"]
    assert refused.value.faults[1].why == "schedul is not a key here; did you mean schedule?"


@pytest.mark.parametrize(
    ("row", "at"),
    [
        ('{ to: "a\\0b", from: model }', "fields/0/to"),
        ('{ to: a, from: model, values: { "a\\0": b } }', "fields/0/values/a\0"),
    ],
)
def test_a_label_with_a_nul_is_refused(row: str, at: str) -> None:
    """PostgreSQL keeps none: the sync would be saved, and each of its runs would break."""
    assert problems(f"{HEAD}fields:\n  - {row}\n") == [(5, at, "must not hold the sign NUL")]


def test_a_tag_with_a_nul_is_refused() -> None:
    """It is text as well."""
    assert [at for _, at, _ in problems(HEAD + 'create: { asset_tag: "K\\0{serial}" }\nfields: []\n')] == [
        "create/asset_tag"
    ]


def test_a_schedule_without_a_pause_is_refused() -> None:
    """One run would follow the other for ever."""
    text = HEAD + "fields: []\nschedule: { every: 59s, jitter: 0s }\n"

    assert problems(text) == [(5, "schedule/every", "must be 60s or more")]
    assert load(text.replace("59s", "60s")).schedule.every == timedelta(minutes=1)


def test_a_file_is_read_once() -> None:
    """Whoever shows or runs a sync asks for its mapping; what it says cannot be changed."""
    first = load(WHOLE)

    assert load(WHOLE) is first
    assert all(part.model_config["frozen"] for part in (first, first.fields[0], first.safety))


@pytest.mark.parametrize(("said", "read_as"), [("yes", "yes"), ("true", "yes"), ("no", "no"), ("ask", "ask")])
def test_a_bare_yes_is_a_yes(said: str, read_as: str) -> None:
    """Whatever version of YAML it was written for."""
    assert load(f"{HEAD}create: {{ assets: {said} }}\nfields: []\n").create.assets == read_as


LEAVES = some.none() | some.booleans() | some.integers() | some.sampled_from(["both", "name", "x[", "25%", "20m", "*"])
KEYS = some.sampled_from(["version", "fields", "to", "from", "direction", "transform", "values", "winner"])
TREES = some.recursive(LEAVES, lambda inner: some.lists(inner) | some.dictionaries(KEYS, inner), max_leaves=20)


@given(some.dictionaries(KEYS, TREES))
def test_no_file_breaks_the_reader(tree: Any) -> None:
    """Whatever stands where: it is a mapping, or it has problems with lines."""
    found = read(json.dumps(tree))

    assert isinstance(found, Mapping) or all(each.line >= 1 and each.why for each in found)


def test_lines_and_comments_are_kept() -> None:
    """For whoever writes the file anew."""
    assert parse("# why\na: 1 # because\n").ca.comment is not None
