"""Secrets are blotted out wherever words repeat them."""

import base64
import json
import re
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


SECRETS = ["0f1e2d3c-4b5a-6978", "t0k?en/~>>??\u00ff+=", "a b&c%d", "12345"]
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 without padding": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 for URLs without padding": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "of a path": quote,
    "of a query": lambda secret: quote(secret, safe=""),
    "of a form": quote_plus,
    "in JSON": lambda secret: json.dumps(secret)[1:-1],
    "in JSON with escaped slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "in HTML": escape,
    "with small letters": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_seen_in_every_form(secret: str, form: str) -> None:
    """SEC-4, SEC-7: in words of a service, in its JSON, and in a line of the log."""
    mask, words = Mask([secret]), f"x{FORMS[form](secret)}."

    assert mask(words) == "x[redacted]."
    assert mask.within({"a": [words]}) == {"a": ["x[redacted]."]}
    assert masked({"a": (words, 1)}) == {"a": ["x[redacted].", 1]}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u:", "me:", "who:"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_seen_amid_other_words_in_base64(
    secret: str, before: str, encode: Callable[[bytes], bytes]
) -> None:
    """SEC-7: such as the header of a user and a password; at most a sign on either side of it is left."""
    words = encode(f"{before}{secret}:x".encode()).decode()

    ahead, behind = Mask([secret])(words).split("[redacted]")

    assert len(ahead) <= len(before) * 8 // 6 + 1
    assert len(behind) <= len("Ong=") + 2


@given(secret=st.text(min_size=8), form=st.sampled_from(sorted(FORMS)), before=st.text(), after=st.text())
def test_no_words_around_a_secret_hide_it(secret: str, form: str, before: str, after: str) -> None:
    """SEC-4: whatever it is, and whatever stands beside it."""
    mask = Mask([secret])

    assert FORMS[form](secret) not in mask(before + FORMS[form](secret) + after).replace("[redacted]", "")
    del mask


def test_a_line_without_secrets_stays_as_it_is() -> None:
    """It is not even copied: each call writes one."""
    mask, event = Mask(["t0ken"]), {"event": "call", "milliseconds": 1.5, "tags": ("a", None)}

    assert masked(event) is event
    assert mask.shortest == len("t0ken")


def test_a_secret_is_forgotten_with_its_service() -> None:
    """A connection that was deleted leaves no trace in memory."""
    mask = Mask(["f0rgotten"])
    del mask

    assert masked("f0rgotten") == "f0rgotten"
