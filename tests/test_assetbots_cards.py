"""Every Assetbots card against the simulated workspace, over real HTTP and in every form the service may have.

The cases say what the cards send; this says that a service which is not ours, and is written from its description
alone, takes it and does what was meant.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cards.assetbots._client import LIMITS, Assetbots
from connector.catalog.find import catalog
from sandbox.assetbots import Sandbox, workspace
from tests.conftest import opened
from tests.live import Live
from tests.serving import serving

# What the service does with custom fields and updates, and what a connection then has to say.
FORMS = [
    pytest.param("bare", "merge", "changes", id="bare, merge"),
    pytest.param("wrapped", "merge", "changes", id="wrapped, merge"),
    pytest.param("bare", "merge", "whole", id="bare, merge, whole"),
    pytest.param("wrapped", "merge", "whole", id="wrapped, merge, whole"),
    pytest.param("bare", "replace", "whole", id="bare, replace"),
    pytest.param("wrapped", "replace", "whole", id="wrapped, replace"),
]
every_form = pytest.mark.parametrize(("form", "updates", "sent"), FORMS)


class Assets(Live[Sandbox]):
    """A workspace and a host."""

    async def free(self) -> list[str]:
        return [asset["id"] for asset in await self.listed("list_assets") if not asset["checkout"]]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Sandbox, str]]:
    """One workspace on a free port for all tests here."""
    app = workspace(assets=40, people=5)
    with serving(app) as url:
        yield app, url


Start = Callable[..., Awaitable[Assets]]


@pytest_asyncio.fixture
async def start(server: tuple[Sandbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """`await start(custom_fields="wrapped")`: a workspace that is as it was at the start, with these switches."""
    app, url = server
    monkeypatch.setattr(Assetbots, "limits", None)
    usual = {"assets": 40, "custom_fields": "bare", "updates": "merge", "check_ins": "empty", "asset_limit": None}
    async with opened(tmp_path, services=(), allow_services="127.0.0.1:*") as upcard:
        live = Assets("assetbots", app, url, upcard, {"api_key": app.database.key})

        async def started(**switches: Any) -> Assets:
            await live.admin("POST", "/reset", **{**usual, **switches})
            await live.admin("POST", "/limits")
            return live

        yield started


@every_form
async def test_every_card_works(start: Start, form: str, updates: str, sent: str) -> None:
    """A laptop arrives, somebody new gets it, gives it back; every card is called, and none is refused."""
    live = await start(custom_fields=form, updates=updates)
    await live.connect(custom_fields=form, updates=sent, database="Acme IT")
    category = (await live.listed("list_assets"))[0]["category"]["id"]

    database = await live.outputs("get_database")
    made = await live.outputs("create_asset", tag="N1", category_id=category, fields={"serialNumber": "C02NEW"})
    asset_id = made["asset_id"]
    changed = await live.outputs("update_asset", asset_id=asset_id, fields={"brand": "Apple"})
    person = await live.outputs("create_person", name="Kim Novak", email="kim@example.com")
    person_id = person["person_id"]
    renamed = await live.outputs("update_person", person_id=person_id, name="Kim Lind", fields={"department": "IT"})
    known = await live.outputs("get_person", person_id=person_id)
    gone = await live.outputs("check_out_assets", asset_ids=[asset_id], person_id=person_id, notes="Synced")
    held = await live.outputs("get_asset", asset_id=asset_id)
    back = await live.outputs("check_in_assets", asset_ids=[asset_id])
    note = await live.outputs("create_note", target_id=asset_id, note="As new")
    people, after = await live.listed("list_people"), (await live.listed("list_assets"))[-1]

    assert live.called == {card.name for card in catalog().connector("assetbots").cards}
    assert (database["name"], made["status_code"], made["fields"]) == ("Acme IT", 201, {"serialNumber": "C02NEW"})
    assert (changed["tag"], changed["fields"]) == ("N1", {"serialNumber": "C02NEW", "brand": "Apple"})
    assert (renamed["name"], renamed["email"]) == ("Kim Lind", "kim@example.com")
    assert known == {key: value for key, value in renamed.items() if key not in ("status_code", "message")}
    assert (people[-1]["name"], people[-1]["email"], people[-1]["department"]) == ("Kim Lind", "kim@example.com", "IT")
    assert (gone["status_code"], gone["left_out"]) == (201, [])
    assert (held["checkout_id"], held["person_email"]) == (gone["checkout_id"], "kim@example.com")
    assert (back["status_code"], note["note"]) == (200, "As new")
    assert (after["id"], after["checkout"], after["serialNumber"]) == (asset_id, None, "C02NEW")


@every_form
async def test_an_update_changes_nothing_else(start: Start, form: str, updates: str, sent: str) -> None:
    """Not the archived mark, nor a field: as long as the connection fits the service."""
    live = await start(custom_fields=form, updates=updates)
    await live.connect(custom_fields=form, updates=sent)
    asset_id = (await live.free())[0]
    await live.admin("PATCH", f"/assets/{asset_id}", archived=True)
    before = await live.outputs("get_asset", asset_id=asset_id)

    await live.outputs("update_asset", asset_id=asset_id, description="New words")
    after = await live.outputs("get_asset", asset_id=asset_id)

    assert {**after, "updated": None} == {**before, "description": "New words", "updated": None}


async def test_changes_alone_lose_the_rest_where_a_service_replaces(start: Start) -> None:
    """What `updates: whole` is for; whether Assetbots does this is not known."""
    live = await start(updates="replace")
    await live.connect(updates="changes")

    after = await live.outputs("update_asset", asset_id=(await live.free())[0], description="New words")

    assert (after["tag"], after["fields"]) == (None, {})


@pytest.mark.parametrize(("form", "written"), [("bare", "wrapped"), ("wrapped", "bare")])
async def test_the_wrong_form_is_told_by_the_field(start: Start, form: str, written: str) -> None:
    """Nothing is changed, and reading goes on: it takes both."""
    live = await start(custom_fields=form)
    await live.connect(custom_fields=written)
    asset_id = (await live.free())[0]

    after = await live.outputs("update_asset", asset_id=asset_id, fields={"brand": "Other"})
    read = await live.outputs("get_asset", asset_id=asset_id)

    assert (after["status_code"], after["message"]) == (
        400,
        "The request is not valid. brand: The value has the wrong form.",
    )
    assert read["fields"]["brand"] == "Apple"


async def test_a_full_plan_takes_no_asset_more(start: Start) -> None:
    """402; what is there can be changed."""
    live = await start(asset_limit=40)
    await live.connect()

    made = await live.outputs("create_asset", tag="N1")
    changed = await live.outputs("update_asset", asset_id=(await live.free())[0], tag="N1")

    assert (made["status_code"], made["message"]) == (402, "Your plan's asset limit has been reached.")
    assert (changed["status_code"], changed["tag"]) == (200, "N1")


@pytest.mark.parametrize("held", [{"reserved": True}, {"in_repair": True}])
async def test_what_is_held_is_left_out(start: Start, held: dict[str, bool]) -> None:
    """A part is told by its IDs, and all of it by 409; the asset says what holds it."""
    live = await start()
    await live.connect()
    one, two, *_ = await live.free()
    person_id = (await live.listed("list_people"))[0]["id"]
    await live.admin("PATCH", f"/assets/{one}", **held)

    some = await live.outputs("check_out_assets", asset_ids=[one, two], person_id=person_id)
    none = await live.outputs("check_out_assets", asset_ids=[one, two], person_id=person_id)
    asset = await live.outputs("get_asset", asset_id=one)

    assert (some["status_code"], some["left_out"]) == (201, [one])
    assert (none["status_code"], none["checkout_id"]) == (409, None)
    assert bool(asset["reservation_id"]) is ("reserved" in held)
    assert bool(asset["repair_id"]) is ("in_repair" in held)


async def test_what_nobody_has_cannot_come_back(start: Start) -> None:
    """409; and a part of it is told where the service says so."""
    live = await start(check_ins="listed")
    await live.connect()
    one, two, *_ = await live.free()
    await live.outputs("check_out_assets", asset_ids=[one], person_id=(await live.listed("list_people"))[0]["id"])

    some = await live.outputs("check_in_assets", asset_ids=[one, two])
    none = await live.outputs("check_in_assets", asset_ids=[one, two])

    assert (some["status_code"], some["left_out"]) == (200, [two])
    assert (none["status_code"], none["left_out"]) == (409, None)


async def test_every_asset_is_listed_once(start: Start) -> None:
    """Over three pages, in the service's order."""
    live = await start(assets=2100)
    await live.connect()

    lines = await live.lines("list_assets")

    asked = [entry["query"] for entry in (await live.admin("GET", "/requests"))["requests"][1:]]
    assert len(lines) == len(set(lines)) == 2100
    assert asked == [f"limit=1000&offset={offset}" for offset in (0, 1000, 2000)]


