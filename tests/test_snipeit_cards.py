"""Every Snipe-IT card against the simulated server, over real HTTP, and each of the traps of its API.

The cases say what the cards send; this says that a service which is not ours, and is written from its source alone,
takes it and does what was meant.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import respx

from cards.snipeit._client import LIMITS, SnipeIT
from connector.catalog.find import catalog
from sandbox.snipeit import Sandbox, server
from tests.conftest import Upcard, opened
from tests.live import Live
from tests.serving import serving

USUAL = {
    **{"assets": 40, "users": 12, "max_results": 500, "unique_serial": False, "auto_increment": False},
    **{"require_notes": False, "show_archived": False},
}
MACBOOK, DISPLAY = "1", "5"  # models: with custom fields, and without
PENDING, READY, ARCHIVED = "1", "2", "3"  # status labels
VERSION, REASON = "_snipeit_os_version_1", "_snipeit_purchase_reason_4"  # in the fieldset of the first, and in none
LAPTOP = {"model_id": MACBOOK, "status_id": READY, "asset_tag": "N1", "serial": "C02NEW"}


class Assets(Live[Sandbox]):
    """A server and a host."""

    async def new(self, **more: Any) -> str:
        """The ID of an asset that is free."""
        return str((await self.outputs("create_asset", **{**LAPTOP, **more}))["asset_id"])

    async def asset(self, asset_id: str) -> dict[str, Any]:
        return dict(await self.outputs("get_asset", asset_id=asset_id))


@pytest.fixture(scope="module")
def snipeit() -> Iterator[tuple[Sandbox, str]]:
    """One server on a free port for all tests here."""
    app = server()
    with serving(app) as url:
        yield app, url


Start = Callable[..., Awaitable[Assets]]


@pytest_asyncio.fixture
async def start(snipeit: tuple[Sandbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """`await start(unique_serial=True)`: a connection to a server as it was at the start, with these switches."""
    app, url = snipeit
    monkeypatch.setattr(SnipeIT, "limits", None)
    async with opened(tmp_path, services=(), allow_services="127.0.0.1:*") as upcard:
        live = Assets("snipeit", app, url, upcard, {"token": app.database.token})

        async def started(**switches: Any) -> Assets:
            await live.admin("POST", "/reset", **{**USUAL, **switches})
            await live.admin("POST", "/limits")
            await live.connect()
            return live

        yield started


async def test_every_card_works(start: Start) -> None:
    """A laptop arrives, somebody new gets it, gives it back; every card is called, and none is refused."""
    live = await start()
    category = (await live.outputs("create_category", name="Notebooks"))["category_id"]
    categories = {str(each["id"]): each["name"] for each in await live.listed("list_categories")}
    labels = {label["type"]: label["id"] for label in await live.listed("list_status_labels")}
    fieldset = (await live.listed("list_models"))[0]["fieldset"]["id"]
    members = [field["name"] for field in (await live.listed("list_fieldsets"))[0]["fields"]["rows"]]

    model = await live.outputs("create_model", name="MacBook Neo", category_id=category, fieldset_id=fieldset)
    new_field = await live.outputs("create_field", name="Kandji Device ID")
    joined = await live.outputs("associate_field", field_id=new_field["field_id"], fieldset_id=fieldset)
    columns = [field["db_column_name"] for field in await live.listed("list_fields")]
    ids = {"model_id": model["model_id"], "status_id": labels["deployable"]}
    made = await live.outputs("create_asset", **{**LAPTOP, **ids}, fields={new_field["column"]: "d1"})
    asset_id = made["asset_id"]
    changed = await live.outputs("update_asset", asset_id=asset_id, fields={VERSION: "15.3"})
    user = await live.outputs("create_user", first_name="Kim", username="kim", password="correct horse")
    renamed = await live.outputs("update_user", user_id=user["user_id"], last_name="O'Hara", email="kim@example.com")
    gone = await live.outputs("check_out_asset", asset_id=asset_id, user_id=user["user_id"], due="2027-01-31")
    held = await live.asset(asset_id)
    holder = await live.outputs("get_user", user_id=user["user_id"])
    back = await live.outputs("check_in_asset", asset_id=asset_id, status_id=labels["archived"])
    archived = await live.listed("list_assets", state="Archived")
    await live.admin("PATCH", f"/assets/{asset_id}", deleted=True)
    restored = await live.outputs("restore_asset", asset_id=asset_id)
    found = await live.outputs("get_assets_by_serial", serial="C02NEW")
    users = await live.listed("list_users", username="kim")

    assert live.called == {card.name for card in catalog().connector("snipeit").cards}
    assert (model["status_code"], joined["status_code"], new_field["column"] in columns) == (200, 200, True)
    assert (made["status_code"], made["fields"][new_field["column"]]) == (200, "d1")
    assert changed["fields"] == {VERSION: "15.3", new_field["column"]: "d1"}
    assert (renamed["name"], renamed["email"]) == ("Kim O'Hara", "kim@example.com")
    assert (gone["status_code"], back["status_code"], restored["status_code"]) == (200, 200, 200)
    assert (categories[category], held["category"], "OS Version" in members) == ("Notebooks", "Notebooks", True)
    assert (holder["first_name"], holder["last_name"], holder["deleted"]) == ("Kim", "O'Hara", None)
    assert (held["assigned_id"], held["assigned_name"]) == (user["user_id"], "Kim O'Hara")
    assert (held["status_meta"], held["expected_checkin"]) == ("deployed", "2027-01-31")
    assert str(asset_id) in [str(asset["id"]) for asset in archived]
    assert [asset["asset_tag"] for asset in found["assets"]] == ["N1"]
    assert [each["email"] for each in users] == ["kim@example.com"]


async def test_what_is_written_is_read_as_it_was(start: Start) -> None:
    """Escaped on its way out and plain again, once: by every card that tells of it, and not changed by a round trip."""
    live, words = await start(), {"name": "O'Brien's \"R&D\"", "notes": "<b> is written as &lt;b&gt;"}

    made = await live.outputs("create_asset", **LAPTOP, **words, fields={VERSION: "15 & 'more'"})
    read = await live.asset(made["asset_id"])
    listed = next(asset for asset in await live.listed("list_assets") if asset["asset_tag"] == "N1")
    again = await live.outputs("update_asset", asset_id=made["asset_id"], name=read["name"], notes=read["notes"])

    told = [{key: asset[key] for key in words} for asset in (made, read, listed, again)]
    assert told == [words] * 4
    assert made["fields"][VERSION] == read["fields"][VERSION] == "15 & 'more'"
    assert listed["custom_fields"]["OS Version"]["value"] == "15 & 'more'"


async def test_names_of_others_are_plain_too(start: Start) -> None:
    """At every depth: a status label's asset, a place, who has it."""
    live = await start()
    asset_id = await live.new(location_id="2")
    (brien,) = [user for user in await live.listed("list_users") if user["last_name"] == "O'Brien"][:1]

    await live.outputs("check_out_asset", asset_id=asset_id, user_id=str(brien["id"]))
    asset = await live.asset(asset_id)

    assert (asset["location"], asset["assigned_name"]) == ("Warehouse & Dock", brien["name"])
    assert brien["name"].endswith(" O'Brien")


