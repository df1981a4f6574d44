"""A mapping file is proposed with reasons, and what people wrote in it stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connector.sdk.errors import InvalidCall
from connector.sdk.inventory import Named
from connector.sync.mapping.mapping_file import load
from connector.sync.mapping.propose import check, guess, propose

HEAD = "version: 1\nmdm: { kind: kandji }\nassets: { kind: file }\n"
PROPERTIES = [
    *(Named(name) for name in ("serial_number", "asset_tag", "device_name", "os_version", "blueprint_id")),
    *(Named("last_check_in", "date"), Named("mdm_enabled", "boolean"), Named("details.volumes[0].name")),
    *(Named("details.network.mac_address"), Named("details.volumes[0].capacity")),
]
COLUMNS = [
    *(Named(name) for name in ("serial", "tag", "name", "OS Version", "MAC", "Storage", "Notes", "blueprint_id")),
    *(Named("Last Seen", "date"), Named("MDM enabled", "number")),
]
PROPOSED = f"""{HEAD}fields:
  - {{ to: tag, from: asset_tag, direction: mdm_to_asset }}  # a synonym
  - {{ to: blueprint_id, from: blueprint_id, direction: mdm_to_asset }}  # the same key
  - {{ to: MAC, from: details.network.mac_address, direction: mdm_to_asset, transform: [mac_colons] }}  # a synonym
  - {{ to: Storage, from: "details.volumes[0].capacity", direction: mdm_to_asset, transform: [size_gb] }}  # a synonym
  - {{ to: name, from: device_name, direction: mdm_to_asset }}  # a synonym
  - {{ to: "Last Seen", from: last_check_in, direction: mdm_to_asset, type: date }}  # a synonym
  - {{ to: "OS Version", from: os_version, direction: mdm_to_asset }}  # the same name
  - {{ to: serial, from: serial_number, direction: mdm_to_asset, key: true }}  # a synonym
  - {{ from: mdm_enabled, skip: true }}  # unsure: nearest is "MDM enabled", the same name, but boolean is not number
  - {{ from: "details.volumes[0].name", skip: true }}  # unsure: nearest is name, a similar name (0.53)
  - {{ to: "MDM enabled", skip: true }}  # no property is surely this
  - {{ to: Notes, skip: true }}  # no property is surely this
"""
EDITED = f"""# ours
{HEAD}fields:
    # the name stays as IT gave it
    - {{ to: "OS Version",   from: device_name }}   # on purpose
    - from: os_version
      skip: true

# when devices leave
missing: {{ after_runs: 5 }}
"""


def test_a_file_is_proposed_with_reasons() -> None:
    """Sure guesses first; what is unsure is skipped and says what is nearest."""
    assert propose(f"{HEAD}fields: []\n", PROPERTIES, COLUMNS) == PROPOSED


def test_what_is_proposed_is_a_valid_file_that_knows_everything() -> None:
    """So a second proposal adds nothing."""
    assert len(load(PROPOSED).mapped) == 8
    assert propose(PROPOSED, PROPERTIES, COLUMNS) == PROPOSED
    assert check(PROPOSED, PROPERTIES, COLUMNS).properties == ()


def test_lines_that_are_there_stay_to_the_letter() -> None:
    """With their comments and blanks; what is new comes after them, in their manner."""
    found = propose(EDITED, [*PROPERTIES[2:4], Named("asset_tag")], [Named("OS Version"), Named("tag")])

    new = "    - { to: tag, from: asset_tag, direction: mdm_to_asset }  # a synonym\n"
    assert found == EDITED.replace("      skip: true\n", f"      skip: true\n{new}")
    assert load(found).missing.after_runs == 5


def test_what_is_new_on_either_side_is_found() -> None:
    """By its name; what is skipped is known."""
    found = check(EDITED, [Named("os_version"), Named("model")], [Named("OS Version"), Named("Colour")])

    assert (found.properties, found.columns) == ((Named("model"),), (Named("Colour"),))


def test_a_list_in_one_line_is_not_taken_apart() -> None:
    """It would have to be written anew."""
    with pytest.raises(InvalidCall, match="one line for each field"):
        propose(f"{HEAD}fields: [{{ from: a, skip: true }}]\n", PROPERTIES, COLUMNS)


def test_a_name_within_something_is_not_a_name() -> None:
    """The name of a volume is not the device's."""
    assert guess(Named("details.volumes[0].name"), Named("name")).score < 0.75
    assert guess(Named("device_name"), Named("Name")).score > 0.75


LABELS = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(some.lists(LABELS, unique=True, max_size=8))
def test_any_label_is_written_so_that_it_is_read_again(labels: list[str]) -> None:
    """Quotes, colons, a bare yes."""
    found = load(propose(f"{HEAD}fields: []\n", [Named("os_version")], [Named(label) for label in labels]))

    assert {row.to for row in found.fields if row.to} == set(labels)


def test_a_label_that_no_file_can_say_is_left_out() -> None:
    """A file with a NUL is refused."""
    found = propose(f"{HEAD}fields: []\n", [], [Named("a\0b"), Named("c")])

    assert [row.to for row in load(found).fields] == ["c"]
