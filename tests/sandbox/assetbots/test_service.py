"""Limits, faults, the admin calls and the command."""

import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.admin import ADMIN as ADMIN_PATH
from sandbox.assetbots.admin import CALLS
from tests.sandbox.assetbots.workspaces import ADMIN, Api


@pytest.mark.parametrize("retry_after", ["7", None])
async def test_too_many_requests_are_told(api: Api, retry_after: str | None) -> None:
    """429 with and without Retry-After; a second later it goes on."""
    client = api(clock=lambda: 1_795_000_000.0)
    await client.post(f"{ADMIN}/limits", json={"per_second": 1, "retry_after": retry_after})

    answers = [await client.get("/databases") for _ in range(2)]
    await client.post(f"{ADMIN}/clock", json={"seconds": 1})

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers.get("retry-after") == retry_after
    assert (await client.get("/databases")).status_code == 200


async def test_a_fault_is_met(client: httpx.AsyncClient) -> None:
    """Once, where it is asked for; then all is well."""
    fault = {"kind": "status", "status": 403, "method": "POST", "path": "/assets", "times": 1}
    await client.post(f"{ADMIN}/faults", json=fault)

    statuses = [(await client.post("/assets", json={})).status_code for _ in range(2)]

    assert statuses == [403, 201]


async def test_a_page_comes_instead_of_json(client: httpx.AsyncClient) -> None:
    """As from a login that stands before a wrong address."""
    await client.post(f"{ADMIN}/faults", json={"kind": "html"})

    assert (await client.get("/databases")).headers["content-type"].startswith("text/html")
    assert (await client.delete(f"{ADMIN}/faults")).json() == []


async def test_requests_are_listed(client: httpx.AsyncClient) -> None:
    """With their route and status; the key is not kept."""
    await client.get("/assets?limit=1")
    log = (await client.get(f"{ADMIN}/requests")).json()
    await client.delete(f"{ADMIN}/requests")

    assert (log["routes"], log["statuses"]) == ({"GET /v1/assets": 1}, {"200": 1})
    assert client.headers["x-api-key"] not in str(log)
    assert (await client.get(f"{ADMIN}/requests")).json()["total"] == 0


async def test_reset_starts_again(client: httpx.AsyncClient) -> None:
    """With other switches; the key stays."""
    await client.post("/assets", json={"tag": "N1"})

    state = (await client.post(f"{ADMIN}/reset", json={"custom_fields": "wrapped"})).json()
    asset = (await client.get("/assets?limit=1")).json()["data"][0]

    assert (state["assets"], state["settings"]["custom_fields"]) == (12, "wrapped")
    assert asset["brand"] == {"value": "Apple"}


async def test_the_list_shifts(client: httpx.AsyncClient) -> None:
    """Assets come and go while somebody reads."""
    gone = (await client.request("DELETE", f"{ADMIN}/assets", json={"offset": 1, "count": 2})).json()["ids"]
    added = (await client.post(f"{ADMIN}/assets", json={"count": 3})).json()["ids"]

    listed = [asset["id"] for asset in (await client.get("/assets")).json()["data"]]

    assert (len(listed), listed[-3:]) == (13, added)
    assert set(gone).isdisjoint(listed)


@pytest.mark.parametrize(("path", "body"), [("faults", {"kind": "earthquake"}), ("reset", {"asets": 1})])
async def test_a_wrong_admin_call_is_explained(client: httpx.AsyncClient, path: str, body: Any) -> None:
    """400 with what is wrong."""
    assert (await client.post(f"{ADMIN}/{path}", json=body)).status_code == 400


def test_the_readme_lists_every_admin_call() -> None:
    """No call is missing from its table, and none is too many."""
    readme = (Path(__file__).parents[3] / "sandbox/README.md").read_text()
    table = readme.partition("## Admin calls of `assetbots`")[2].partition("## Admin calls of `snipeit`")[0]
    calls = {f"{method} {ADMIN_PATH}{path}" for path, methods in CALLS.items() for method in methods}

    found = set(re.findall(r"^\| `([A-Z]+ /_sandbox.*?)` \|", table, re.MULTILINE))
    assert found == {call.replace(":int", "") for call in calls}


def test_a_workspace_tells_its_address_and_key() -> None:
    """What it prints is enough to call it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox", "assetbots", "--port", str(port), "--assets", "3"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        words = [process.stdout.readline().split() for _ in range(3)]
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), headers={"X-Api-Key": words[2][1]}) as client:
            assets = client.get(f"{words[1][1]}/v1/assets").json()["data"]
        process.terminate()

    assert len(assets) == 3
