"""Custom API Action sends nothing that the equal card would not."""

import pytest
import respx

from tests.conftest import asked
from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import CLEAR, CUSTOM, another, custom, decisions, policy, sent


@pytest.mark.parametrize("url", [CLEAR, CLEAR.upper(), f"{CLEAR}/", "/devices/d2/action/clearpass%63ode"])
async def test_a_written_request_is_under_the_policy_of_its_card(
    on_either: Fresh, kandji: respx.MockRouter, url: str
) -> None:
    """SSRF-10: however it is spelt."""
    upcard = await on_either()
    await policy(upcard, destroy="off")

    answer = await custom(upcard, "POST", url)

    assert (answer.status_code, sent(kandji)) == (403, [])
    assert (await decisions(upcard))[-1] == ("call", "kandji.custom_api_action", "refused", "forbidden")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("DELETE", "/devices/d2"),
        ("DELETE", "/users/u1"),
        ("DELETE", "/devices/d2/details/lostmode"),
        ("POST", "/devices/d2/action/deleteuser"),
        ("PATCH", "/unheard/of"),
    ],
)
async def test_what_no_card_sends_counts_as_destructive(
    on_either: Fresh, kandji: respx.MockRouter, method: str, url: str
) -> None:
    """SSRF-10: whatever is not known is taken for the worst."""
    upcard = await on_either()
    await policy(upcard, destroy="off")

    assert (await custom(upcard, method, url)).status_code == 403
    assert sent(kandji) == []


@pytest.mark.parametrize(
    ("method", "url", "scopes"),
    [
        ("POST", CLEAR, {"cards:read", "cards:write", "cards:secret"}),
        ("POST", "/devices/d2/action/restart", {"cards:read", "cards:destroy"}),
        ("GET", "/devices/d2/secrets/filevaultkey", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/devices/d2/secrets/recoverypassword", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/devices", {"cards:write", "cards:destroy"}),
        ("POST", "/devices/d2/action/lock", {"cards:read", "cards:write", "cards:destroy"}),
        ("POST", "/devices/d2/action/erase", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/blueprints", {"cards:read", "cards:write", "cards:destroy"}),
        ("GET", "/blueprints/b1/", {"cards:read", "cards:write", "cards:destroy"}),
    ],
)
async def test_a_written_request_needs_the_scopes_of_its_card(
    on_either: Fresh, kandji: respx.MockRouter, method: str, url: str, scopes: set[str]
) -> None:
    """SSRF-10, AU-4: Custom API Action is no way around them."""
    upcard = await on_either()
    said = {"options": {"request_type": method}, "inputs": {"relative_url": url}}

    async with another(upcard, *scopes, cards=("*", "kandji.custom_api_action")) as who:
        answer = await who.post("/v1/cards/kandji/custom_api_action", json=said)

    assert (answer.status_code, answer.json()["type"], asked(kandji)) == (403, "forbidden", [])


async def test_a_written_request_needs_its_card(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """SSRF-10: a key that is not for Clear Passcode cannot write it."""
    upcard = await on_either()

    async with another(upcard, cards=("kandji.custom_api_action", "kandji.get_device")) as who:
        answer = await who.post("/v1/cards/kandji/custom_api_action", json=CUSTOM)

    assert (answer.status_code, asked(kandji)) == (403, [])


async def test_custom_api_action_is_given_by_name_only(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """AU-4: neither `*` nor `kandji.*` covers it."""
    upcard = await on_either()

    for cards in [("*",), ("kandji.*",)]:
        async with another(upcard, cards=cards) as who:
            answer = await who.post("/v1/cards/kandji/custom_api_action", json=CUSTOM)
            assert (answer.status_code, asked(kandji)) == (403, [])
