"""Assets are found by exact rules; what these leave open is held."""

import pytest

from connector.sdk.inventory import Asset, Device
from connector.sync.entities import Link
from connector.sync.plan.matching import match_devices, serial_of
from tests.connector.sync.things import asset, device, link


@pytest.mark.parametrize("serial", [None, "", " ", "N/A", "0", "000", "System Serial Number", "To be filled by O.E.M."])
def test_a_placeholder_is_no_serial_number(serial: str | None) -> None:
    """Else a hundred machines would be one."""
    assert serial_of(serial) is None


def test_a_serial_number_is_trimmed_and_upper_case() -> None:
    """People type it as they like."""
    found = match_devices([device(1, " c02x ")], [asset(1, "C02X")], [])

    assert [(pair.asset.sys_id, pair.link.matched_by, pair.is_new) for pair in found.pairs] == [("a1", "serial", True)]


def test_a_link_comes_before_a_serial_number() -> None:
    """It stays when the serial number was corrected."""
    found = match_devices([device(1, "NEW")], [asset(1, "OLD")], [link(1)])

    assert [(pair.asset.sys_id, pair.is_new) for pair in found.pairs] == [("a1", False)]


def test_a_device_nobody_knows_is_new() -> None:
    """And the asset nobody asks for is left alone."""
    found = match_devices([device(1)], [asset(2)], [])

    assert (found.new, found.pairs, found.holds) == ((device(1),), (), ())


@pytest.mark.parametrize(
    ("devices", "assets", "about"),
    [
        ([device(1, "S"), device(2, "s ")], [asset(1, "S")], ("d1", "d2", "a1")),
        ([device(1, "S")], [asset(1, "S"), asset(2, "S")], ("d1", "a1", "a2")),
    ],
)
@pytest.mark.parametrize("links", [[], [link(1)]])
def test_duplicates_are_held(
    devices: list[Device], assets: list[Asset], about: tuple[str, ...], links: list[Link]
) -> None:
    """All of them are listed and none is touched, linked or not."""
    found = match_devices(devices, assets, links)

    assert (found.pairs, found.new, found.gone) == ((), (), ())
    assert [(hold.kind, hold.about) for hold in found.holds] == [("duplicate_serial", about)]


@pytest.mark.parametrize(
    ("one", "others", "links", "kind"),
    [
        (device(1, None), [asset(1)], [], "no_serial"),
        (device(1), [], [link(1)], "asset_gone"),
        (device(1), [asset(1, archived=True)], [], "asset_archived"),
        (device(1), [asset(1, "OTHER"), asset(2, "S1")], [link(1)], "linked_elsewhere"),
    ],
)
def test_what_cannot_be_known_is_held(one: Device, others: list[Asset], links: list[Link], kind: str) -> None:
    """With what would help."""
    found = match_devices([one], others, links)

    assert (found.pairs, found.new) == ((), ())
    assert [hold.kind for hold in found.holds] == [kind]
    assert found.holds[0].todo


def test_an_archived_asset_is_not_written() -> None:
    """Unless the sync archived it, and the device is back."""
    away = asset(1, archived=True)

    assert [hold.kind for hold in match_devices([device(1)], [away], [link(1)]).holds] == ["asset_archived"]
    assert len(match_devices([device(1)], [away], [link(1, state="missing")]).pairs) == 1


def test_an_asset_of_another_device_is_held() -> None:
    """The other device is still there."""
    found = match_devices([device(2, "S1"), device(1, "OTHER")], [asset(1)], [link(1)])

    assert [pair.device.mdm_id for pair in found.pairs] == ["d1"]
    assert [(hold.kind, hold.about) for hold in found.holds] == [("linked_elsewhere", ("d2", "a1"))]


def test_a_device_enrolled_again_takes_its_link_along() -> None:
    """The link's id is the same, so what both sides agreed on is kept."""
    found = match_devices([device(9, "S1")], [asset(1)], [link(1)])

    assert [(pair.link.mdm_id, pair.link.id, pair.moved) for pair in found.pairs] == [("d9", "device/a1", link(1))]
    assert found.gone == ()


def test_a_device_that_is_not_there_is_gone() -> None:
    """One that is only out of scope is not."""
    assert match_devices([], [asset(1)], [link(1)]).gone == ((link(1), asset(1)),)
    assert match_devices([], [asset(1)], [link(1)], present=frozenset({"d1"})).gone == ()


def test_an_archived_asset_gives_way_to_one_in_use() -> None:
    """They are no duplicates."""
    found = match_devices([device(1)], [asset(1, archived=True), asset(2, "S1")], [])

    assert [pair.asset.sys_id for pair in found.pairs] == ["a2"]


def test_an_asset_tag_matches_only_where_it_is_asked_for() -> None:
    """And only an asset without a serial number of its own."""
    one, other = device(1, asset_tag="IT-1"), asset(7, None, tag="IT-1")

    assert match_devices([one], [other], []).new == (one,)
    found = match_devices([one], [other], [], rules=("link", "serial", "asset_tag"))
    assert [pair.link.matched_by for pair in found.pairs] == ["asset_tag"]


def test_an_asset_with_the_tag_of_several_devices_is_nobodys() -> None:
    """Each is held, and none is guessed."""
    some = [device(1, asset_tag="IT-1"), device(2, asset_tag="IT-1")]
    found = match_devices(some, [asset(7, None, tag="IT-1")], [], rules=("link", "serial", "asset_tag"))

    assert (found.pairs, found.new) == ((), ())
    assert [(hold.kind, hold.about) for hold in found.holds] == [
        ("duplicate_tag", ("d1", "a7")),
        ("duplicate_tag", ("d2", "a7")),
    ]
