"""Any JSON value there is, for properties; and values that look like what callers mean."""

from typing import Any

from hypothesis import strategies as st

NUMBERS = st.integers() | st.floats()
WORDS = st.text() | st.from_regex(r"\s*-?[0-9]{1,9}(\.[0-9]{0,9})?\s*") | st.sampled_from(["true", " FALSE ", "", "  "])
MOMENTS = st.datetimes().map(str) | st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-9:.]{0,15}(Z|[+-][0-9:]{2,5})?")
SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | NUMBERS | WORDS | MOMENTS

JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def objects(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that often have these keys."""
    names = st.sampled_from(keys) | st.text(max_size=8)
    return st.dictionaries(names, JSON, max_size=6)