async def test_a_wrong_key_connects_to_nothing(start: Start) -> None:
    """As with any service: the token is refused; a key that is withdrawn later is reported by a card's status."""
    live = await start()

    refused = await live.connect(api_key="wrong")
    await live.connect()
    await live.admin("POST", "/faults", kind="status", status=401)
    later = await live.outputs("create_note", target_id="a1", note="Lost")

    assert (refused.status_code, refused.json()["type"]) == (409, "not_connected")
    assert (later["status_code"], later["message"]) == (401, "The request is not authorized.")


async def test_the_key_of_another_workspace_is_refused(start: Start) -> None:
    """When a connection says which one it must be."""
    live = await start()

    refused = await live.connect(database="Acme Test")

    assert (refused.status_code, refused.json()["detail"]) == (400, "The key belongs to a workspace of another name.")


async def test_the_check_tells_what_the_key_may_read(start: Start) -> None:
    """Each of the cards that only read, with the others unknown."""
    live = await start()
    await live.connect()
    await live.admin("POST", "/faults", kind="status", status=403, path="/people")

    checked = (await live.upcard.http.post("/v1/connections/live/check")).json()

    told = {card.partition(".")[2] for card in [*checked["granted"], *checked["missing"]]}
    assert (told, checked["missing"]) == (set(Assetbots.probes), ["assetbots.list_people"])