async def test_every_asset_is_listed_once(start: Start) -> None:
    """Over pages that are smaller than was asked for, as MAX_RESULTS of the server has them; archived ones are not."""
    live = await start(assets=700, max_results=90)
    there = [asset for asset in live.app.database.assets.values() if live.app.database.status_type(asset) != "archived"]
    await live.admin("DELETE", "/requests")

    lines = await live.lines("list_assets")

    asked = [entry["query"] for entry in (await live.admin("GET", "/requests"))["requests"]]
    assert len(lines) == len(set(lines)) == len(there)
    assert asked[:2] == [f"limit=500&offset={offset}&sort=id&order=asc" for offset in (0, 90)]
    assert len(asked) == -(-len(there) // 90)


async def test_the_first_records_are_no_fewer_where_pages_are_smaller(start: Start) -> None:
    """200, of three pages; and no request more."""
    live = await start(assets=700, max_results=90)
    await live.admin("DELETE", "/requests")

    listed = await live.listed("list_assets")

    asked = [entry["query"] for entry in (await live.admin("GET", "/requests"))["requests"]]
    assert (len(listed), len({asset["id"] for asset in listed})) == (200, 200)
    assert [query.partition("&sort")[0] for query in asked] == [
        *("limit=200&offset=0", "limit=110&offset=90", "limit=20&offset=180")
    ]


async def test_fields_come_all_at_once(start: Start) -> None:
    """Whatever limit is asked for; they are not asked for again."""
    live = await start(max_results=2)
    await live.admin("DELETE", "/requests")

    lines = await live.lines("list_fields")

    assert (len(lines), (await live.admin("GET", "/requests"))["total"]) == (4, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"asset_tag": "IT-00001"}, "asset_tag: The asset tag must be unique."),
        ({"serial": ""}, None),
        ({"model_id": "99"}, "model_id: The selected model id is invalid."),
        ({"asset_tag": None}, "asset_tag: The asset tag field is required."),
        ({"fields": {REASON: "New"}}, f"{REASON}: The field is not in the fieldset of the model."),
        ({"model_id": DISPLAY, "fields": {VERSION: "1"}}, f"{VERSION}: The field is not in the fieldset of the model."),
    ],
)
async def test_an_error_with_200_is_a_refusal(start: Start, change: dict[str, Any], message: str | None) -> None:
    """It is told with its words and a status of its own; nothing is made, and else there is no message."""
    live = await start()

    made = await live.outputs("create_asset", **{**LAPTOP, **change})

    assert (made["status_code"], made["message"]) == (422 if message else 200, message)
    assert (await live.admin("GET", ""))["assets"] == (40 if message else 41)


