"""Callers' keys: shown once, kept as a hash, recognised without a query; and what they may give others."""

import hashlib
import re

import pytest
import sqlalchemy as sa

from connector.engine import keys as module
from connector.engine import tables
from connector.engine.callers import ALL, Caller, Grant
from connector.engine.keys import Keys
from connector.engine.store import Store
from connector.sdk.errors import Forbidden, Unauthenticated
from tests.connector.engine.parts import OpenStore

SOON, LATER, NEVER = "2999-01-01T00:00:00.000Z", "2999-01-01T00:00:00.001Z", None
CUSTOM = "kandji.custom_api_action"


@pytest.fixture
def store(sqlite_database: str, copied_store: OpenStore) -> Store:
    return copied_store(sqlite_database)


def test_a_key_is_recognised(store: Store) -> None:
    """AU-2: by the one who minted it, and by a host that starts later."""
    keys = Keys(store)
    key = keys.mint("a test")

    assert keys.caller(key).id == key.split("_")[2]
    assert Keys(store).caller(key) == keys.caller(key)


def test_a_key_has_a_public_and_a_secret_part() -> None:
    """AU-2: `kc_<env>_<id>_<secret>`, the secret of 256 random bits, no two alike."""
    keys = Keys(_Nowhere())  # type: ignore[arg-type]  # keeps nothing
    one, other = keys.mint("one"), keys.mint("other")

    assert re.fullmatch(r"kc_live_[0-9a-f]{16}_[A-Za-z0-9-]{43}", one)
    assert set(one.split("_")[2:]).isdisjoint(other.split("_")[2:])


def test_only_a_hash_of_the_secret_is_kept(store: Store) -> None:
    """AU-2: whoever reads the store cannot call."""
    key = Keys(store).mint("a test")
    id_, secret = key.split("_")[2:]

    row = store.run_here(lambda db: db.execute(sa.select(tables.keys)).mappings().one())

    assert (row["id"], row["label"], row["hash"]) == (id_, "a test", hashlib.sha256(secret.encode()).hexdigest())
    assert secret not in str(dict(row))


def test_nobody_is_recognised_without_keys(store: Store) -> None:
    """A host without keys says so."""
    keys = Keys(store)

    assert not keys
    with pytest.raises(Unauthenticated):
        keys.caller("")


@pytest.mark.parametrize(
    "wrong",
    [
        "", "_", "___", "kc_live", "{key}x", "x{key}", "{key}_", "kc_live_{id}", "kc_live_{id}_", "kc_live__{secret}",
        "kc_live_0000000000000000_{secret}", "KC_live_{id}_{secret}", "kc_live_{id}_{hash}", "{id}_{secret}",
        "kc_live_{id}_{secret}\0", " kc_live_{id}_{secret}", "kc_live_{id}_\u00e9", "kc_live_{id}_{secret}_x",
    ],
)  # fmt: skip
def test_a_wrong_key_is_refused_in_one_sentence(store: Store, wrong: str) -> None:
    """AU-2: which part is wrong is not told, nor is the key repeated."""
    keys = Keys(store)
    key = keys.mint("a test")
    id_, secret = key.split("_")[2:]
    hash_ = hashlib.sha256(secret.encode()).hexdigest()

    with pytest.raises(Unauthenticated) as raised:
        keys.caller(wrong.format(key=key, id=id_, secret=secret, hash=hash_))

    assert raised.value.detail == "A valid key is needed: Authorization: Bearer KEY, or x-api-client-token: KEY."


def test_a_key_of_another_environment_is_refused(store: Store) -> None:
    """AU-2: the environment is a part of the key."""
    keys = Keys(store)
    key = keys.mint("a test")

    with pytest.raises(Unauthenticated):
        keys.caller(key.replace("_live_", "_test_"))


async def test_what_another_host_does_is_seen_at_the_next_look(store: Store) -> None:
    """A key made there is recognised, one revoked there is not any more."""
    one, other = Keys(store), Keys(store)

    key = one.mint("a test")
    await other.look()
    made = other.caller(key)
    one.revoke(made.id)
    await other.look()

    for keys in (one, other):
        with pytest.raises(Unauthenticated):
            keys.caller(key)