@pytest.mark.parametrize("retry_after", ["0", None])
async def test_a_throttled_create_is_made_once(start: Start, retry_after: str | None) -> None:
    """429 says that nothing was done, with Retry-After or without."""
    live = await start()
    await live.connect()
    await live.admin("POST", "/faults", kind="status", status=429, times=2, retry_after=retry_after, method="POST")

    made = await live.outputs("create_asset", tag="N1")

    assert (made["status_code"], (await live.admin("GET", ""))["assets"]) == (201, 41)


async def test_a_create_without_an_answer_is_not_repeated(start: Start) -> None:
    """Its outcome is unknown: who asks has to look, and finds it."""
    live = await start()
    await live.connect()
    await live.admin("POST", "/faults", kind="lost_answer", method="POST", times=1)

    answer = await live.call("create_asset", tag="N1")

    assert answer.json()["type"] == "outcome_unknown"
    assert [asset["tag"] for asset in await live.listed("list_assets")].count("N1") == 1


async def test_requests_keep_the_pace(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a second, so that a service which takes no more has no reason to say 429."""
    live = await start()
    monkeypatch.setattr(Assetbots, "limits", LIMITS)
    await live.admin("POST", "/limits", per_second=1)
    await live.connect()

    await live.outputs("get_database")
    await live.outputs("get_database")

    assert (await live.admin("GET", "/requests"))["statuses"] == {"200": 3}
