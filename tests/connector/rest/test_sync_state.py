"""What a sync remembers, through HTTP: its runs, holds, locks and outbox."""

from typing import Any

from connector.sync.entities import Change, Hold, Link, Notice
from connector.sync.mapping.mapping_file import load
from connector.sync.plan.plan import Plan
from connector.sync.store import memory, outbox
from connector.sync.store.runs import SyncRun, insert, keep
from tests.conftest import Upcard
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.sync_parts import MAPPING, SYNC, a_sync, audited, linked

RULES = load(MAPPING)


async def at_work(upcard: Upcard) -> str:
    """A run that is under way, as far as the store knows."""
    run = SyncRun("fleet", "apply", "somebody", state="running")
    await upcard.host.store.run(lambda db: insert(db, run))
    return run.id


async def test_a_sync_at_work_is_not_deleted(fresh: Fresh) -> None:
    """409, with the run; and it says so itself."""
    upcard = await fresh()
    await a_sync(upcard)
    run = await at_work(upcard)

    answers = [
        await upcard.http.delete(SYNC),
        await upcard.http.post(f"{SYNC}/plan"),
        await upcard.http.post(f"{SYNC}/apply"),
        await upcard.http.post(f"{SYNC}/undo", json={"run": run}),
    ]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(409, "conflict")}
    assert all(run in answer.json()["detail"] for answer in answers)
    assert (await upcard.http.get(SYNC)).json()["at_work"] == run


async def test_a_status_counts(on_either: Fresh) -> None:
    """Links by their state, people, holds of the last whole run, locks, and what waits in the outbox."""
    upcard = await on_either()
    asset = await linked(upcard)
    run = SyncRun("fleet", "plan", "somebody", state="planned")
    plan = Plan("x", holds=(Hold("twice", ("a", "b"), "two of them", "name one"),), warnings=(Notice("a", "why"),))

    def work(db: Any) -> None:
        memory.record_links(db, "fleet", [Link("device", "d9", "9", state="missing"), Link("user", "u1", "1")])
        keep(db, run, plan, RULES)
        outbox.announce(db, "fleet", [asset.sys_id], "hook")

    await upcard.host.store.run(work)
    await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "name", "reason": "why"})

    found = (await upcard.http.get(SYNC)).json()

    assert found["links"] == {"active": 1, "missing": 1, "people": 1}
    assert (found["holds"], found["locks"], found["outbox"]) == (1, 1, 1)
    assert (found["last"]["run"], found["last"]["exit_code"], found["last"]["held"]) == (run.id, 3, 1)
    assert "holds" not in found["last"]
    holds = (await upcard.http.get(f"{SYNC}/holds")).json()["items"]
    assert holds == [{"kind": "twice", "about": ["a", "b"], "why": "two of them", "todo": "name one", "field": None}]


async def test_a_field_is_locked_and_unlocked(on_either: Fresh) -> None:
    """With who did it and why; one that is locked stays as it is."""
    upcard = await on_either()
    asset = await linked(upcard)
    lock = {"link": f"device/{asset.sys_id}", "field": "name", "reason": "it is wrong"}
    named = {key: lock[key] for key in ("link", "field")}

    made = await upcard.http.post(f"{SYNC}/locks", json=lock)
    again = await upcard.http.post(f"{SYNC}/locks", json={**lock, "reason": "another"})
    there = (await upcard.http.get(f"{SYNC}/locks")).json()["items"]
    gone = await upcard.http.delete(f"{SYNC}/locks", params=named)
    twice = await upcard.http.delete(f"{SYNC}/locks", params=named)

    assert (made.status_code, {**made.json(), **lock, "by": upcard.caller}) == (201, made.json())
    assert (again.json(), there) == (made.json(), [made.json()])
    assert (gone.status_code, twice.status_code) == (204, 404)
    events = [(await audited(upcard, event))[-1] for event in ("sync_locked", "sync_unlocked")]
    assert [(each["link"], each["field"]) for each in events] == [(lock["link"], "name")] * 2


