"""Callers' keys: shown once, kept as a hash, recognised without a query."""

import hashlib
import re

import pytest
import sqlalchemy as sa

from connector.engine import tables
from connector.engine.keys import Keys
from connector.engine.store import Store
from connector.sdk.errors import Unauthenticated
from tests.connector.engine.parts import OpenStore


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


class _Nowhere:
    """A store that keeps nothing."""

    def run_here(self, _: object) -> list[tuple[str, str]]:
        return []