async def test_one_wrong_field_refuses_the_whole_change(start: Start) -> None:
    """The others are not changed either."""
    live = await start()
    asset_id = await live.new(name="Before")

    after = await live.outputs("update_asset", asset_id=asset_id, name="After", fields={VERSION: "1", REASON: "New"})

    assert (after["status_code"], (await live.asset(asset_id))["name"]) == (422, "Before")


async def test_an_update_changes_nothing_else(start: Start) -> None:
    """Of an asset that somebody has, neither."""
    live = await start()
    asset_id = await live.new(fields={VERSION: "15.3"}, location_id="2", notes="As new")
    await live.outputs("check_out_asset", asset_id=asset_id, user_id="3")
    before = await live.asset(asset_id)

    await live.outputs("update_asset", asset_id=asset_id, name="Loaner")
    after = await live.asset(asset_id)

    assert {**after, "updated": None} == {**before, "name": "Loaner", "updated": None}


@pytest.mark.parametrize(
    ("card", "inputs", "words"),
    [
        ("update_asset", {"asset_id": "9999", "name": "x"}, "Asset not found"),
        ("check_out_asset", {"asset_id": "9999", "user_id": "1"}, "Asset not found"),
        ("check_in_asset", {"asset_id": "9999"}, "Asset not found"),
        ("restore_asset", {"asset_id": "9999"}, "Asset does not exist."),
        ("update_user", {"user_id": "9999", "last_name": "x"}, "User not found"),
        ("associate_field", {"field_id": "9999", "fieldset_id": "1"}, "CustomField not found"),
        ("associate_field", {"field_id": "1", "fieldset_id": "9999"}, "CustomFieldset not found"),
    ],
)
async def test_what_is_not_there_is_told_by_404(start: Start, card: str, inputs: Any, words: str) -> None:
    """Snipe-IT says so with 200."""
    live = await start()

    refused = await live.outputs(card, **inputs)

    assert (refused["status_code"], refused["message"]) == (404, words)


