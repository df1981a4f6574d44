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
from sandbox.snipeit.admin import CALLS
from tests.sandbox.snipeit.servers import ADMIN, Api


@pytest.mark.parametrize(("says_when", "header"), [(True, "60"), (False, None)])
async def test_too_many_requests_are_told(api: Api, says_when: bool, header: str | None) -> None:
    """429, with Retry-After or as older versions without; a minute later it goes on."""
    client = api(clock=lambda: 1_795_000_000.0)
    await client.post(f"{ADMIN}/limits", json={"per_minute": 2, "retry_after": says_when})

    answers = [await client.get("/users/me") for _ in range(3)]
    await client.post(f"{ADMIN}/clock", json={"seconds": 60})

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers.get("retry-after") == header
    assert answers[2].json()["messages"].startswith("Too many requests")
    assert (await client.get("/users/me")).status_code == 200


async def test_a_fault_is_met(client: httpx.AsyncClient) -> None:
    """Once, where it is asked for; then all is well."""
    fault = {"kind": "status", "status": 403, "method": "GET", "path": "/hardware/*", "times": 1}
    await client.post(f"{ADMIN}/faults", json=fault)

    statuses = [(await client.get("/hardware/1")).status_code for _ in range(2)]

    assert statuses == [403, 200]


async def test_a_page_comes_instead_of_json(client: httpx.AsyncClient) -> None:
    """As from a login that stands before a wrong address; and outside of the API."""
    await client.post(f"{ADMIN}/faults", json={"kind": "html"})
    login = await client.get("/users/me")
    await client.delete(f"{ADMIN}/faults")

    outside = await client.get("http://server.test/hardware")

    assert [page.headers["content-type"].partition(";")[0] for page in (login, outside)] == ["text/html"] * 2
    assert (login.status_code, outside.status_code) == (200, 404)


async def test_requests_are_listed(client: httpx.AsyncClient) -> None:
    """With their route and status; the token is not kept."""
    await client.get("/hardware/1")
    log = (await client.get(f"{ADMIN}/requests")).json()
    await client.delete(f"{ADMIN}/requests")

    assert (log["routes"], log["statuses"]) == ({"GET /api/v1/hardware/{id}": 1}, {"200": 1})
    assert client.headers["authorization"].removeprefix("Bearer ") not in str(log)
    assert (await client.get(f"{ADMIN}/requests")).json()["total"] == 0


async def test_reset_starts_again(client: httpx.AsyncClient) -> None:
    """With other switches; the token stays."""
    await client.post("/hardware", json={"model_id": 1, "status_id": 2, "asset_tag": "N1"})

    state = (await client.post(f"{ADMIN}/reset", json={"max_results": 3})).json()
    listed = (await client.get("/hardware")).json()

    assert (state["assets"], state["settings"]["max_results"], len(listed["rows"])) == (24, 3, 3)


async def test_the_list_shifts(client: httpx.AsyncClient) -> None:
    """Assets come and go while somebody reads."""
    gone = (await client.request("DELETE", f"{ADMIN}/assets", json={"offset": 1, "count": 2})).json()["ids"]
    added = (await client.post(f"{ADMIN}/assets", json={"count": 2})).json()["ids"]

    listed = [asset["id"] for asset in (await client.get("/hardware?sort=id&order=asc")).json()["rows"]]

    assert (gone, listed[:2], listed[-2:]) == ([2, 3], [1, 4], added)


@pytest.mark.parametrize(("path", "body"), [("faults", {"kind": "earthquake"}), ("reset", {"asets": 1})])
async def test_a_wrong_admin_call_is_explained(client: httpx.AsyncClient, path: str, body: Any) -> None:
    """400 with what is wrong."""
    assert (await client.post(f"{ADMIN}/{path}", json=body)).status_code == 400


def test_the_readme_lists_every_admin_call() -> None:
    """No call is missing from its table, and none is too many."""
    readme = (Path(__file__).parents[3] / "sandbox/README.md").read_text()
    table = readme.partition("## Admin calls of `snipeit`")[2]
    calls = {f"{method} {ADMIN_PATH}{path}" for path, methods in CALLS.items() for method in methods}

    found = set(re.findall(r"^\| `([A-Z]+ /_sandbox.*?)` \|", table, re.MULTILINE))
    assert found == {call.replace(":int", "") for call in calls}


def test_a_server_tells_its_address_and_token() -> None:
    """What it prints is enough to call it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox", "snipeit", "--port", str(port), "--assets", "3"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        words = [process.stdout.readline().split() for _ in range(3)]
        headers = {"Authorization": f"Bearer {words[2][1]}", "Accept": "application/json"}
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), headers=headers) as http:
            assets = http.get(f"{words[1][1]}/api/v1/hardware").json()
        process.terminate()

    assert assets["total"] == 3
