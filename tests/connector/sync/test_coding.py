"""What the store keeps of a plan comes back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from connector.sync.entities import Base, Link
from connector.sync.store.coding import Agreed, agreed_read, agreed_written

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
BASES = st.lists(st.builds(Base, TEXTS, TEXTS, VALUES, VALUES), max_size=5)
LINKS = st.lists(st.builds(Link, st.sampled_from(("device", "user")), TEXTS, TEXTS, absent=st.integers(0, 9)))
COUNTS = st.none() | st.integers(0, 10**6)


@given(BASES, LINKS, COUNTS, COUNTS)
def test_what_was_agreed(bases: list[Base], links: list[Link], devices: int | None, assets: int | None) -> None:
    """As often as it is gone through: the bases are unpacked anew."""
    agreed = agreed_read(agreed_written(Agreed(bases, tuple(links), devices, assets)))

    assert (agreed.links, agreed.devices, agreed.assets) == (tuple(links), devices, assets)
    assert [repr(base) for base in agreed.bases] == [repr(base) for base in agreed.bases] == [repr(b) for b in bases]
