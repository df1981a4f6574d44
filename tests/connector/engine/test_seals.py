"""Secrets at rest: sealed to their place, opened by the right key only, in files that only their owner reads."""

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.engine.seals import Broken, NoKeys, Seals, generate, load, write_private

KEYS = {"k1": b"1" * 32, "k2": b"2" * 32}
HERE, THERE = "connections/acme/fields", "connections/other/fields"


def written(kid: str, key: bytes = b"1" * 32) -> str:
    return f"{kid}:{base64.b64encode(key).decode()}"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_is_opened_again(text: str, place: str) -> None:
    """SEC-1: any text, at its own place."""
    seals = Seals(KEYS)

    assert seals.open(seals.seal(text, place), place) == text


def test_a_sealed_text_says_its_key_and_nothing_else() -> None:
    """SEC-1: a new nonce every time, so that equal secrets do not look equal."""
    seals = Seals(KEYS)
    one, other = seals.seal("s3cret", HERE), seals.seal("s3cret", HERE)

    assert one.startswith("k1.")
    assert one != other
    assert len(base64.b64decode(one.partition(".")[2])) == 12 + len("s3cret") + 16
    assert "s3cret" not in one


def test_a_secret_moved_to_another_place_is_broken() -> None:
    """SEC-1: swapping two rows' ciphertexts is an error."""
    seals = Seals(KEYS)

    with pytest.raises(Broken, match=f"^The secret at {THERE} cannot be opened with the keys at hand.$"):
        seals.open(seals.seal("s3cret", HERE), THERE)


@pytest.mark.parametrize("bit", range(0, 8 * (12 + 6 + 16), 5))
def test_a_flipped_bit_breaks_a_secret(bit: int) -> None:
    """SEC-1: in the nonce, the ciphertext or the tag, it is an error and never garbage."""
    kid, _, packed = Seals(KEYS).seal("s3cret", HERE).partition(".")
    raw = bytearray(base64.b64decode(packed))
    raw[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Broken):
        Seals(KEYS).open(f"{kid}.{base64.b64encode(raw).decode()}", HERE)


@pytest.mark.parametrize("kid", ["k2", "k3", "", "K1"])
def test_a_wrong_key_id_breaks_a_secret(kid: str) -> None:
    """SEC-1: the key's id is bound as well."""
    packed = Seals(KEYS).seal("s3cret", HERE).partition(".")[2]

    with pytest.raises(Broken):
        Seals(KEYS).open(f"{kid}.{packed}", HERE)


def test_two_keys_of_one_id_do_not_open_each_other() -> None:
    """SEC-1: the right name with the wrong key."""
    with pytest.raises(Broken):
        Seals({"k1": b"9" * 32}).open(Seals(KEYS).seal("s3cret", HERE), HERE)


@pytest.mark.parametrize("sealed", ["", "k3.", "k1", "k1.", "k1.abc", "k1.YWJj", "k1.AAAA\u00e9"])
def test_a_cut_secret_is_broken(sealed: str) -> None:
    """SEC-1: whatever became of a row, the error says which place it is."""
    with pytest.raises(Broken):
        Seals(KEYS).open(sealed, HERE)


@pytest.mark.parametrize("length", range(12 + 6 + 16))
def test_a_secret_cut_anywhere_is_broken(length: int) -> None:
    """SEC-1: truncated, also where not even the nonce is whole."""
    whole = Seals(KEYS).seal_bytes(b"s3cret", HERE)

    with pytest.raises(Broken):
        Seals(KEYS).open_bytes(whole[: len("k1.") + length], HERE)


@pytest.mark.parametrize("begins", [b"", b"k1."])
@given(raw=st.binary(max_size=80), place=st.text(st.characters(codec="utf-8")))
def test_nothing_is_made_of_garbage(begins: bytes, raw: bytes, place: str) -> None:
    """SEC-1: neither of bytes nor of text, whether or not they begin with a key's ID."""
    garbage = begins + raw

    with pytest.raises(Broken):
        Seals(KEYS).open_bytes(garbage, place)
    with pytest.raises(Broken):
        Seals(KEYS).open(garbage.decode("latin-1"), place)


