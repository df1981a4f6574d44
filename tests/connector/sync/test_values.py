"""Values are compared in one form, however a service writes them."""

from typing import Any

import pytest

from connector.sdk.inventory import Kind, Value
from connector.sync.mapping.values import cut, looked_up, normal, steps, transformed, walk


@pytest.mark.parametrize(
    ("given", "kind", "found"),
    [
        ("  Nora&#039;s Mac ", "text", "Nora's Mac"),
        ("R&amp;D &#x27;9&#39;", "text", "R&D '9'"),
        ("Sales&notes &lt &notit; &none;", "text", "Sales&notes &lt &notit; &none;"),
        ("&#" + "9" * 5000 + ";", "text", "&#" + "9" * 5000 + ";"),
        ("   ", "text", None),
        ([], "text", None),
        ({"email": "x"}, "text", None),
        (15, "text", "15"),
        (15.0, "text", "15"),
        (True, "text", "true"),
        (["b", "a", " a"], "text", ("a", "b")),
        ("16.0", "number", 16),
        ("about 16", "number", "about 16"),
        ("89014103211118510720", "number", "89014103211118510720"),
        (1e300, "number", f"{int(1e300)}"),
        ("Yes", "boolean", True),
        (0, "boolean", False),
        ("2026-02-03 10:15:00.123456+01:00", "date", "2026-02-03T09:15:00Z"),
        ("2025-09-01 08:00:01 +0000", "date", "2025-09-01T08:00:01Z"),
        ("2026-01-15 14:11:37", "date", "2026-01-15T14:11:37Z"),
        ("2026-01-15", "date", "2026-01-15"),
        ("soon", "date", "soon"),
        ("0001-01-01T00:00:00+01:00", "date", "0001-01-01T00:00:00+01:00"),
        ("9999-12-31T23:59:59-01:00", "date", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_a_value_has_one_form(given: Any, kind: Kind, found: Value) -> None:
    """Trimmed, unescaped, in UTC; what is not of its kind stays as it is."""
    assert normal(given, kind) == found


@pytest.mark.parametrize(
    ("value", "names", "found"),
    [
        ("a4-83-e7-00-00-01", ("mac_colons",), "A4:83:E7:00:00:01"),
        ("A4:83:E7:00:00:01", ("mac_plain", "lower"), "a483e7000001"),
        ("no address", ("mac_colons",), "no address"),
        ("460.43 GB", ("size_gb",), "460"),
        ("1.5 TB", ("size_gb",), "1500"),
        ("1,000 GB", ("size_gb",), "1000"),
        (".5 TB", ("size_gb",), "500"),
        ("full", ("size_gb",), "full"),
        ("1.2.3 GB", ("size_gb",), "1.2.3 GB"),
        ("9" * 400, ("size_gb",), "9" * 400),
        ("2026-02-03T09:15:00Z", ("date",), "2026-02-03"),
        ("true", ("yes_no",), "Yes"),
        (("a", "b"), ("join", "upper"), "A, B"),
        (None, ("upper",), None),
    ],
)
def test_transforms_are_made_in_their_order(value: Value, names: tuple[str, ...], found: Value) -> None:
    """What a transform does not understand it leaves alone."""
    assert transformed(value, names) == found


def test_a_value_table_has_an_entry_for_all_others() -> None:
    """And without it, a value that is not in it stays."""
    assert looked_up("Mac", {"Mac": "Laptops", "*": "Mobile"}) == "Laptops"
    assert looked_up("iPad", {"Mac": "Laptops", "*": "Mobile"}) == "Mobile"
    assert looked_up("iPad", {"Mac": "Laptops"}) == "iPad"
    assert looked_up(None, {"*": "Mobile"}) is None


def test_a_path_leads_through_keys_and_places() -> None:
    """What is not there is nothing, never an error."""
    record = {"details": {"volumes": [{"capacity": "1 GB"}]}}

    assert walk(record, steps("details.volumes[0].capacity")) == "1 GB"
    assert walk(record, steps("details.volumes[1].capacity")) is None
    assert walk(record, steps("details.volumes.capacity")) is None


def test_text_is_cut_as_its_field_keeps_it() -> None:
    """A blank at the new end goes as well."""
    assert cut("long name", 5) == "long"
    assert cut("short", 5) == "short"
    assert cut(123456, 5) == 123456
