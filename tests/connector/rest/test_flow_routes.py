"""Helper flows over HTTP: what is shown, what is changed, and what a test of one says."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from connector.catalog.find import catalog
from connector.engine.flows import new_secret
from connector.sdk.tables import rows
from tests.conftest import Upcard, opened
from tests.receiver import receiving

URL = "https://flows.example.com/onboard?clientToken=t0ken"
INPUTS = {"properties": {"Record": {"required": ["serial_number"]}, "State": {"required": ["manager"]}}}


async def create(upcard: Upcard, name: str, **more: Any) -> httpx.Response:
    return await upcard.http.post("/v1/flows", json={"name": name, "url": URL, **more})


async def change(upcard: Upcard, name: str, /, **changes: Any) -> httpx.Response:
    return await upcard.http.patch(f"/v1/flows/{name}", json=changes)


async def test_a_flow_is_shown_with_its_inputs_and_without_its_secrets(upcard: Upcard) -> None:
    """Alone and in the list; the secret is in the first answer only."""
    created = await create(upcard, "shown", inputs=INPUTS, headers={"x-api-client-token": "t0ken"})
    got = await upcard.http.get("/v1/flows/shown")
    listed = await upcard.http.get("/v1/flows")

    assert set(got.json()) == {"name", "host", "inputs", "created"}
    assert (got.json()["host"], got.json()["inputs"]) == ("https://flows.example.com", INPUTS)
    assert got.json() in listed.json()["items"]
    assert created.json()["secret"].startswith("whsec_")
    assert "t0ken" not in created.text + got.text + listed.text


async def test_a_flow_without_inputs_takes_anything(upcard: Upcard) -> None:
    """No schema is shown as null."""
    created = await create(upcard, "plain")

    assert created.json()["inputs"] is None


@pytest.mark.parametrize("inputs", [{"type": "device"}, {"$ref": "https://example.com/"}, "device", [INPUTS]])
async def test_inputs_that_are_no_schema_are_refused(upcard: Upcard, inputs: Any) -> None:
    """At once, by name, and no flow is made."""
    answer = await create(upcard, "refused", inputs=inputs)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, ["inputs"])
    assert (await upcard.http.get("/v1/flows/refused")).status_code == 404


async def test_every_fault_of_a_new_flow_is_told(upcard: Upcard) -> None:
    """Name, secret, headers and inputs."""
    answer = await create(upcard, "No Name", secret="short", headers={"Host": "x"}, inputs={"type": "device"})

    assert [error["at"] for error in answer.json()["errors"]] == ["name", "secret", "headers", "inputs"]


async def test_what_is_not_given_stays(upcard: Upcard) -> None:
    """A change of the inputs leaves the address and the secret as they are."""
    created = await create(upcard, "changed", secret=new_secret())
    before = await upcard.host.flows.get("changed")

    answer = await change(upcard, "changed", inputs=INPUTS, url=None, secret="")

    after = await upcard.host.flows.get("changed")
    assert (answer.status_code, answer.json()["inputs"], after.target) == (200, INPUTS, before.target)
    assert created.json()["created"] == answer.json()["created"]


async def test_an_empty_schema_takes_the_inputs_away(upcard: Upcard) -> None:
    """`{}` takes anything, which is what no schema does."""
    await create(upcard, "emptied", inputs=INPUTS)

    answer = await change(upcard, "emptied", inputs={})

    assert answer.json()["inputs"] is None


async def test_a_rotation_answers_the_new_secret_and_how_long_the_old_one_is_good(upcard: Upcard) -> None:
    """Once; after that only until when."""
    created = await create(upcard, "rotating")

    rotated = await change(upcard, "rotating", rotate=True)

    got = (await upcard.http.get("/v1/flows/rotating")).json()
    assert rotated.json()["secret"] != created.json()["secret"]
    assert "secret" not in got
    assert got["rotating_until"] == rotated.json()["rotating_until"] > got["created"]


async def test_a_secret_can_be_given(upcard: Upcard) -> None:
    """It is the one that signs from now on."""
    await create(upcard, "given")

    answer = await change(upcard, "given", secret=(secret := new_secret()))

    assert answer.json()["secret"] == secret == (await upcard.host.flows.get("given")).target.secret


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, [""]),
        ({"url": "ftp://flows.example.com"}, ["url"]),
        ({"secret": "whsec_c2hvcnQ="}, ["secret"]),
        ({"rotate": True, "secret": new_secret()}, ["rotate"]),
        ({"headers": {"webhook-id": "x"}}, ["headers"]),
        ({"inputs": {"required": ["serial"]}}, ["inputs"]),
        ({"name": "other"}, ["name"]),
        ({"rotate": "maybe", "headers": []}, ["headers", "rotate"]),
    ],
)
async def test_a_wrong_change_is_named(upcard: Upcard, changes: dict[str, Any], at: list[str]) -> None:
    """As it is when a flow is made."""
    await create(upcard, "wrong")

    answer = await change(upcard, "wrong", **changes)

    assert (answer.status_code, [error["at"] for error in answer.json()["errors"]]) == (400, at)


async def test_a_flow_cannot_be_led_to_where_nobody_may_call(upcard: Upcard) -> None:
    """The new address is checked like the first one."""
    await create(upcard, "led")

    answer = await change(upcard, "led", url="https://169.254.169.254/latest")

    assert answer.json()["type"] == "destination_not_allowed"
    assert (await upcard.host.flows.get("led")).target.url == URL


async def test_headers_do_not_follow_to_another_address(upcard: Upcard) -> None:
    """Their secrets would be sent to whoever is there; whoever gives them anew has them."""
    await create(upcard, "headed", headers={"x-api-client-token": "t0ken"})

    alone = await change(upcard, "headed", url="https://elsewhere.example.com/")
    both = await change(upcard, "headed", url="https://elsewhere.example.com/", headers={})

    assert [error["at"] for error in alone.json()["errors"]] == ["headers"]
    assert (both.status_code, both.json()["host"]) == (200, "https://elsewhere.example.com")


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", ""), ("GET", ""), ("POST", "/test")])
async def test_a_flow_that_is_not_there_is_404(upcard: Upcard, method: str, path: str) -> None:
    """For every operation."""
    answer = await upcard.http.request(
        method, f"/v1/flows/nobody{path}", json={"url": URL} if method == "PATCH" else {}
    )

    assert (answer.status_code, answer.json()["type"]) == (404, "no_such_flow")


async def test_a_test_sends_one_signed_sample(upcard: Upcard) -> None:
    """The body is what a record's would be, and the headers come along."""
    async with receiving() as receiver:
        secret = (await create(upcard, "tested", url=receiver.url, headers={"x-api-client-token": "t0ken"})).json()
        answer = await upcard.http.post("/v1/flows/tested/test")

    assert answer.json() == {"delivered": True, "status": 204, "milliseconds": answer.json()["milliseconds"]}
    assert receiver.sent == [{"Record": {"hello": "world"}, "State": {}}]
    assert receiver.headers[0]["x-api-client-token"] == "t0ken"
    Webhook(secret["secret"]).verify(receiver.raw[0], receiver.headers[0])


