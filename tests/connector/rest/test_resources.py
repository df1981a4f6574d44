"""Connections and helper flows over HTTP: secrets go in and never come out."""

from typing import Any

import httpx
import pytest
import respx

from connector.catalog.find import catalog
from connector.engine.policies import Policy
from tests.conftest import TENANT, TOKEN, Upcard
from tests.connector.rest.conftest import Fresh

NEW = {"name": "beta", "connector": "kandji", "fields": {"url": TENANT, "token": "s3cret-token"}}
FLOW = {"name": "onboard", "url": "https://hooks.example.com:443/f/s3cret-path?t=s3cret-query"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def made(upcard: Upcard, kandji: respx.MockRouter) -> httpx.Response:
    kandji.get("/devices").respond(json=[])
    return await upcard.http.post("/v1/connections", json=NEW)


async def test_a_connection_is_made(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """201 with its place; what is secret is not in the answer."""
    upcard = await fresh()

    answer = await made(upcard, kandji)

    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/connections/beta")
    assert {**answer.json(), "created": "", "changed": ""} == {
        **{"name": "beta", "connector": "kandji", "fields": {"url": TENANT}, "created": "", "changed": ""},
        "policy": Policy().shown(),
    }


async def test_secrets_of_connections_never_come_out(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SEC-3: from no call that shows, changes, checks or lists connections, nor from an error."""
    upcard = await fresh()
    kandji.get(path__startswith="/").respond(json=[])
    answers = [
        await made(upcard, kandji),
        await made(upcard, kandji),
        await upcard.http.get("/v1/connections"),
        await upcard.http.get("/v1/connections/beta"),
        await upcard.http.patch("/v1/connections/beta", json={"fields": {"token": "s3cret-new"}}),
        await upcard.http.patch("/v1/connections/beta", json={"fields": {"url": "s3cret", "token": "s3cret"}}),
        await upcard.http.post("/v1/connections/beta/check"),
        await upcard.http.get("/v1/connectors/kandji"),
    ]

    assert [answer.status_code for answer in answers] == [201, 409, 200, 200, 200, 400, 200, 200]
    assert not any(secret in answer.text for answer in answers for secret in ("s3cret", TOKEN))


async def test_a_new_address_needs_the_token_again(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """SSRF-14: over HTTP as well."""
    upcard = await fresh()

    answer = await upcard.http.patch("/v1/connections/acme", json={"fields": {"url": "https://b.api.kandji.io"}})

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, ["fields/token"])


async def test_a_connection_is_checked(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """It says for each card whether the token permits it."""
    kandji.get(path__startswith="/devices").respond(json=[])
    kandji.get(path__startswith="/blueprints").respond(403)
    kandji.get(path__startswith="/integrations").respond(404)

    answer = await upcard.http.post("/v1/connections/acme/check")

    said = answer.json()
    words = {"granted": True, "missing": False, "unknown": None}
    granted = {card: means for word, means in words.items() for card in said.pop(word)}
    assert (answer.status_code, said) == (200, {"connection": "acme", "connected": True})
    assert granted.keys() == {card.key for card in catalog().connector("kandji").cards}
    assert {
        "kandji.list_devices": True,
        "kandji.get_blueprint": False,
        "kandji.lock_device": None,
    }.items() <= granted.items()


async def test_a_check_says_that_the_token_is_refused(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """As a call would."""
    kandji.get(path__startswith="/").respond(401, json={"detail": "Invalid token."})

    answer = await upcard.http.post("/v1/connections/acme/check")

    assert (answer.status_code, answer.json()["type"]) == (409, "not_connected")


async def test_a_connection_is_deleted(fresh: Fresh, kandji: respx.MockRouter) -> None:
    """204 and nothing else; then it is not there."""
    upcard = await fresh()

    answer = await upcard.http.delete("/v1/connections/acme")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await upcard.http.get("/v1/connections/acme")).status_code == 404


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, ["name", "connector", "fields"]),
        ({**NEW, "name": "a" * 65}, ["name"]),
        ({**NEW, "name": "A b"}, ["name"]),
        ({**NEW, "fields": []}, ["fields"]),
        ({**NEW, "fields": {}}, ["fields/url", "fields/token"]),
        ({**NEW, "tokn": "s3cret"}, ["tokn"]),
    ],
)
async def test_a_wrong_connection_is_told(upcard: Upcard, body: dict[str, Any], at: list[str]) -> None:
    """Every fault at once, each by its place."""
    answer = await upcard.http.post("/v1/connections", json=body)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, at)
    assert "s3cret" not in answer.text


async def test_a_flow_s_secret_is_shown_once(fresh: Fresh) -> None:
    """CB-3: when it is made; whoever lost it makes another flow."""
    upcard = await fresh()

    answer = await upcard.http.post("/v1/flows", json={**FLOW, "secret": SECRET})

    shown = {**answer.json(), "created": ""}
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/flows/onboard")
    assert shown == {
        "name": "onboard",
        "host": "https://hooks.example.com:443",
        "inputs": None,
        "created": "",
        "secret": SECRET,
    }
    assert set((await upcard.http.get("/v1/flows/onboard")).json()) == {"name", "host", "inputs", "created"}


@pytest.mark.parametrize("secret", [None, "", "  "])
async def test_a_blank_secret_is_made_up(fresh: Fresh, secret: str | None) -> None:
    """CB-3: it signs, so it is never empty."""
    answer = await (await fresh()).http.post("/v1/flows", json={**FLOW, "secret": secret})

    assert answer.json()["secret"].startswith("whsec_")


async def test_addresses_of_flows_never_come_out(fresh: Fresh) -> None:
    """CB-12: only the host does: the path, the query and the headers hold secrets."""
    upcard = await fresh()
    answers = [
        await upcard.http.post("/v1/flows", json={**FLOW, "headers": {"x-token": "s3cret-header"}}),
        await upcard.http.post("/v1/flows", json=FLOW),
        await upcard.http.post("/v1/flows", json={**FLOW, "name": "B", "headers": {"Host": "s3cret"}}),
        await upcard.http.get("/v1/flows"),
        await upcard.http.get("/v1/flows/onboard"),
    ]

    assert [answer.status_code for answer in answers] == [201, 409, 400, 200, 200]
    assert not any("s3cret" in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://a.example:8443/", "destination_not_allowed"),
        ("http://a.example/", "destination_not_allowed"),
        ("https://169.254.169.254/", "destination_not_allowed"),
        ("https://[::ffff:10.0.0.1]/", "destination_not_allowed"),
        ("https://me:s3cret@a.example/", "invalid_call"),
        ("javascript:alert(1)", "invalid_call"),
    ],
)
async def test_a_flow_goes_only_where_it_may(upcard: Upcard, url: str, slug: str) -> None:
    """SSRF-2, SSRF-4: refused when it is registered, without a word about addresses."""
    answer = await upcard.http.post("/v1/flows", json={"name": "x", "url": url})

    assert (answer.status_code, answer.json()["type"]) == (400, slug)
    assert [error["at"] for error in answer.json()["errors"]] == ["url"]
    assert not any(word in answer.text for word in ("s3cret", "169", "example", "8443"))


async def test_a_flow_is_deleted(fresh: Fresh) -> None:
    """204 and nothing else; then it is not there."""
    upcard = await fresh()
    await upcard.http.post("/v1/flows", json=FLOW)

    answer = await upcard.http.delete("/v1/flows/onboard")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await upcard.http.get("/v1/flows")).json() == {"items": [], "next": None}
