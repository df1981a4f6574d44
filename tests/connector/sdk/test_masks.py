"""Secrets are blotted out wherever words repeat them."""

from connector.sdk.masks import Mask, masked

KEY = "kc_live_0123456789abcdef_" + "a-B" * 14 + "c"


def test_the_longer_secret_is_hidden_first() -> None:
    """One that begins with another is hidden whole."""
    assert Mask(["t0ken", "t0ken-and-more"])("a t0ken-and-more, a t0ken") == "a [redacted], a [redacted]"


def test_what_is_too_short_is_no_secret() -> None:
    """It would blot out half of every word."""
    assert Mask(["", "e"])("every one") == "every one"


def test_every_part_of_an_event_is_masked() -> None:
    """SEC-4: however deep it is; what is no text stays as it is."""
    mask = Mask(["t0ken"])

    assert masked({"a": [("x t0ken",), 1, None], "b": {"c": f"<{KEY}>"}}) == {
        "a": [["x [redacted]"], 1, None],
        "b": {"c": "<[redacted]>"},
    }
    assert mask("t0ken") == "[redacted]"


def test_a_secret_is_forgotten_with_its_service() -> None:
    """A connection that was deleted leaves no trace in memory."""
    mask = Mask(["f0rgotten"])
    del mask

    assert masked("f0rgotten") == "f0rgotten"