async def test_a_sample_is_like_the_records_of_the_card(upcard: Upcard) -> None:
    """Every documented key, with a value of its type."""
    async with receiving() as receiver:
        await create(upcard, "sampled", url=receiver.url)
        await upcard.http.post("/v1/flows/sampled/test", json={"card": "kandji.list_devices"})

    card = catalog().card("kandji.list_devices")
    assert card.record
    assert list(receiver.records[0]) == [row.key for row in rows(card.record)]
    assert receiver.records[0] | {"device_id": "text", "mdm_enabled": True, "tags": []} == receiver.records[0]


@pytest.mark.parametrize(("status", "delivered"), [(200, True), (302, False), (410, False), (500, False), (429, False)])
async def test_a_test_says_what_the_flow_answered(upcard: Upcard, status: int, delivered: bool) -> None:
    """One attempt, whatever it was."""
    async with receiving(lambda _: web.Response(status=status, headers={"Location": "/flow"})) as receiver:
        await create(upcard, f"answers-{status}", url=receiver.url)
        answer = await upcard.http.post(f"/v1/flows/answers-{status}/test", json={})

    assert (answer.json()["delivered"], answer.json()["status"]) == (delivered, status)
    assert len(receiver.sent) == 1


async def test_a_test_that_reaches_nobody_has_no_status(upcard: Upcard) -> None:
    """Nothing listens there."""
    async with receiving() as receiver:
        await create(upcard, "unreachable", url=receiver.url)

    answer = await upcard.http.post("/v1/flows/unreachable/test", json={})

    assert (answer.json()["delivered"], answer.json()["status"]) == (False, None)


async def test_a_name_that_leads_inside_is_not_tested(upcard: Upcard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard looks the name up, and refuses before it dials; the answer says no more than that."""

    async def inside(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]

    await create(upcard, "inside")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", inside)

    answer = await upcard.http.post("/v1/flows/inside/test", json={})

    assert (answer.status_code, answer.json()["type"]) == (400, "destination_not_allowed")
    assert "10.0.0.1" not in answer.text


async def test_an_address_that_is_not_allowed_any_more_is_not_tested(tmp_path: Path) -> None:
    """What the operator allows may have changed since the flow was made."""
    async with receiving() as receiver:
        async with opened(tmp_path, allow_receivers="127.0.0.1:*") as lenient:
            await create(lenient, "internal", url=receiver.url)
            await lenient.host.connections.delete("acme")
        async with opened(tmp_path) as strict:
            answer = await strict.http.post("/v1/flows/internal/test", json={})

    assert (answer.status_code, answer.json()["type"], receiver.sent) == (400, "destination_not_allowed", [])


@pytest.mark.parametrize(("card", "status"), [("kandji.lock_device", 400), ("kandji.nothing", 404)])
async def test_a_sample_is_of_a_list_card(upcard: Upcard, card: str, status: int) -> None:
    """Other cards have no records."""
    await create(upcard, "carded")

    answer = await upcard.http.post("/v1/flows/carded/test", json={"card": card})

    assert answer.status_code == status
