"""A fleet to keep safe: what tests of policies, approvals and the audit do with it."""

from typing import Any

import httpx
import respx

from connector.engine.callers import SCOPES, Grant
from tests.conftest import UNCAPPED, Upcard, asked
from tests.connector.rest.conftest import with_key
from tests.processes import until

DEVICE = {"device_id": "d2", "device_name": "iPad 2", "platform": "iPad", "serial_number": "DMPX2"}
CLEAR = "/devices/d2/action/clearpasscode"
ERASE = {"device_id": "d2", "preserve_data_plan": True, "disallow_proximity_setup": True}
CUSTOM = {"options": {"request_type": "POST"}, "inputs": {"relative_url": CLEAR}}


async def policy(upcard: Upcard, **said: Any) -> dict[str, Any]:
    answer = await upcard.http.patch("/v1/connections/acme", json={"policy": {**UNCAPPED, **said}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["policy"]
    return found


async def clear(upcard: Upcard, **said: Any) -> httpx.Response:
    return await upcard.call("kandji.clear_passcode", inputs={"device_id": "d2"}, **said)


async def custom(upcard: Upcard, method: str, url: str, **said: Any) -> httpx.Response:
    said = {"options": {"request_type": method}, "inputs": {"relative_url": url}, **said}
    return await upcard.call("kandji.custom_api_action", **said)


def another(upcard: Upcard, *scopes: str, maker: str = "", **narrow: Any) -> httpx.AsyncClient:
    """Somebody with a key of their own."""
    key = upcard.host.keys.mint("another", Grant(frozenset(scopes or SCOPES), **narrow), maker=maker)
    return with_key(upcard, key)


def played(kandji: respx.MockRouter) -> None:
    """A fleet of which everything is taken."""
    kandji.get("/devices/d2").respond(200, json=DEVICE)
    kandji.route(method__in=["POST", "PATCH", "DELETE"]).respond(200)


def sent(kandji: respx.MockRouter) -> list[str]:
    """What was sent that changes something."""
    return [f"{each.method} {each.url.path.removeprefix('/api/v1')}" for each in asked(kandji) if each.method != "GET"]


async def decisions(upcard: Upcard) -> list[tuple[Any, ...]]:
    found, _ = await upcard.host.audit.entries(caller=None, card=None, connection=None, cursor=None, limit=100)
    names = ("event", "card", "decision", "why", "outcome", "status")
    return [tuple(entry[name] for name in names if name in entry) for entry in reversed(found)]


async def held(upcard: Upcard, kandji: respx.MockRouter, **said: Any) -> dict[str, Any]:
    """A call that waits for a second person; gives its approval."""
    played(kandji)
    await policy(upcard, destroy="approve")
    answer = await clear(upcard, **said)
    assert (answer.status_code, answer.json()["type"], sent(kandji)) == (409, "approval_required", [])
    found: dict[str, Any] = (await upcard.http.get("/v1/approvals", params={"state": "waiting"})).json()["items"][0]
    assert found["run"] == answer.json()["run"]
    return found


async def ended(upcard: Upcard, run: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        found: dict[str, Any] = (await upcard.http.get(f"/v1/runs/{run}")).json()
        return found if found["state"] not in ("queued", "running") else {}

    return await until(look)