async def test_a_link_is_removed(on_either: Fresh) -> None:
    """With all that is kept of it; it is in the audit who did it."""
    upcard = await on_either()
    asset = await linked(upcard)
    link = {"link": f"device/{asset.sys_id}"}
    await upcard.http.post(f"{SYNC}/locks", json={**link, "field": "name", "reason": "a test"})

    gone = await upcard.http.delete(f"{SYNC}/links", params=link)
    twice = await upcard.http.delete(f"{SYNC}/links", params=link)

    assert (gone.status_code, twice.status_code) == (204, 404)
    found = (await upcard.http.get(SYNC)).json()
    assert (found["links"]["active"], found["locks"]) == (0, 0)
    assert (await audited(upcard, "sync_unlinked"))[-1]["link"] == link["link"]


async def test_a_lock_names_a_link(fresh: Fresh) -> None:
    """404 for one that is not there; 400 for a field that is not mapped, without a name, or without a reason."""
    upcard = await fresh()
    await a_sync(upcard)

    answers = [
        await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "name", "reason": "b"}),
        await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "a", "reason": "b"}),
        await upcard.http.post(f"{SYNC}/locks", json={"link": "device/9", "field": "a"}),
        await upcard.http.delete(f"{SYNC}/locks", params={"link": "device/9"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 400, 400, 400]
    assert [answer.json()["errors"][0]["at"] for answer in answers[1:]] == ["field", "reason", "query/field"]


async def test_the_outbox_says_of_what_the_mdm_is_to_hear(fresh: Fresh) -> None:
    """Many announcements of one asset are one entry; one that is not linked is none of ours."""
    upcard = await fresh()
    asset = await linked(upcard)

    answers = [await upcard.http.post(f"{SYNC}/hook/assets/{asset.sys_id}") for _ in range(3)]
    nobody = await upcard.http.post(f"{SYNC}/hook/assets/nobody")

    assert [(each.status_code, each.json()) for each in answers] == [(202, {"announced": [asset.sys_id]})] * 3
    assert nobody.json() == {"announced": []}
    [entry] = (await upcard.http.get(f"{SYNC}/outbox")).json()["items"]
    assert (entry["asset"], entry["origin"], entry["turn"], entry["attempts"]) == (asset.sys_id, "hook", 2, 0)
    assert len(await audited(upcard, "sync_hook")) == 4


async def test_what_was_done_by_a_run_is_listed(on_either: Fresh) -> None:
    """By pages, or only what became of it; another sync's runs are not there."""
    upcard = await on_either()
    await a_sync(upcard)
    await a_sync(upcard, name="other")
    lines = tuple(Change("link", "asset", str(seq), f"n{seq}", "why", seq=seq) for seq in range(1, 4))
    made = sorted((SyncRun("fleet", "plan", "somebody", state="planned") for _ in range(3)), key=lambda run: run.id)
    for run in made:
        await upcard.host.store.run(lambda db, run=run: keep(db, run, Plan("x", lines), RULES))  # type: ignore[misc]
    at = f"{SYNC}/runs/{made[0].id}/changes"

    first = (await upcard.http.get(at, params={"limit": 2})).json()
    rest = (await upcard.http.get(at, params={"limit": 2, "cursor": first["next"]})).json()
    failed = (await upcard.http.get(at, params={"status": "failed"})).json()
    page = (await upcard.http.get(f"{SYNC}/runs", params={"limit": 2})).json()
    last = (await upcard.http.get(f"{SYNC}/runs", params={"limit": 2, "cursor": page["next"]})).json()

    assert [[line["seq"] for line in some["items"]] for some in (first, rest, failed)] == [[1, 2], [3], []]
    assert [run["run"] for run in page["items"] + last["items"]] == [run.id for run in reversed(made)]
    assert (rest["next"], last["next"]) == (None, None)
    assert (page["items"][0]["counts"], page["items"][0]["exit_code"]) == ({"planned": 3}, 2)
    other = await upcard.http.get(f"/v1/syncs/other/runs/{made[0].id}")
    assert (other.status_code, other.json()["type"]) == (404, "no_such_run")
