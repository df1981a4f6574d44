"""The demonstration of `upcard up --once`: three calls as a caller makes them, a stream that is counted, and a sync."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from connector.cli.receiver import Receiver, receiving
from connector.engine.addresses import Allowed
from connector.engine.flows import new_secret
from connector.engine.network import open_session
from connector.sdk.kinds import Json

CONNECTION = "sandbox"
FLOW = "demonstration"
SYNC = "fleet"


class Disagrees(Exception):
    """What was seen is not what was said."""


@dataclass(frozen=True)
class Demonstration:
    """Calls a host at an address, with a key."""

    session: aiohttp.ClientSession
    address: str
    key: str

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str, key: str) -> "AsyncIterator[Demonstration]":
        async with open_session(Allowed.parse(address.partition("://")[2]), limit=8) as session:
            yield cls(session, address, key)

    async def run(self, console: Console, devices: int) -> int:
        """Returns 0, or 1 where the figures disagree."""
        try:
            await self._calls(console)
            await self._stream(console, devices)
            await self._sync(console)
        except Disagrees as error:
            console.print(f"The demonstration failed: {error}", markup=False)
            return 1
        return 0

    async def a_mac(self) -> Json:
        """The first Mac of the fleet."""
        asked = {"options": {"result_set": "first"}, "inputs": {"platform": "Mac"}}
        return await self._outputs("list_devices", asked)

    async def _calls(self, console: Console) -> None:
        target = {"device_id": (await self.a_mac())["device_id"]}
        found = await self._outputs("get_device", {"options": {"details": "basic"}, "inputs": target})
        console.print(
            f"Get Device   {found['device']['device_name']}, {found['device']['serial_number']}", markup=False
        )
        locked = await self._outputs("lock_device", {"inputs": target})
        if locked["status_code"] != 200 or not locked["pin"]:
            raise Disagrees(f"Lock Device answered {locked['status_code']}, without a PIN.")
        console.print(f"Lock Device  status {locked['status_code']}, PIN {locked['pin']}", markup=False)

    async def _stream(self, console: Console, devices: int) -> None:
        async with receiving(secret := new_secret()) as (receiver, url):
            await self._ask("DELETE", f"/v1/flows/{FLOW}")
            await self._ask("POST", "/v1/flows", {"name": FLOW, "url": url, "secret": secret})
            began = time.monotonic()
            run = await self._streamed(console, devices)
            seconds = time.monotonic() - began
        delivered, distinct = run["progress"]["delivered"], len(receiver.seen)
        console.print(
            f"List Devices {delivered} delivered in {seconds:.2f} s, {distinct} distinct at the flow, "
            f"{receiver.requests} signed requests",
            markup=False,
        )
        if run["state"] != "succeeded" or not _agree(receiver, delivered, devices):
            raise Disagrees(f"{devices} devices, {delivered} delivered, {distinct} distinct; the run {run['state']}.")

    async def _streamed(self, console: Console, devices: int) -> Json:
        """Start the stream, and show how far it is until it ends."""
        asked = {"options": {"result_set": "stream"}, "stream": {"flow": FLOW, "state": {"for": "demonstration"}}}
        started = await self._ask("POST", "/v1/cards/kandji/list_devices", asked, {"Prefer": "respond-async"})
        columns = (TextColumn("List Devices"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=devices)
            while True:
                run = await self._ask("GET", f"/v1/runs/{started['run']}")
                bar.update(task, completed=run.get("progress", {}).get("delivered", 0))
                if run["state"] not in ("queued", "running"):
                    return run
                await asyncio.sleep(0.02)

    async def _sync(self, console: Console) -> None:
        """Plan, carry exactly that out, and plan again: then there is nothing left to do."""
        began = time.monotonic()
        planned = await self._synced("plan", {})
        applied = await self._synced("apply", {"plan": planned["run"]})
        seconds = time.monotonic() - began
        again = await self._synced("plan", {})
        many, done, left = planned["counts"].get("planned", 0), applied["counts"].get("done", 0), again["counts"]
        waits = sum(count for status, count in left.items() if status != "planned")
        console.print(
            f"Sync         {done} of {many} lines done in {seconds:.2f} s; planned again: {left.get('planned', 0)} "
            f"to do, {waits} waiting, {again['held']} held",
            markup=False,
        )
        if applied["state"] != "succeeded" or done != many or left.get("planned"):
            raise Disagrees(f"{many} lines, {done} done, {left.get('planned', 0)} left; the run {applied['state']}.")

    async def _synced(self, verb: str, wanted: Json) -> Json:
        run = await self._ask("POST", f"/v1/syncs/{SYNC}/{verb}", wanted, {"Prefer": "wait=120"})
        if "counts" not in run or run["stopped"]:
            raise Disagrees(f"{verb} of the sync answered: {run.get('stopped') or run.get('detail')}")
        return run

    async def _outputs(self, card: str, asked: Json) -> Json:
        answer = await self._ask("POST", f"/v1/cards/kandji/{card}", {"connection": CONNECTION, **asked})
        if "outputs" not in answer:
            raise Disagrees(f"{card} answered: {answer.get('detail')}")
        outputs: Json = answer["outputs"]
        return outputs

    async def _ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Json:
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        async with self.session.request(method, self.address + path, json=body, headers=sent) as answer:
            return await answer.json(content_type=None) or {}


def _agree(receiver: Receiver, delivered: int, devices: int) -> bool:
    return delivered == devices == len(receiver.seen) == receiver.requests
