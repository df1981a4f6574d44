"""`upcard sync map`, as an operator uses it."""

import json
from pathlib import Path

from tests.connector.cli.sync.conftest import MAPPING, STUDIO, Fleet, Settled


async def test_a_mapping_is_extended(fleet: Fleet, tmp_path: Path) -> None:
    """Into a file, whose own lines stay; nothing is saved until it is."""
    file = tmp_path / "mapping.yaml"
    file.write_text(MAPPING + STUDIO + "# ours\n")
    own = file.read_text().splitlines()

    new = await fleet("map", "check")
    proposed = await fleet("map", "propose", "-o", str(file))
    still_new = await fleet("map", "check", "--json")
    saved = await fleet("map", "save", str(file))
    known = await fleet("map", "check")

    assert "property of the MDM: blueprint_name (text)\n" in new.stdout
    assert [each.exit_code for each in (new, proposed, still_new, saved, known)] == [2, 0, 2, 0, 0]
    assert [name for name in ("properties", "columns") if json.loads(still_new.stdout)[name]] == [
        "properties",
        "columns",
    ]
    assert [line for line in file.read_text().splitlines() if line in own] == own


async def test_a_proposal_is_printed(settled: Settled) -> None:
    """Without a file to write."""
    proposed = await settled.fleet("map", "propose")

    assert proposed.stdout.startswith("version: 1\n")
    assert "to: model, from: model" in proposed.stdout


async def test_all_errors_of_a_mapping_are_told_with_their_lines(settled: Settled, tmp_path: Path) -> None:
    """Exit status 2, and the mapping stays; so it does for a file that is not there."""
    file = tmp_path / "mapping.yaml"
    file.write_text(MAPPING.replace("version: 1", "version: 2").replace("direction: both,", "directon: both,"))

    refused, none = (
        await settled.fleet("map", "save", str(file)),
        await settled.fleet("map", "save", str(tmp_path / "none.yaml")),
    )
    shown = await settled.fleet("map", "show")

    assert (refused.exit_code, none.exit_code) == (2, 2)
    assert "  line 1: version: version must be one of: 1.\n" in refused.stderr
    assert (
        "  line 7: fields/1/directon: fields/1/directon is not a key here; did you mean direction?\n" in refused.stderr
    )
    assert "No such file" in none.stderr
    assert shown.stdout == MAPPING + STUDIO
