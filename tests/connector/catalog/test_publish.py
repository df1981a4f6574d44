"""Published files are written, never edited: what is stale or too many is found and put right."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.catalog.find import catalog
from connector.catalog.publish import BEGIN, END, files, index, publish, readme, stale_files, text
from connector.rest.openapi import openapi
from connector.sync.mapping.mapping import published

ROOT = Path(__file__).parents[3]
CARDS = catalog().cards

Project = Callable[[], Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """`project()`: a folder whose published files are current."""

    def make() -> Path:
        (tmp_path / "README.md").write_text(f"# Upcard\n\n{BEGIN}\n{END}\n\nMore.\n")
        publish(tmp_path, openapi())
        return tmp_path

    return make


def test_the_committed_files_are_current() -> None:
    """`upcard publish --check`, for everything that is committed."""
    assert stale_files(ROOT, openapi(), published()) == []


def test_every_card_has_its_file(project: Project) -> None:
    """Beside the index, the OpenAPI document and the README."""
    root = project()

    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    schemas = {f"schemas/{card.connector}/{card.name}.json" for card in CARDS.values()}
    assert found == {*schemas, "schemas/index.json", "openapi.json", "README.md"}


def test_publishing_again_changes_nothing(project: Project) -> None:
    """What is current is left alone."""
    root = project()

    assert stale_files(root, openapi()) == []
    assert publish(root, openapi()) == []


@pytest.mark.parametrize("path", ["schemas/kandji/lock_device.json", "schemas/index.json", "openapi.json", "README.md"])
def test_a_stale_file_is_found_and_written(project: Project, path: str) -> None:
    """And only that one."""
    root = project()
    before = (root / path).read_text()
    (root / path).write_text(before.replace("Lock Device", "Lock It"))

    assert stale_files(root, openapi()) == [path]
    assert publish(root, openapi()) == [path]
    assert (root / path).read_text() == before


def test_a_missing_file_is_found_and_written(project: Project) -> None:
    """With the folders on its way."""
    root = project()
    (root / "openapi.json").unlink()

    assert publish(root, openapi()) == ["openapi.json"]
    assert (root / "openapi.json").exists()


@pytest.mark.parametrize("path", ["schemas/kandji/gone.json", "schemas/gone/card.json"])
def test_the_file_of_a_card_that_is_gone_is_removed(project: Project, path: str) -> None:
    """Nobody finds a card that is not there any more."""
    root = project()
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text("{}")

    assert stale_files(root, openapi()) == [path]
    assert publish(root, openapi()) == [path]
    assert not (root / path).exists()


def test_json_is_written_for_diffs() -> None:
    """Sorted keys, two spaces, a newline at the end."""
    assert (
        text({"b": 1, "a": {"d": "\u00e9", "c": []}})
        == '{\n  "a": {\n    "c": [],\n    "d": "\u00e9"\n  },\n  "b": 1\n}\n'
    )
    assert all(content.endswith("}\n") and json.loads(content) for content in files(openapi()).values())


def test_the_index_leads_to_every_card() -> None:
    """By the place of its file."""
    assert [entry["key"] for entry in index()["cards"]] == list(CARDS)
    assert all((ROOT / "schemas" / entry["schema"]).exists() for entry in index()["cards"])


def test_the_readme_keeps_what_is_around_its_table() -> None:
    """One row a card; a table that is there is replaced."""
    once = readme(f"# Before\n{BEGIN}\nold rows\n{END}\nAfter\n")

    assert once.startswith(f"# Before\n{BEGIN}\n\n| card |")
    assert once.endswith(f"\n{END}\nAfter\n")
    assert "old rows" not in once
    assert len([line for line in once.splitlines() if line.startswith("| `")]) == len(CARDS)
    assert readme(once) == once


def test_no_card_breaks_the_table() -> None:
    """Each row has its four cells, whatever the words of a card."""
    rows = [line for line in readme("").splitlines() if line.startswith("| `")]

    assert {line.count("|") for line in rows} == {5}