async def test_an_asset_that_is_not_there_is_no_asset(start: Start) -> None:
    """A card without a status fails with the words of the service."""
    live = await start()

    answer = (await live.call("get_asset", asset_id="9999")).json()

    assert (answer["type"], answer["service"]) == ("refused", {"status": 404, "said": "Asset does not exist."})


@pytest.mark.parametrize("status", [PENDING, ARCHIVED])
async def test_what_is_not_deployable_stays(start: Start, status: str) -> None:
    """A checkout is refused, and nobody has it."""
    live = await start()
    asset_id = await live.new(status_id=status)

    refused = await live.outputs("check_out_asset", asset_id=asset_id, user_id="1")

    assert refused == {"status_code": 422, "message": "That asset is not available for checkout!"}
    assert (await live.asset(asset_id))["assigned_id"] is None


async def test_what_somebody_has_goes_to_nobody_else(start: Start) -> None:
    """Not without a check-in; and it comes back once."""
    live = await start()
    asset_id = await live.new()
    await live.outputs("check_out_asset", asset_id=asset_id, user_id="1")

    second = await live.outputs("check_out_asset", asset_id=asset_id, user_id="2")
    owner = (await live.asset(asset_id))["assigned_id"]
    back = [await live.outputs("check_in_asset", asset_id=asset_id) for _ in range(2)]

    assert (second["status_code"], owner) == (422, "1")
    assert back == [
        {"status_code": 200, "message": None},
        {"status_code": 422, "message": "That asset is already checked in."},
    ]


@pytest.mark.parametrize(
    ("to", "kind", "name"), [("location_id", "location", "Warehouse & Dock"), ("to_asset_id", "asset", "IT-00002")]
)
async def test_a_place_or_an_asset_may_have_it(start: Start, to: str, kind: str, name: str) -> None:
    """Then there is no email address."""
    live = await start()
    asset_id = await live.new()

    await live.outputs("check_out_asset", asset_id=asset_id, **{to: "2"})
    asset = await live.asset(asset_id)

    told = [asset[f"assigned_{key}"] for key in ("type", "id", "name", "email")]
    assert told == [kind, "2", name, None]


async def test_a_note_may_be_needed(start: Start) -> None:
    """As a setting of the server says."""
    live = await start(require_notes=True)
    asset_id = await live.new()

    without = await live.outputs("check_out_asset", asset_id=asset_id, user_id="1")
    with_note = await live.outputs("check_out_asset", asset_id=asset_id, user_id="1", note="Synced")

    assert (without["status_code"], without["message"]) == (422, "note: The note field is required.")
    assert with_note["status_code"] == 200


async def test_assets_may_share_a_serial_number(start: Start) -> None:
    """All of them are found; none where there is none, and those in the trash where these count too."""
    live = await start()
    one, two = await live.new(), await live.new(asset_tag="N2")
    await live.admin("PATCH", f"/assets/{two}", deleted=True)

    found = await live.outputs("get_assets_by_serial", serial="C02NEW")
    every = await live.outputs("get_assets_by_serial", serial="C02NEW", deleted=True)
    none = await live.outputs("get_assets_by_serial", serial="C02OLD")

    assert [str(asset["id"]) for asset in found["assets"]] == [one]
    assert ([str(asset["id"]) for asset in every["assets"]], every["count"]) == ([one, two], 2)
    assert none == {"assets": [], "count": 0}


async def test_serial_numbers_may_be_unique(start: Start) -> None:
    """As a setting of the server says."""
    live = await start(unique_serial=True)
    await live.new()

    second = await live.outputs("create_asset", **{**LAPTOP, "asset_tag": "N2"})

    assert (second["status_code"], second["message"]) == (422, "serial: The serial must be unique.")


