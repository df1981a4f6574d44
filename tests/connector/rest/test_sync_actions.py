"""Quick actions through HTTP: who may tell a device what, and when."""

import asyncio
from typing import Any

import pytest
import respx

from tests.connector.rest.conftest import Fresh, holding
from tests.connector.rest.fleet import policy
from tests.connector.rest.sync_parts import ALL, ON, PIN, SERIAL, SYNC, act, linked, listed, long_ago, recorded, told


async def test_actions_are_off_by_default(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Nothing is sent until the mapping turns them on, and the asset says so."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard)

    answer = await act(upcard, "blankpush")

    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert answer.json()["detail"] == "Quick actions are off: actions.enabled of the mapping turns them on."
    assert (await upcard.http.get(f"{SYNC}/assets/{SERIAL}")).json()["actions"] == []
    assert (told(kandji), await recorded(upcard)) == ([], [])


async def test_an_action_that_is_not_in_the_list_is_refused(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """`actions.allow` names those that are allowed."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, "actions: { enabled: true, allow: [blankpush], confirm: [] }\n")

    answers = [await act(upcard, action) for action in ("blankpush", "restart")]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert told(kandji) == ["blankpush"]


async def test_an_action_is_answered_as_the_card_is(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """The same members, and a run of the caller's own."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "blankpush")

    assert (answer.status_code, answer.json()["outputs"]) == (200, {"status_code": 200})
    run = (await upcard.http.get(f"/v1/runs/{answer.json()['run']}")).json()
    assert (run["card"], run["state"]) == ("kandji.send_mdm_blank_push", "succeeded")


@pytest.mark.parametrize("confirm", [None, "", "C02MAC2"])
async def test_what_is_dangerous_is_confirmed_by_the_serial_number(
    fresh: Fresh, kandji: respx.MockRouter, confirm: str | None
) -> None:
    """Typed; anything else sends nothing."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "restart", confirm=confirm)

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, "confirm")
    assert (told(kandji), await recorded(upcard)) == ([], [])


async def test_letter_case_of_a_serial_number_does_not_count(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """It is typed by a person."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answer = await act(upcard, "restart", confirm=f" {SERIAL.lower()} ")

    assert (answer.status_code, told(kandji)) == (200, ["restart"])


@pytest.mark.parametrize(
    ("platform", "setting", "action", "status"),
    [
        ("iPhone", "guide", "restart", 409),
        ("iPhone", "guide", "shutdown", 409),
        ("iPhone", "api", "restart", 200),
        ("iPhone", "api", "shutdown", 200),
        ("AppleTV", "api", "restart", 200),
        ("AppleTV", "api", "shutdown", 409),
        ("iPad", "guide", "blankpush", 200),
        ("Mac", "guide", "restart", 200),
    ],
)
async def test_an_action_is_for_some_platforms(
    fresh: Fresh, kandji: respx.MockRouter, platform: str, setting: str, action: str, status: int
) -> None:
    """As the guide has it; or as the service's API allows, where the mapping says so. The asset says the same."""
    upcard = await fresh()
    listed(kandji, platform=platform)
    await linked(upcard, f"actions: {{ enabled: true, confirm: [], platforms: {setting} }}\n")

    may = (await upcard.http.get(f"{SYNC}/assets/{SERIAL}")).json()["actions"]
    answer = await act(upcard, action)

    assert answer.status_code == status
    assert (action in may) == (status == 200)
    assert told(kandji) == ([action] if status == 200 else [])


@pytest.mark.parametrize("facts", [{"mdm_enabled": False}, {"is_removed": True}, {"device_id": "another"}])
async def test_a_device_that_left_is_told_nothing(
    fresh: Fresh, kandji: respx.MockRouter, facts: dict[str, Any]
) -> None:
    """Not enrolled, removed, or not in the list any more."""
    upcard = await fresh()
    listed(kandji, **facts)
    await linked(upcard, ON)

    answer = await act(upcard, "blankpush")

    assert (answer.status_code, answer.json()["type"], told(kandji)) == (409, "conflict", [])


@pytest.mark.parametrize(("state", "status"), [("active", 200), ("held", 409), ("missing", 409), ("retired", 409)])
async def test_only_linked_devices_take_actions(
    fresh: Fresh, kandji: respx.MockRouter, state: str, status: int
) -> None:
    """A link that is held or missing is none."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON, state=state)

    assert (await act(upcard, "blankpush")).status_code == status


async def test_an_asset_without_a_link_takes_no_actions(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """By its serial number, by its ID, or by one that is not there."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)
    syncs = upcard.host.syncs
    alone = await syncs.both(await syncs.get("fleet")).assets.create_asset({"serial": "ALONE"})

    answers = [await act(upcard, "blankpush", asset=name) for name in ("ALONE", alone.sys_id, "nobody")]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(404, "not_found")}


async def test_two_assets_with_one_serial_number_are_named_by_their_ids(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Nobody guesses which one was meant."""
    upcard = await fresh()
    listed(kandji)
    first = await linked(upcard, ON)
    await linked(upcard, device="d2")

    answers = [await act(upcard, "blankpush", asset=name) for name in (SERIAL, first.sys_id)]

    assert [answer.status_code for answer in answers] == [409, 200]


async def test_the_same_action_within_five_minutes_is_refused(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """For the same device; another action goes through, and so does the same one later."""
    upcard = await on_either()
    listed(kandji)
    await linked(upcard, ALL)

    answers = [await act(upcard, action) for action in ("restart", "restart", "blankpush")]
    await long_ago(upcard)
    after = await act(upcard, "restart")

    assert [answer.status_code for answer in [*answers, after]] == [200, 409, 200, 200]
    assert answers[1].json()["type"] == "conflict"
    assert told(kandji) == ["restart", "blankpush", "restart"]


async def test_two_at_once_send_one_command(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """It is on record before it is sent."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)

    answers = await asyncio.gather(*(act(upcard, "restart") for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert told(kandji) == ["restart"]


async def test_an_action_counts_for_the_cap(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-4: it is a disruptive card like any other; one that was refused is no run of the sync."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)
    await policy(upcard, disruptions_per_10_minutes=1)

    answers = [await act(upcard, action) for action in ("restart", "shutdown", "shutdown")]

    assert [(each.status_code, each.json().get("type")) for each in answers] == [
        (200, None),
        (429, "safety_cap"),
        (429, "safety_cap"),
    ]
    assert (told(kandji), len(await recorded(upcard))) == (["restart"], 1)


async def test_the_kill_switch_stops_actions(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)
    await upcard.http.put("/v1/kill-switch", json={"on": True})

    assert ((await act(upcard, "restart")).status_code, told(kandji)) == (403, [])


@pytest.mark.parametrize(
    ("scopes", "cards", "action", "detail"),
    [
        (("cards:read", "admin"), ("*",), "blankpush", "The key lacks the scope cards:write."),
        (("cards:write",), ("kandji.get_device",), "blankpush", "The key is not for this card."),
    ],
)
async def test_an_action_needs_what_its_card_needs(
    fresh: Fresh, kandji: respx.MockRouter, scopes: tuple[str, ...], cards: tuple[str, ...], action: str, detail: str
) -> None:
    """AU-4: the sync is no way around a key's limits."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    async with holding(upcard, *scopes, cards=cards) as http:
        answer = await http.post(f"{SYNC}/actions", json={"asset": SERIAL, "action": action})

    assert (answer.status_code, answer.json()["detail"]) == (403, detail)
    assert told(kandji) == []


async def test_a_pin_is_for_who_may_see_secrets(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """As on the card itself: without the scope the device is locked, and the PIN is hidden."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ALL)
    body = {"asset": SERIAL, "action": "lock"}

    async with holding(upcard, "cards:write") as http:
        by_sync = await http.post(f"{SYNC}/actions", json=body)
        by_card = await http.post("/v1/cards/kandji/lock_device", json={"inputs": {"device_id": "d1"}})

    assert by_sync.json()["outputs"] == by_card.json()["outputs"]
    assert PIN not in by_sync.text


async def test_the_device_follows_from_the_asset(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """Another one cannot be named; other inputs are the card's."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, ON)

    answers = [await act(upcard, "blankpush", inputs=given) for given in ({"device_id": "d2"}, {"x": 1})]

    assert [answer.json()["errors"][0]["at"] for answer in answers] == ["inputs/device_id", "inputs/x"]
    assert told(kandji) == []
