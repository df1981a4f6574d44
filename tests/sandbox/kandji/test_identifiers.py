"""Identifiers are computed from the index and back."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.kandji.facts.ids import Macs, Serials, Shuffle, Uuids

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(0, 2**40 - 1))
def test_a_uuid_leads_back_to_its_index(seed: int, index: int) -> None:
    """Any index survives the way to its UUID and back."""
    uuids = Uuids(seed, "device")

    assert uuids.index(uuids.of(index)) == index


@given(SEEDS, st.integers(0, 2**33))
def test_a_serial_number_leads_back_to_its_index(seed: int, index: int) -> None:
    """Any index survives the way to its serial number and back."""
    serials = Serials(seed)

    assert serials.index(serials.of(index)) == index


@given(SEEDS, st.integers(0, 2**24 - 1))
def test_a_network_address_leads_back_to_its_index(seed: int, index: int) -> None:
    """Any index survives the way to its MAC address and back."""
    macs = Macs(seed)

    assert macs.index(macs.of(index)) == index


@given(st.uuids(version=4))
def test_a_strange_uuid_means_nothing(strange: object) -> None:
    """A UUID that was not made here has no index."""
    assert Uuids(7, "device").index(str(strange)) is None


@given(st.text(max_size=40))
def test_strange_text_means_nothing(strange: str) -> None:
    """Whatever stands in the place of an id is answered, not raised."""
    assert Uuids(7, "device").index(strange) is None


def test_a_shuffle_is_a_permutation() -> None:
    """Every number below the bound comes exactly once."""
    shuffle = Shuffle("key", half=5)

    assert sorted(shuffle.forth(number) for number in range(1024)) == list(range(1024))


def test_kinds_of_things_do_not_share_ids() -> None:
    """The id of a device is not the id of a user."""
    assert Uuids(7, "user").index(Uuids(7, "device").of(3)) is None