async def test_a_server_may_number_assets_itself(start: Start) -> None:
    """Then a tag is given to the asset that has none."""
    live = await start(auto_increment=True)

    made = await live.outputs("create_asset", **{**LAPTOP, "asset_tag": None})

    assert (made["status_code"], made["asset_tag"]) == (200, "00041")


async def test_times_stay_as_they_are(start: Start) -> None:
    """The server's, five hours behind here, and without a word about that."""
    live = await start()

    asset = await live.asset("1")

    there = datetime.fromtimestamp(live.app.database.assets[1].created, UTC) - timedelta(hours=5)
    assert asset["created"] == f"{there:%Y-%m-%d %H:%M:%S}"


async def test_what_is_in_the_trash_is_restored_once(start: Start) -> None:
    """Then there is nothing to restore, which is told."""
    live = await start()
    asset_id = await live.new()
    await live.admin("PATCH", f"/assets/{asset_id}", deleted=True)
    deleted = (await live.asset(asset_id))["deleted"]

    restored = [await live.outputs("restore_asset", asset_id=asset_id) for _ in range(2)]

    assert deleted
    assert (await live.asset(asset_id))["deleted"] is None
    assert [each["status_code"] for each in restored] == [200, 422]
    assert restored[1]["message"] == "The asset is not deleted so it cannot be restored."


async def test_deleted_and_archived_assets_are_listed_when_asked_for(start: Start) -> None:
    """Not else."""
    live = await start()
    gone, old = await live.new(), await live.new(asset_tag="N2", status_id=ARCHIVED)
    await live.admin("PATCH", f"/assets/{gone}", deleted=True)

    states = {state: await live.listed("list_assets", state=state) for state in ("", "Deleted", "Archived")}

    ids = {state: {str(asset["id"]) for asset in assets} for state, assets in states.items()}
    assert ids[""].isdisjoint({gone, old})
    assert (ids["Deleted"], old in ids["Archived"]) == ({gone}, True)


@pytest.mark.parametrize("says_when", [True, False])
async def test_a_throttled_create_is_made_once(start: Start, says_when: bool) -> None:
    """429 says that nothing was done, with Retry-After or without."""
    live = await start()
    fault = {"kind": "status", "status": 429, "times": 2, "method": "POST"}
    await live.admin("POST", "/faults", **fault, retry_after="0" if says_when else None)

    made = await live.outputs("create_asset", **LAPTOP)

    assert (made["status_code"], (await live.admin("GET", ""))["assets"]) == (200, 41)


