"""What an operator can set, from where, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from connector.engine.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL", "HOST", "PORT", "SECRET_KEYS", "UNREGISTERED_FLOWS"):
        monkeypatch.delenv(f"UPCARD_{name}", raising=False)
    return tmp_path


def test_defaults_are_careful(folder: Path) -> None:
    """SC-5: the loopback address only, nothing allowed besides public addresses, calls limited."""
    settings = Settings()

    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8700, Path(".upcard"))
    assert (settings.allow_receivers, settings.allow_services, settings.secret_keys) == ("", "", "")
    assert (settings.unregistered_flows, settings.retention_days) == (False, 30)
    assert settings.calls_per_second == 200


def test_the_environment_sets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `UPCARD_` and the name."""
    monkeypatch.setenv("UPCARD_PORT", "9000")
    monkeypatch.setenv("UPCARD_UNREGISTERED_FLOWS", "true")

    assert (Settings().port, Settings().unregistered_flows) == (9000, True)


def test_a_file_sets(folder: Path) -> None:
    """`upcard.toml` in the working folder."""
    (folder / "upcard.toml").write_text('port = 9000\ndata_dir = "there"\n')

    assert (Settings().port, Settings().data_dir) == (9000, Path("there"))


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is given in code over both."""
    (folder / "upcard.toml").write_text("port = 9000\n")
    monkeypatch.setenv("UPCARD_PORT", "9001")

    assert Settings().port == 9001
    assert Settings(port=9002).port == 9002


def test_a_dotenv_file_is_not_read(folder: Path) -> None:
    """Whoever can put a file into a folder does not set the host's keys."""
    (folder / ".env").write_text("UPCARD_PORT=9000\n")

    assert Settings().port == 8700


def test_a_misspelt_setting_of_the_file_is_refused(folder: Path) -> None:
    """SC-5: a slip does not leave a default in place."""
    (folder / "upcard.toml").write_text("prot = 9000\n")

    with pytest.raises(ValidationError, match="prot"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("PORT", "65536"), ("PORT", "x"), ("RETENTION_DAYS", "0"), ("RETRY_PAUSES", "2;10")],
)
def test_a_wrong_setting_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """By its name."""
    monkeypatch.setenv(f"UPCARD_{name}", value)

    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("url", "store"), [("", "sqlite:///there/upcard.db"), ("postgresql://a@b/c", "postgresql://a@b/c")]
)
def test_the_store_is_a_file_unless_a_database_is_set(folder: Path, url: str, store: str) -> None:
    """In the data folder."""
    assert Settings(data_dir=Path("there"), database_url=url).store_url == store


def test_settings_do_not_change(folder: Path) -> None:
    """What a host was started with is what it runs with."""
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]  # mypy knows it as well
