"""Secrets in what cards give are for who may see them."""

import pytest
import respx

from tests.conftest import asked
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import another


async def test_who_may_not_see_secrets_locks_without_learning_the_pin(
    on_either: Fresh, kandji: respx.MockRouter
) -> None:
    """SEC-3: the command is the command; the PIN is for others."""
    upcard = await on_either()
    kandji.post("/devices/d1/action/lock").respond(200, json={"PIN": "048213"})
    kandji.get("/devices/d1").respond(200, json={"device_id": "d1", "platform": "Mac"})

    async with another(upcard, "cards:write") as who:
        answer = await who.post("/v1/cards/kandji/lock_device", json={"inputs": {"device_id": "d1"}})

    assert (answer.status_code, answer.json()["outputs"]["pin"]) == (200, "[redacted]")
    assert "048213" not in answer.text


@pytest.mark.parametrize("card", ["get_filevault_recovery_key", "get_unlock_pin", "get_activation_lock_bypass_codes"])
async def test_a_card_of_secrets_needs_the_scope(on_either: Fresh, kandji: respx.MockRouter, card: str) -> None:
    """SEC-3, AU-4: 403, and the service is not asked."""
    upcard = await on_either()

    async with another(upcard, "cards:read", "cards:write", "cards:destroy") as who:
        answer = await who.post(f"/v1/cards/kandji/{card}", json={"inputs": {"device_id": "d1"}})

    assert (answer.status_code, asked(kandji)) == (403, [])


async def test_records_are_given_without_secrets(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-3: an enrollment code in a list is one as well."""
    upcard = await on_either()
    found = {"results": [{"id": "b1", "name": "One", "enrollment_code": {"code": "s3cret-code"}}], "next": None}
    kandji.get("/blueprints").respond(200, json=found)
    lines = {"Accept": "application/x-ndjson"}

    async with another(upcard, "cards:read") as who:
        answers = [
            await who.post("/v1/cards/kandji/list_blueprints", json={"options": {"result_set": "first_200"}}),
            await who.post("/v1/cards/kandji/list_blueprints", json={}, headers=lines),
        ]

    assert [("One" in answer.text, "s3cret-code" in answer.text) for answer in answers] == [(True, False)] * 2


async def test_a_refusal_of_a_list_with_secrets_has_no_words(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-3, SEC-5: what the service says may repeat an enrollment code; neither answers nor runs have it."""
    upcard = await on_either()
    kandji.get("/blueprints").respond(403, json={"detail": "The code is s3cret-code."})
    path, lines = "/v1/cards/kandji/list_blueprints", {"Accept": "application/x-ndjson"}

    answers = [
        await upcard.http.post(path, json={"options": {"result_set": "first_200"}}),
        await upcard.http.post(path, json={}, headers=lines),
        await upcard.http.get("/v1/cards/kandji/get_blueprint/choices/blueprint_id"),
    ]
    runs = await upcard.http.get("/v1/runs")

    assert [answer.json()["service"] for answer in answers] == [{"status": 403, "said": ""}] * 3
    assert "s3cret-code" not in runs.text + "".join(answer.text for answer in answers)