async def test_requests_keep_the_pace(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two in any second are 120 a minute, so that a server has no reason to say 429."""
    live = await start()
    monkeypatch.setattr(SnipeIT, "limits", LIMITS)
    await live.upcard.http.delete("/v1/connections/live")
    await live.connect()
    await live.admin("DELETE", "/requests")

    for _ in range(4):
        await live.outputs("get_asset", asset_id="1")

    at = [entry["at"] for entry in (await live.admin("GET", "/requests"))["requests"]]
    assert min(later - earlier for earlier, later in zip(at, at[2:], strict=False)) >= 1


async def test_a_connection_may_have_another_pace(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a server whose API_THROTTLE_PER_MINUTE was raised."""
    live = await start()
    monkeypatch.setattr(SnipeIT, "limits", LIMITS)
    await live.upcard.http.delete("/v1/connections/live")
    await live.connect(requests_per_minute=600)
    await live.admin("DELETE", "/requests")

    for _ in range(10):
        await live.outputs("get_asset", asset_id="1")

    at = [entry["at"] for entry in (await live.admin("GET", "/requests"))["requests"]]
    assert at[9] - at[0] < 2


async def test_a_create_without_an_answer_is_not_repeated(start: Start) -> None:
    """Its outcome is unknown: who asks has to look, and finds it."""
    live = await start()
    await live.admin("POST", "/faults", kind="lost_answer", method="POST", times=1)

    answer = await live.call("create_asset", **LAPTOP)

    assert answer.json()["type"] == "outcome_unknown"
    assert (await live.outputs("get_assets_by_serial", serial="C02NEW"))["count"] == 1


async def test_a_wrong_token_connects_to_nothing(start: Start) -> None:
    """As with any service; one that is withdrawn later is reported by a card's status."""
    live = await start()
    await live.upcard.http.delete("/v1/connections/live")

    refused = await live.connect(token="wrong")
    await live.connect()
    await live.admin("POST", "/faults", kind="status", status=401)
    later = await live.outputs("check_in_asset", asset_id="1")

    assert (refused.status_code, refused.json()["type"]) == (409, "not_connected")
    assert (later["status_code"], later["message"]) == (401, "401")


async def test_a_page_for_people_is_no_answer(start: Start) -> None:
    """A wrong address leads to a login."""
    live = await start()
    await live.admin("POST", "/faults", kind="html")
    await live.upcard.http.delete("/v1/connections/live")

    refused = await live.connect()

    assert refused.json()["type"] == "unexpected"


async def test_the_check_tells_what_the_token_may_read(start: Start) -> None:
    """Each of the cards that only read; that nothing has the ID of none is no sign of a missing permission."""
    live = await start()
    await live.admin("POST", "/faults", kind="status", status=403, path="/users")

    checked = (await live.upcard.http.post("/v1/connections/live/check")).json()

    told = {card.partition(".")[2] for card in [*checked["granted"], *checked["missing"]]}
    assert (told, checked["missing"]) == (set(SnipeIT.probes), ["snipeit.list_users"])


@pytest.fixture
def somewhere() -> Iterator[respx.MockRouter]:
    """Servers of others, which know who asks."""
    with respx.mock(using="httpx", assert_all_called=False) as router:
        router.route(host="upcard.test").pass_through()
        router.get(path="/api/v1/users/me").respond(json={"id": 1, "username": "upcard"})
        yield router


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://acme.snipe-it.io", 201),
        ("acme.snipe-it.io", 201),
        ("https://assets.acme.example", 201),
        ("https://assets.acme.example/snipe", 400),
        ("https://assets.acme.example/api/v1", 400),
        ("https://other.acme.example", 400),
        ("https://a.b.snipe-it.io", 400),
        ("https://snipe-it.io.evil.example", 400),
        ("http://acme.snipe-it.io", 400),
    ],
)
async def test_only_servers_that_are_allowed_are_reached(
    somewhere: respx.MockRouter, tmp_path: Path, url: str, status: int
) -> None:
    """Those that Snipe-IT hosts, and by name those that the operator allows; an address is without a path."""
    async with opened(tmp_path, services=(), allow_services="assets.acme.example:443") as upcard:
        made = await _connected(upcard, url)

    assert made.status_code == status
    assert len([call for call in somewhere.calls if call.request.url.host != "upcard.test"]) == (status == 201)


async def _connected(upcard: Upcard, url: str) -> httpx.Response:
    body = {"name": "live", "connector": "snipeit", "fields": {"url": url, "token": "x" * 1200}}
    return await upcard.http.post("/v1/connections", json=body)


async def test_another_service_is_not_taken_for_snipe_it(tmp_path: Path) -> None:
    """It answers JSON, but does not know who asks."""
    with respx.mock(using="httpx") as router:
        router.route(host="upcard.test").pass_through()
        router.get("https://acme.snipe-it.io/api/v1/users/me").respond(json={"status": "ok"})
        async with opened(tmp_path, services=()) as upcard:
            made = await _connected(upcard, "https://acme.snipe-it.io")

    assert made.json()["detail"] == "The service does not answer as Snipe-IT does."