async def test_a_key_made_during_a_look_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the look read is older."""
    keys = Keys(store)
    made: list[str] = []

    async def run(_: object) -> list[tuple[str, str]]:
        made.append(keys.mint("a test"))
        return []

    monkeypatch.setattr(store, "run", run)
    await keys.look()

    assert keys.caller(made[0])


def test_a_key_that_has_ended_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """AU-2: from the very moment on, in the words for any wrong key."""
    keys = Keys(store)
    key = keys.mint("a test", expires=SOON)
    keys.caller(key)
    monkeypatch.setattr(module, "now", lambda: SOON)

    with pytest.raises(Unauthenticated, match="A valid key is needed"):
        keys.caller(key)


async def test_the_last_use_is_noted_later(store: Store) -> None:
    """AU-2: a call costs no query; a key that is wrong was not used."""
    keys = Keys(store)
    used, unused = keys.mint("used"), keys.mint("unused")
    keys.caller(used)
    with pytest.raises(Unauthenticated):
        keys.caller(unused + "x")
    before = [key.last_used for key in Keys(store).all()]

    await keys.note()

    last_used = {key.label: key.last_used for key in Keys(store).all()}
    assert before == [None, None]
    assert last_used["used"]
    assert last_used["unused"] is None


async def test_a_use_is_noted_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is not used any more keeps its time."""
    keys = Keys(store)
    keys.caller(keys.mint("a test"))
    await keys.note()
    (before,) = Keys(store).all()
    monkeypatch.setattr(module, "now", lambda: LATER)

    await keys.note()

    assert Keys(store).all() == [before]


@pytest.mark.parametrize(
    ("has", "given", "covers"),
    [
        ([ALL], [ALL, "kandji.*", "kandji.lock_device"], True),
        (["kandji.*"], ["kandji.*", "kandji.lock_device"], True),
        (["kandji.lock_device"], ["kandji.lock_device"], True),
        ([ALL], [], True),
        (["kandji.*"], [ALL], False),
        (["kandji.*"], ["assetbots.*"], False),
        (["kandji.lock_device"], ["kandji.*"], False),
        (["kandji.lock_device"], ["kandji.lock_device", "kandji.erase_device"], False),
        ([], ["kandji.lock_device"], False),
        ([ALL, "kandji.*"], [CUSTOM], False),
        ([CUSTOM], [CUSTOM], True),
        ([CUSTOM], ["kandji.*"], False),
    ],
)
def test_a_grant_covers_cards(has: list[str], given: list[str], covers: bool) -> None:
    """AU-4: all that these cover; a card that is given by name is covered by its name alone."""
    assert Grant(frozenset(), tuple(has)).covers_all(given) is covers


@pytest.mark.parametrize(
    ("has", "given", "reaches"),
    [
        (None, None, True),
        (None, ("acme",), True),
        (("acme", "beta"), ("beta",), True),
        (("acme",), ("acme", "beta"), False),
        (("acme",), None, False),
        ((), (), True),
        ((), None, False),
    ],
)
def test_a_grant_reaches_connections(has: tuple[str, ...] | None, given: tuple[str, ...] | None, reaches: bool) -> None:
    """AU-4: no list is all of them, those to come as well; an empty one is none."""
    assert Grant(frozenset(), connections=has).reaches_all(given) is reaches


@pytest.mark.parametrize(
    ("wanted", "expires", "why"),
    [
        (Grant(frozenset({"admin"})), SOON, "The key lacks the scope admin."),
        (Grant(frozenset(), (ALL,)), SOON, "The key is not for all of these cards."),
        (Grant(frozenset(), ()), SOON, "The key is not for all of these connections."),
        (Grant(frozenset(), (), ()), LATER, "The key ends before the one that it would make."),
        (Grant(frozenset(), (), ()), NEVER, "The key ends before the one that it would make."),
    ],
)
def test_a_key_gives_only_what_it_has(wanted: Grant, expires: str | None, why: str) -> None:
    """AU-4: neither more scopes, cards and connections, nor more time."""
    caller = Caller("k1", Grant(frozenset({"runs"}), ("kandji.*",), ("acme",)), SOON)
    caller.need_all_of(caller.grant, SOON)

    with pytest.raises(Forbidden) as raised:
        caller.need_all_of(wanted, expires)

    assert raised.value.detail == why


class _Nowhere:
    """A store that keeps nothing."""

    def run_here(self, _: object) -> list[tuple[str, str]]:
        return []
