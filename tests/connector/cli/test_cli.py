"""The command line, as a person uses it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.catalog.find import catalog
from connector.catalog.publish import BEGIN, END
from connector.cli import app, up
from connector.engine.settings import Settings

ROOT = Path(__file__).parents[3]
run = CliRunner().invoke


def test_help_does_not_import_the_server() -> None:
    """`upcard --help` is quick: neither FastAPI nor SQLAlchemy is loaded."""
    script = (
        "import sys, connector.cli.app; print([m for m in ('fastapi', 'sqlalchemy', 'uvicorn') if m in sys.modules])"
    )

    printed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


def test_cards_are_found_by_the_words_people_say() -> None:
    """A search reads titles, descriptions, labels and keywords."""
    found = run(app, ["cards", "list", "wipe", "--json"])

    assert [card["key"] for card in json.loads(found.stdout)] == ["kandji.erase_device"]


@pytest.mark.parametrize("terminal", [{}, {"FORCE_COLOR": "1", "COLUMNS": "60"}], ids=["pipe", "terminal"])
def test_keys_are_never_cut(terminal: dict[str, str]) -> None:
    """They are typed again, and searched for in pipes."""
    listed = run(app, ["cards", "list"], env=terminal)
    shown = run(app, ["cards", "show", "kandji.get_activation_lock_bypass_codes"], env=terminal)

    assert {word for word in listed.stdout.split() if "." in word} >= set(catalog().cards)
    assert "device_based_code" in shown.stdout.split()


def test_a_line_of_a_pipe_is_a_card() -> None:
    """Whole, however long it is."""
    listed = run(app, ["cards", "list"]).stdout.splitlines()

    assert len(listed) == len(catalog().cards) + 1


@pytest.mark.parametrize(("options", "port"), [([], 9001), (["--port", "9002"], 9002)])
def test_up_takes_the_port_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], port: int
) -> None:
    """As every other command does; an option comes first."""
    monkeypatch.chdir(tmp_path)
    ports: list[int] = []

    async def noted(settings: Settings, *_: object, **__: object) -> int:
        ports.append(settings.port)
        return 0

    monkeypatch.setattr(up, "_up", noted)

    run(app, ["up", *options], env={"UPCARD_PORT": "9001"})

    assert ports == [port]


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "http://127.0.0.1:9"), ("::1", "http://[::1]:9")])
def test_the_host_is_called_where_it_listens(host: str, address: str) -> None:
    """Both families of addresses."""
    assert Settings(host=host, port=9).address == address


def test_a_card_is_shown_with_its_tables() -> None:
    """Options, inputs and outputs, with what is required."""
    shown = run(app, ["cards", "show", "kandji.get_device"])

    assert "basic | full" in shown.stdout
    assert "required" in shown.stdout


def test_a_card_that_is_not_there_is_a_usage_error() -> None:
    """Exit status 2, and where to look."""
    shown = run(app, ["cards", "show", "kandji.nothing"])

    assert shown.exit_code == 2
    assert "upcard cards list" in shown.output


def test_published_files_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """`upcard publish --check` finds nothing to do in the project."""
    monkeypatch.chdir(ROOT)

    checked = run(app, ["publish", "--check"])

    assert (checked.exit_code, checked.stdout) == (0, "")


def test_publishing_says_what_it_removes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of a card that is gone is not one that was written."""
    (tmp_path / "README.md").write_text(f"{BEGIN}{END}")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/gone.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    told = run(app, ["publish"]).stdout.splitlines()

    assert "removed schemas/gone.json" in told
    assert "wrote schemas/index.json" in told


def test_a_new_card_is_never_written_over_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that is there stays as it is."""
    (tmp_path / "cards/kandji").mkdir(parents=True)
    (tmp_path / "cards/kandji/_client.py").write_text("class Kandji(Client[Tenant]): ...\n")
    monkeypatch.chdir(tmp_path)
    first = run(app, ["new", "card", "kandji.find_device"])

    second = run(app, ["new", "card", "kandji.find_device"])

    assert (first.exit_code, second.exit_code) == (0, 2)
    assert "there already" in second.output


def test_without_a_host_run_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens: exit status 1 and one plain sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPCARD_PORT", "1")

    done = run(app, ["run", "kandji.get_device"])

    assert done.exit_code == 1
    assert "upcard up" in done.output


@pytest.mark.slow
def test_up_once_shows_that_its_figures_agree(tmp_path: Path) -> None:
    """What the receiver of the stream saw is what the run says, and after the sync there is nothing left to do."""
    began = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", "up", "--once", "--devices", "640", "--port", "18700"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "640 delivered" in done.stdout
    assert "640 distinct at the flow" in done.stdout
    assert "Sync         130 of 130 lines done" in done.stdout
    assert "planned again: 0 to do, 1 waiting, 2 held" in done.stdout
    assert time.monotonic() - began < 30