CHANGES: dict[str, Callable[[bytes, int], bytes]] = {
    "a flipped bit": lambda sealed, at: (
        sealed[: at // 8] + bytes([sealed[at // 8] ^ 1 << at % 8]) + sealed[at // 8 + 1 :]
    ),
    "a byte left out": lambda sealed, at: sealed[: at // 8] + sealed[at // 8 + 1 :],
    "a byte put in": lambda sealed, at: sealed[: at // 8] + b"\0" + sealed[at // 8 :],
    "cut": lambda sealed, at: sealed[: at // 8],
    "another key": lambda sealed, _: b"k2" + sealed[2:],
}


@given(plain=st.binary(max_size=40), change=st.sampled_from(sorted(CHANGES)), data=st.data())
def test_whatever_is_changed_breaks_a_secret(plain: bytes, change: str, data: st.DataObject) -> None:
    """SEC-1: of any secret, at any place of its sealed form, the ID of its key included."""
    sealed = Seals(KEYS).seal_bytes(plain, HERE)
    changed = CHANGES[change](sealed, data.draw(st.integers(0, 8 * len(sealed) - 1)))

    with pytest.raises(Broken):
        Seals(KEYS).open_bytes(changed, HERE)


@given(one=st.text(st.characters(codec="utf-8")), other=st.text(st.characters(codec="utf-8")))
def test_a_secret_is_opened_at_its_own_place_only(one: str, other: str) -> None:
    """SEC-1: swapped rows, another column of the same row, another table: any other place."""
    assume(one != other)
    seals = Seals(KEYS)

    with pytest.raises(Broken):
        seals.open(seals.seal("s3cret", one), other)


@pytest.mark.parametrize("kid", ["k1", "k2", "a", "ab"])
@pytest.mark.parametrize("place", [THERE, "connections/acme/policy", "flows/acme/target", "", "k1", "1|" + HERE])
def test_no_two_keys_and_places_are_bound_alike(kid: str, place: str) -> None:
    """SEC-1: the same key under another ID does not open what was sealed for another place."""
    sealed = Seals({kid: KEYS["k1"]}).seal_bytes(b"s3cret", HERE)

    with pytest.raises(Broken):
        Seals({"k": KEYS["k1"]}).open_bytes(b"k" + sealed[len(kid) :], place)


def test_a_secret_is_sealed_again_with_the_first_key() -> None:
    """SEC-2: text stays text, and bytes stay bytes."""
    old, both = Seals({"k1": KEYS["k1"]}), Seals({"k2": KEYS["k2"], "k1": KEYS["k1"]})

    text, raw = both.again(old.seal("s3cret", HERE), HERE), both.again(old.seal_bytes(b"s3cret", HERE), HERE)

    assert (text[:3], raw[:3]) == ("k2.", b"k2.")
    assert (both.open(text, HERE), both.open_bytes(raw, HERE)) == ("s3cret", b"s3cret")


def test_every_key_opens_and_the_first_one_seals() -> None:
    """SEC-2: a key is replaced by putting the new one before the old one."""
    old = Seals({"k1": KEYS["k1"]}).seal("s3cret", HERE)
    both = Seals({"k2": KEYS["k2"], "k1": KEYS["k1"]})

    assert both.open(old, HERE) == "s3cret"
    assert both.seal("s3cret", HERE).startswith("k2.")


def test_keys_are_a_list_in_the_setting(tmp_path: Path) -> None:
    """SEC-2: `kid:base64,kid:base64`, blanks around them are no matter."""
    seals = load(f" {written('new', b'2' * 32)} , {written('old')} ,", tmp_path)

    assert seals.seal("x", HERE).startswith("new.")
    assert seals.open(Seals({"old": b"1" * 32}).seal("x", HERE), HERE) == "x"


def test_keys_are_a_file_of_lines(tmp_path: Path) -> None:
    """SEC-2: the setting names it."""
    write_private(tmp_path / "keys", f"{written('new', b'2' * 32)}\n{written('old')}\n")

    assert load(str(tmp_path / "keys"), tmp_path).seal("x", HERE).startswith("new.")


def test_keys_are_found_in_the_data_folder(tmp_path: Path) -> None:
    """Where the setting is empty."""
    write_private(tmp_path / "secret-keys", written("k7"))

    assert load("", tmp_path).seal("x", HERE).startswith("k7.")


@pytest.mark.parametrize("setting", ["", "nowhere", "/no/such/file"])
def test_without_keys_nothing_starts(setting: str, tmp_path: Path) -> None:
    """SEC-2: no key is made by itself; the error says what to set."""
    with pytest.raises(NoKeys, match="set UPCARD_SECRET_KEYS"):
        load(setting, tmp_path)


@pytest.mark.parametrize(
    "setting",
    [
        "k1:", ":", "k1:c2hvcnQ=", f"k1:{base64.b64encode(b'1' * 33).decode()}", "k1:not base64!", written("k 1"),
        written("k.1"), written(""), f"{written('k1')},k2", f"{written('k1')},k2:s3cret",
    ],
)  # fmt: skip
def test_keys_that_cannot_be_read_are_told(setting: str, tmp_path: Path) -> None:
    """SEC-2: an ID of letters and digits and 32 bytes each; the keys are not repeated."""
    with pytest.raises(NoKeys) as raised:
        load(setting, tmp_path)

    assert str(raised.value) == "UPCARD_SECRET_KEYS must be kid:base64 entries of 32 bytes each."


def test_two_keys_of_one_id_are_refused(tmp_path: Path) -> None:
    """SEC-2: one of them would never be used, and what it has sealed would be lost."""
    with pytest.raises(NoKeys, match="more than one key with the ID k1: each"):
        load(f"{written('k1')},{written('k2')},{written('k1', b'2' * 32)}", tmp_path)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o644, 0o620, 0o777])
def test_keys_that_others_can_reach_are_refused(tmp_path: Path, bits: int) -> None:
    """SEC-8: the error says which file it is, and what to do."""
    write_private(tmp_path / "keys", written("k1"))
    (tmp_path / "keys").chmod(bits)

    with pytest.raises(NoKeys, match=f"^Others can read the keys in {tmp_path}/keys: run chmod 600"):
        load(str(tmp_path / "keys"), tmp_path)


def test_a_mount_of_secrets_keeps_its_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-8: what Docker and Kubernetes mount is read-only, and its modes are theirs."""
    (tmp_path / "keys").write_text(written("k1"))
    (tmp_path / "keys").chmod(0o444)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY | os.ST_NOSUID))

    assert load(str(tmp_path / "keys"), tmp_path).kids == ("k1",)


def test_a_list_of_many_keys_is_read(tmp_path: Path) -> None:
    """SEC-2: rotation adds keys; there is no most of them."""
    seals = load(",".join(written(f"k{number}") for number in range(7)), tmp_path)

    assert seals.seal("x", HERE).startswith("k0.")


def test_a_key_is_made_to_try_things_out(tmp_path: Path) -> None:
    """SEC-8: once, in a file that only its owner can read, in a folder that only its owner can enter."""
    folder = tmp_path / "data"
    generate(folder)
    first = (folder / "secret-keys").read_text()
    generate(folder)

    assert (folder / "secret-keys").read_text() == first
    assert (mode(folder / "secret-keys"), mode(folder)) == (0o600, 0o700)
    assert load("", folder).seal("x", HERE).startswith("k1.")


def test_a_private_file_is_private_from_the_start(tmp_path: Path) -> None:
    """SEC-8: folders on the way as well."""
    write_private(tmp_path / "data" / "key", "s3cret\n")

    assert (tmp_path / "data" / "key").read_text() == "s3cret\n"
    assert (mode(tmp_path / "data" / "key"), mode(tmp_path / "data")) == (0o600, 0o700)


def test_a_file_that_others_can_read_becomes_private(tmp_path: Path) -> None:
    """SEC-8: a secret is not written into a file that was left open."""
    (tmp_path / "key").write_text("")
    (tmp_path / "key").chmod(0o644)

    write_private(tmp_path / "key", "s3cret\n")

    assert mode(tmp_path / "key") == 0o600
