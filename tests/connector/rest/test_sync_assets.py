"""Assets of a sync through HTTP: what they are linked to, and checkouts, check-ins and tags by people."""

from typing import Any

import httpx
import pytest
import respx

from connector.sdk.inventory import Asset
from tests.conftest import Upcard, asked
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.sync_parts import SERIAL, SYNC, a_sync, audited, linked, listed


async def person(upcard: Upcard, name: str = "Kim", email: str = "kim@example.com") -> str:
    syncs = upcard.host.syncs
    made = await syncs.both(await syncs.get("fleet")).assets.create_person({"name": name, "email": email})
    return made.sys_id


async def now(upcard: Upcard, asset: Asset) -> Asset:
    syncs = upcard.host.syncs
    found = await syncs.both(await syncs.get("fleet")).assets.asset(asset.sys_id)
    assert found
    return found


async def change(upcard: Upcard, verb: str, asset: str = SERIAL, **body: Any) -> httpx.Response:
    return await upcard.http.post(f"{SYNC}/assets/{asset}/{verb}", json=body)


async def announced(upcard: Upcard) -> list[tuple[str, str]]:
    found = (await upcard.http.get(f"{SYNC}/outbox")).json()["items"]
    return [(entry["asset"], entry["origin"]) for entry in found]


async def test_an_asset_says_what_it_is_linked_to(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """By its ID and by its serial number; with the page of the device, and nothing asked of the MDM for that."""
    upcard = await fresh()
    asset = await linked(upcard)

    answers = [await upcard.http.get(f"{SYNC}/assets/{name}") for name in (asset.sys_id, SERIAL, SERIAL.lower())]

    found = answers[0].json()
    assert [answer.json() for answer in answers] == [found] * 3
    assert {**found, "since": ""} == {
        "asset": asset.sys_id,
        "device": "d1",
        "state": "active",
        "matched_by": "serial",
        "since": "",
        "view": "https://acme.kandji.io/devices/d1",
        "actions": [],
    }
    assert asked(kandji) == []


async def test_an_asset_that_is_not_linked_is_not_there(fresh: Fresh) -> None:
    """404 for a name that nothing has."""
    upcard = await fresh()
    await linked(upcard)

    answer = await upcard.http.get(f"{SYNC}/assets/nobody")

    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")


@pytest.mark.parametrize("by", ["id", "email"])
async def test_an_asset_is_checked_out(fresh: Fresh, by: str) -> None:
    """To a person by ID or email; the MDM is to hear at once, and the audit names who did it and no person."""
    upcard = await fresh()
    asset = await linked(upcard)
    kim = await person(upcard)

    answer = await change(upcard, "check_out", person=kim if by == "id" else "KIM@example.com")

    assert (answer.status_code, answer.json()["assignee"]) == (200, {"kind": "person", "id": kim})
    assert (answer.json()["asset"], answer.json()["serial"]) == (asset.sys_id, SERIAL)
    assert (await now(upcard, asset)).assignee.id == kim
    assert await announced(upcard) == [(asset.sys_id, "check_out")]
    [entry] = await audited(upcard, "sync_check_out")
    assert (entry["asset"], entry["caller"]) == (asset.sys_id, upcard.caller)


async def test_an_asset_is_checked_in(fresh: Fresh) -> None:
    """It is with nobody then, and the MDM is to hear of it."""
    upcard = await fresh()
    asset = await linked(upcard)
    await change(upcard, "check_out", person=await person(upcard))

    answer = await change(upcard, "check_in", asset.sys_id)

    assert (answer.status_code, answer.json()["assignee"]) == (200, {"kind": "none", "id": None})
    assert await announced(upcard) == [(asset.sys_id, "check_in")]


async def test_an_asset_is_tagged(fresh: Fresh) -> None:
    """The answer has the new tag."""
    upcard = await fresh()
    asset = await linked(upcard)

    answer = await change(upcard, "tag", tag="NEW-1")

    assert (answer.status_code, answer.json()["tag"], (await now(upcard, asset)).tag) == (200, "NEW-1", "NEW-1")
    assert await announced(upcard) == [(asset.sys_id, "tag")]
    assert (await change(upcard, "tag", tag=" ")).status_code == 400


async def test_what_the_asset_system_refuses_is_told_in_its_words(fresh: Fresh) -> None:
    """502 refused, and nothing is announced."""
    upcard = await fresh()
    await linked(upcard)
    kim = await person(upcard)
    await change(upcard, "check_out", person=kim)
    before = (await upcard.http.get(f"{SYNC}/outbox")).json()

    taken = await change(upcard, "check_out", person=kim)
    await change(upcard, "check_in")
    free = await change(upcard, "check_in")

    assert (taken.status_code, taken.json()["type"]) == (502, "refused")
    assert taken.json()["detail"] == "The asset T-d1 is with somebody, or at a place: it has to be checked in first."
    assert free.json()["detail"] == "The asset T-d1 is with nobody: there is nothing to check in."
    assert before["items"][0]["turn"] == 0


async def test_exactly_one_person_is_named(fresh: Fresh) -> None:
    """Nobody, or two with one email: 400, and nothing is changed."""
    upcard = await fresh()
    asset = await linked(upcard)
    await person(upcard, "A")
    await person(upcard, "B")

    answers = [await change(upcard, "check_out", person=name) for name in ("kim@example.com", "no@example.com", "99")]

    assert [(answer.status_code, answer.json()["errors"][0]["at"]) for answer in answers] == [(400, "person")] * 3
    assert "several people" in answers[0].json()["detail"]
    assert "nobody" in answers[1].json()["detail"]
    assert ((await now(upcard, asset)).assignee.kind, await announced(upcard)) == ("none", [])


async def test_an_asset_without_a_device_is_changed_and_not_announced(fresh: Fresh) -> None:
    """It is of the asset system; the MDM has nothing to hear of it. Two with one serial number are named by ID."""
    upcard = await fresh()
    await a_sync(upcard)
    syncs = upcard.host.syncs
    system = syncs.both(await syncs.get("fleet")).assets
    made = [await system.create_asset({"serial": serial}) for serial in ("ALONE", "TWICE", "TWICE")]

    answers = [await change(upcard, "tag", name, tag="NEW") for name in ("ALONE", made[1].sys_id, "TWICE", "nobody")]

    assert [answer.status_code for answer in answers] == [200, 200, 409, 404]
    assert await announced(upcard) == []


async def test_actions_of_a_device_are_asked_of_the_mdm(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """All that are allowed, where the device takes them now."""
    upcard = await fresh()
    listed(kandji)
    await linked(upcard, "actions: { enabled: true, allow: [lock, restart] }\n")

    assert (await upcard.http.get(f"{SYNC}/assets/{SERIAL}")).json()["actions"] == ["lock", "restart"]


async def test_what_waits_for_a_sync_that_is_not_enabled_says_so(fresh: Fresh) -> None:
    """And nothing of it any more once that is enabled."""
    upcard = await fresh()
    asset = await linked(upcard)
    said = []

    for enabled in (False, True):
        await upcard.http.patch(SYNC, json={"enabled": enabled})
        await upcard.http.post(f"{SYNC}/hook/assets/{asset.sys_id}")
        said.append((await upcard.http.get(f"{SYNC}/outbox")).json()["items"][0]["why"])

    assert said == ["The sync is not enabled: its next apply tells the MDM.", None]
