"""The audit: a chain that shows every way to change what was written (DA-8)."""

import json

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.engine import controls, tables
from connector.engine.audit import Audit, Head
from connector.engine.seals import Seals
from connector.engine.store import Store
from tests.connector.engine.parts import OpenStore

ENTRIES = 5
audit = tables.audit


@pytest.fixture
def store(database: str, copied_store: OpenStore) -> Store:
    return copied_store(database)


@pytest.fixture
async def kept(store: Store, seals: Seals) -> Audit:
    """An audit of five entries."""
    made = Audit(store, seals)
    for number in range(ENTRIES):
        await made.note("call", "k1", card="kandji.lock_device", connection="acme", target=f"d{number}")
    return made


def do(store: Store, *statements: str) -> None:
    for statement in statements:
        store.run_here(lambda db, each=statement: db.execute(sa.text(each)))  # type: ignore[misc]


async def test_entries_follow_one_another(kept: Audit) -> None:
    """Each has the hash of the one before, and the chain is whole."""
    found, cursor = await kept.entries(caller=None, card=None, connection=None, cursor=None, limit=10)

    assert [entry["seq"] for entry in found] == [5, 4, 3, 2, 1]
    assert [entry["previous"] for entry in found] == [entry["hash"] for entry in found[1:]] + [Head().hash]
    assert (found[0]["caller"], found[0]["target"], cursor) == ("k1", "d4", None)
    assert kept.verify() == []


async def test_entries_are_given_in_pages_and_by_what_they_are_about(kept: Audit) -> None:
    """Newest first."""
    await kept.note("call", "k2", card="kandji.erase_device", connection="beta")

    first, cursor = await kept.entries(caller=None, card=None, connection=None, cursor=None, limit=2)
    rest, _ = await kept.entries(caller="k1", card=None, connection="acme", cursor=int(cursor or 0), limit=10)

    assert [entry["seq"] for entry in first + rest] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE audit SET entry = replace(entry, 'd2', 'd9') WHERE seq = 3"], "Entry 3 was changed."),
        (["UPDATE audit SET caller = 'k9' WHERE seq = 3"], "Entry 3 is not what its columns say."),
        (["DELETE FROM audit WHERE seq = 3"], "Entry 3 is missing."),
        (["DELETE FROM audit WHERE seq = 1"], "Entry 1 is missing."),
        (["DELETE FROM audit WHERE seq > 3"], "The chain ends with entry 3, and its sealed head is entry 5"),
        (["DELETE FROM audit"], "The chain ends with entry 0, and its sealed head is entry 5"),
        (["DELETE FROM audit", "DELETE FROM controls"], "Entry 5 is not the one with the hash that was given."),
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 2",
                "UPDATE audit SET seq = 2 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 99",
            ],
            "Entry 2 does not follow the one before it.",
        ),
        (
            [
                "UPDATE audit SET seq = 6 WHERE seq = 5",
                "INSERT INTO audit (seq, entry, hash) VALUES (5, '{\"seq\": 5}', 'x')",
            ],
            "Entry 5 does not follow the one before it.",
        ),
        (["UPDATE controls SET value = 'k1.AAAA' WHERE name = 'sealed:audit'"], "The sealed head cannot be opened"),
    ],
    ids=["edit", "columns", "removal", "first", "truncation", "all", "anew", "reordering", "insertion", "head"],
)
async def test_what_was_done_to_it_shows(kept: Audit, store: Store, statements: list[str], fault: str) -> None:
    """An edit, a removal, an insertion, a reordering, a truncation; with the head from the log, also a new chain."""
    head = kept.head()

    do(store, *statements)

    assert any(found.startswith(fault) for found in kept.verify(head))


async def test_a_chain_that_was_made_anew_shows(kept: Audit, store: Store, seals: Seals) -> None:
    """Whoever has no key cannot seal another head."""
    head, forged = kept.head(), Audit(store, Seals({"k1": bytes(32)}))
    do(store, "DELETE FROM audit", "DELETE FROM controls")
    await forged.note("call", "k1", card="kandji.lock_device")

    assert kept.verify() == ["The sealed head cannot be opened: it was changed, or its key is missing."]
    assert forged.verify(head) != []


async def test_what_was_cut_off_does_not_grow_over(kept: Audit, store: Store) -> None:
    """Entries after a truncation follow the head that was, so that the gap stays."""
    do(store, "DELETE FROM audit WHERE seq > 3")
    await kept.note("call", "k1")

    assert kept.verify() == ["Entry 4 is missing."]


async def test_no_entry_no_deed(kept: Audit, store: Store) -> None:
    """What is noted in a transaction that fails is not there, and neither is the deed."""

    def work(db: sa.Connection) -> None:
        kept.append(db, "call", "k1")
        controls.write(db, "deed", "done")
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        await store.run_alone(work)

    assert (kept.head().seq, store.run_here(lambda db: controls.read(db, "deed"))) == (ENTRIES, None)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(st.characters(categories=["L"]), min_size=1), st.text() | st.integers(0, 9), max_size=4))
def test_an_entry_is_canonical_json(facts: dict[str, str | int]) -> None:
    """The same facts have the same hash, whatever order they came in."""
    store = Store("sqlite://")
    tables.metadata.create_all(store._synced)
    made = Audit(store, Seals({"k1": bytes(32)}))
    given_ = {f"x_{name}": fact for name, fact in facts.items() if "\0" not in f"{name}{fact}"}

    store.run_alone_here(lambda db: made.append(db, "call", "k1", **dict(reversed(given_.items()))))
    entry = store.run_alone_here(lambda db: db.execute(sa.select(audit.c.entry)).scalar_one())

    assert entry == json.dumps(json.loads(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert given_.items() <= json.loads(entry).items()
    store.close()
