"""Commands over real processes that are killed, frozen and stopped: at most one a key, and the truth about it."""

import asyncio
import os
import random
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from connector.engine import seals
from connector.engine.audit import Audit
from connector.engine.hosts import DEAD
from connector.engine.store import Store
from tests.conftest import UNCAPPED, empty_database
from tests.durable.conftest import Figure
from tests.durable.upstream import Upstream, commanded
from tests.processes import ROOT, HostProcess, until

AT_ONCE = 50
ROUNDS, CALLERS = 10, 6
MOST_ERASED = 25
ENTRIES = 90  # of each host: of one key no more refusals are on record at once
SOON = 3.0  # seconds; hosts look twice a second

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Said:
    """An answer; status 0 where the connection broke."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: str | None = None

    @property
    def kind(self) -> str:
        """What came of it: `done`, `broken`, or the problem's type."""
        return "done" if self.status == 200 else str(self.body.get("type", "broken" if not self.status else "late"))


@dataclass(frozen=True)
class Scene:
    """Two hosts that share a store and a data folder, and the service that counts."""

    a: HostProcess
    b: HostProcess
    upstream: Upstream
    http: aiohttp.ClientSession
    store: Store

    async def connected(self, **policy: Any) -> str:
        """A connection of the test's own."""
        name = f"c{secrets.token_hex(4)}"
        fields = {"url": self.upstream.url, "token": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
        made = {"name": name, "connector": "kandji", "fields": fields}
        made["policy"] = {"destroy": "on", **UNCAPPED, **policy}
        assert (await self.ask(self.a, "POST", "/v1/connections", made)).status == 201
        return name

    async def ask(self, host: HostProcess, method: str, path: str, body: Any = None, **headers: str) -> Said:
        try:
            async with self.http.request(method, host.url + path, json=body, headers={**host.key, **headers}) as found:
                return Said(found.status, await found.json(content_type=None) or {}, found.headers.get("Retry-After"))
        except (aiohttp.ClientError, OSError):
            return Said(0)

    async def call(
        self, host: HostProcess, card: str, device: str, connection: str, key: str | None = None, **headers: str
    ) -> Said:
        inputs = {"device_id": device} | ({"pin": "048213"} if card == "erase_device" else {})
        said = {"connection": connection, "inputs": inputs}
        headers |= {"Idempotency-Key": key} if key else {}
        return await self.ask(host, "POST", f"/v1/cards/kandji/{card}", said, **headers)

    async def key(self, *scopes: str) -> tuple[str, dict[str, str]]:
        """Somebody else's key: its id, and the header with it."""
        made = await self.ask(self.a, "POST", "/v1/keys", {"label": "another", "scopes": scopes})
        assert made.status == 201, made
        header = {"Authorization": f"Bearer {made.body['key']}"}

        async def look() -> bool:
            return (await self.ask(self.b, "GET", "/v1/cards", **header)).status == 200

        await until(look)
        return made.body["id"], header

    async def state(self, host: HostProcess, run: str) -> tuple[str, str | None]:
        """The state of a run, and the type of the problem that it ended with."""
        found = (await self.ask(host, "GET", f"/v1/runs/{run}")).body
        return found["state"], found.get("error", {}).get("type")

    async def outcomes(self, run: str) -> list[str]:
        """What the audit says became of a run."""
        found = (await self.ask(self.b, "GET", "/v1/audit?limit=1000")).body["items"]
        return [entry["outcome"] for entry in found if entry["event"] == "outcome" and entry.get("run") == run]

    async def turned_off(self) -> None:
        """Turn the kill switch off, and wait until both hosts have seen it."""
        await self.ask(self.b, "PUT", "/v1/kill-switch", {"on": False})

        async def look() -> bool:
            found = [await self.ask(host, "GET", "/v1/kill-switch") for host in (self.a, self.b)]
            return not any(said.body["on"] for said in found)

        await until(look)

    async def faults(self) -> list[str]:
        """What is wrong with the audit, whether a host is there or not."""
        audit = Audit(self.store, seals.load("", self.a.folder))
        return await asyncio.to_thread(audit.verify)


def new(count: int = 1) -> list[str]:
    """Devices that nobody else has."""
    return [f"d{secrets.token_hex(6)}" for _ in range(count)]


def kinds(found: Iterable[Said]) -> Counter[str]:
    return Counter(said.kind for said in found)


@pytest_asyncio.fixture(scope="module")
async def scenes(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Scene]]:
    """One on each kind of database."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(commanded())
        connector = aiohttp.TCPConnector(limit=0, force_close=True)  # a kept one may be dropped as it is used
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("sqlite", "postgresql")}
        urls = {"sqlite": f"sqlite:///{folders['sqlite'] / 'upcard.db'}", "postgresql": empty_database(postgres)}
        found = {}
        for kind, folder in folders.items():
            a, b = (HostProcess(folder, upstream.url, urls[kind]) for _ in range(2))
            for host in (a, b):
                stack.callback(host.kill)
                await asyncio.to_thread(host.start)
            found[kind] = Scene(a, b, upstream, http, Store(urls[kind]))
            stack.callback(found[kind].store.close)
        yield found


@pytest_asyncio.fixture
async def at_work(scenes: dict[str, Scene]) -> AsyncIterator[dict[str, Scene]]:
    """All hosts at work, the service quick."""
    for host in (host for scene in scenes.values() for host in (scene.a, scene.b)):
        if host.running is None or host.running.poll() is not None:
            await asyncio.to_thread(host.start)
    yield scenes
    for scene in scenes.values():
        scene.upstream.speak()
        scene.upstream.delay = 0.0


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, at_work: dict[str, Scene]) -> Scene:
    return at_work[request.param]


async def test_calls_at_once_on_two_hosts_are_one_command(scene: Scene, record_property: Figure) -> None:
    """ID-4: whoever does not get the answer is told when to ask again; afterwards both hosts have it."""
    connection, (device,) = await scene.connected(), new()
    scene.upstream.delay = 0.5

    found = await asyncio.gather(
        *(scene.call((scene.a, scene.b)[n % 2], "restart_device", device, connection, "k") for n in range(AT_ONCE))
    )
    after = [await scene.call(host, "restart_device", device, connection, "k") for host in (scene.a, scene.b)]

    record_property("answers", str(kinds(found)))
    assert scene.upstream.of(device) == 1
    assert set(kinds(found)) <= {"done", "in_progress"}
    assert all(said.retry_after for said in found if said.kind == "in_progress")
    assert all(said.body == after[0].body for said in [*found, *after] if said.kind == "done")
    assert kinds(after) == {"done": 2}


async def test_a_caller_that_goes_away_does_not_stop_the_call(scene: Scene) -> None:
    """The command is on its way: its outcome is on record for whoever asks with the same key."""
    connection, (device,) = await scene.connected(), new()
    scene.upstream.silent.add(device)

    caller = asyncio.create_task(scene.call(scene.a, "restart_device", device, connection, "k"))
    await until(lambda: scene.upstream.came(device))
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    scene.upstream.speak()
    final = await _final(scene, scene.b, "restart_device", device, connection)

    assert (final.kind, scene.upstream.of(device)) == ("done", 1)


async def test_caps_hold_over_two_hosts(scene: Scene, record_property: Figure) -> None:
    """DA-4: four times as many calls as the cap, at once on both hosts: exactly as many commands as it allows."""
    most = 5
    connection, devices = await scene.connected(destroys_per_10_minutes=most), new(4 * most)

    found = await asyncio.gather(
        *(
            scene.call((scene.a, scene.b)[n % 2], "clear_passcode", device, connection)
            for n, device in enumerate(devices)
        )
    )

    record_property("answers", str(kinds(found)))
    assert kinds(found) == {"done": most, "safety_cap": 3 * most}
    assert scene.upstream.of(*devices) == most


async def test_the_kill_switch_stops_the_next_call_on_the_other_host(scene: Scene) -> None:
    """DA-6: by a call, and by a file for hosts of one folder."""
    connection, devices = await scene.connected(), new(3)
    file = scene.a.folder / "kill-switch"

    await scene.ask(scene.a, "PUT", "/v1/kill-switch", {"on": True})
    stopped = [await scene.call(host, "restart_device", devices[0], connection) for host in (scene.b, scene.a)]
    await scene.turned_off()
    went_on = [await scene.call(host, "restart_device", devices[1], connection) for host in (scene.a, scene.b)]
    file.touch()
    by_file = [await scene.call(host, "restart_device", devices[2], connection) for host in (scene.a, scene.b)]
    file.unlink()

    assert [kinds(each) for each in (stopped, went_on, by_file)] == [{"forbidden": 2}, {"done": 2}, {"forbidden": 2}]
    assert [scene.upstream.of(device) for device in devices] == [0, 2, 0]


async def test_the_kill_switch_stops_what_is_about_to_be_sent(scene: Scene) -> None:
    """DA-6: a call that was let through before, and looks its device up, does not send its command any more."""
    connection, (device,) = await scene.connected(), new()
    scene.upstream.unread.add(device)
    calling = asyncio.create_task(scene.call(scene.b, "erase_device", device, connection, "k"))
    await until(lambda: scene.upstream.is_asked(device))

    await scene.ask(scene.a, "PUT", "/v1/kill-switch", {"on": True})
    scene.upstream.speak()
    found = await calling
    await scene.turned_off()

    assert (found.kind, scene.upstream.of(device)) == ("forbidden", 0)


async def test_one_approval_is_one_command(scene: Scene, record_property: Figure) -> None:
    """DA-5: asked for on one host, approved on both at once, several times."""
    connection, (device,) = await scene.connected(destroy="approve"), new()
    _, asks = await scene.key("cards:destroy", "runs")

    held = await scene.call(scene.a, "clear_passcode", device, connection, "k", **asks)
    assert held.kind == "approval_required", held
    path = await _approval(scene, held.body["run"])
    found = await asyncio.gather(*(scene.ask(host, "POST", path, {}) for host in (scene.a, scene.b) * 5))
    final = await _final(scene, scene.a, "clear_passcode", device, connection, **asks)

    record_property("answers", str(kinds(found)))
    assert (held.kind, kinds(found)) == ("approval_required", {"done": 1, "conflict": 9})
    assert (final.kind, final.body["run"], scene.upstream.of(device)) == ("done", held.body["run"], 1)


async def test_an_approved_call_is_not_made_again_after_a_kill(scene: Scene) -> None:
    """DA-5, ID-5: right after the approval, and with the command on its way; who asked is told that nobody knows."""
    connection, devices = await scene.connected(destroy="approve"), new(2)
    _, asks = await scene.key("cards:destroy", "runs")
    scene.upstream.silent.update(devices)
    held = [await scene.call(scene.a, "clear_passcode", device, connection, "k" + device, **asks) for device in devices]
    paths = [await _approval(scene, said.body["run"]) for said in held]

    for path in paths:
        assert (await scene.ask(scene.b, "POST", path, {})).status == 200
    scene.b.kill()  # the first may be on its way, the second is about to be
    await asyncio.to_thread(scene.b.start)
    calls = [("clear_passcode", device, connection, "k" + device) for device in devices]
    found = [await scene.call(scene.a, *call, **asks) for call in calls]
    again = [await scene.ask(scene.a, "POST", path, {}) for path in paths]

    assert (kinds(found), kinds(again)) == ({"outcome_unknown": 2}, {"conflict": 2})
    assert [said.body["run"] for said in found] == [said.body["run"] for said in held]
    assert [scene.upstream.of(device) <= 1 for device in devices] == [True, True]
    assert await scene.faults() == []


async def test_two_hosts_write_one_audit(scene: Scene) -> None:
    """DA-8: some hundred entries at once on both, and the chain has them all."""
    connection = await scene.connected()
    _, reads = await scene.key("cards:read")
    before = await asyncio.to_thread(_length, scene)

    calls = [
        asyncio.create_task(scene.call(host, "clear_passcode", "d1", connection, **reads))
        for _ in range(ENTRIES)
        for host in (scene.a, scene.b)
    ]
    meanwhile = [await scene.faults() for _ in range(20)]
    found = await asyncio.gather(*calls)

    assert meanwhile == [[]] * 20
    assert kinds(found) == {"forbidden": 2 * ENTRIES}
    assert await asyncio.to_thread(_length, scene) == before + 2 * ENTRIES
    assert await scene.faults() == []


async def test_what_one_host_takes_back_the_other_refuses(scene: Scene, record_property: Figure) -> None:
    """AU-2, DA-1: a key, and cards that destroy."""
    connection = await scene.connected()
    id_, header = await scene.key("cards:read", "runs")

    await scene.ask(scene.a, "DELETE", f"/v1/keys/{id_}")
    key = await _refused(lambda: scene.ask(scene.b, "GET", "/v1/runs", **header))
    await scene.ask(scene.a, "PATCH", f"/v1/connections/{connection}", {"policy": {"destroy": "off"}})
    policy = await _refused(lambda: scene.call(scene.b, "clear_passcode", new()[0], connection))

    record_property("seconds until a key is refused", key)
    record_property("seconds until a policy holds", policy)
    assert max(key, policy) < SOON


async def test_a_stop_lets_a_command_end(scene: Scene) -> None:
    """UP-7: SIGTERM while it is on its way; its caller gets the answer, and so does the same key afterwards."""
    connection, (device,) = await scene.connected(), new()
    scene.upstream.delay = 2.0
    calling = asyncio.create_task(scene.call(scene.a, "restart_device", device, connection, "k"))
    await until(lambda: scene.upstream.came(device))

    status = await asyncio.to_thread(scene.a.stop)
    first = await calling
    await asyncio.to_thread(scene.a.start)
    second = await scene.call(scene.a, "restart_device", device, connection, "k")

    assert (status, first.kind, second.body, scene.upstream.of(device)) == (0, "done", first.body, 1)


async def test_a_host_that_is_killed_leaves_the_outcome_unknown(scene: Scene, record_property: Figure) -> None:
    """ID-5: with a key, and without one in its window; the host says so at once when it is back, others as well."""
    connection, (keyed, bare) = await scene.connected(), new(2)
    scene.upstream.silent.update([keyed, bare])
    calls = [("restart_device", keyed, connection, "k"), ("clear_passcode", bare, connection)]
    calling = [asyncio.create_task(scene.call(scene.a, *call)) for call in calls]
    await until(lambda: scene.upstream.came(keyed, bare))

    scene.a.kill()
    broken = await asyncio.gather(*calling)
    meanwhile = [await scene.call(scene.b, *call) for call in calls]
    await asyncio.to_thread(scene.a.start)
    found = [await scene.call(host, *call) for call in calls for host in (scene.a, scene.b)]

    assert (kinds(broken), kinds(meanwhile)) == ({"broken": 2}, {"in_progress": 2})
    await _are_unknown(scene, found, keyed, bare)
    assert await asyncio.to_thread(_verified, scene.a) == 0


async def test_a_host_that_is_frozen_wakes_up_to_nothing(at_work: dict[str, Scene], record_property: Figure) -> None:
    """ID-5, DA-7, DA-9: others say that the outcome of what it sent is not known, and make what it only held.

    When it wakes up it sends nothing, and frees the place of nobody's answer, with a key and without.
    """
    took = await asyncio.gather(*(_frozen(scene) for scene in at_work.values()))

    record_property("seconds until another host says so", str(took))
    assert max(took) < DEAD + SOON


async def _frozen(scene: Scene) -> float:
    """Freeze a host for as long as it takes until it is taken for dead; gives how long that is."""
    connection, held = await scene.connected(), await scene.connected(hold_seconds=2)
    sent, bare, *waiting = new(4)
    scene.upstream.silent.update([sent, bare])
    on_way = [("restart_device", sent, connection, "k"), ("clear_passcode", bare, connection)]
    in_hold = [("clear_passcode", waiting[0], held, "k"), ("clear_passcode", waiting[1], held)]
    calling = [asyncio.create_task(scene.call(scene.a, *call)) for call in on_way]
    await until(lambda: scene.upstream.came(sent, bare))
    calling += [asyncio.create_task(scene.call(scene.a, *call)) for call in in_hold]
    await asyncio.sleep(0.5)

    scene.a.freeze()
    began = time.monotonic()
    await until(lambda: _is_unknown(scene, *on_way[0]))
    took = time.monotonic() - began
    found = [await scene.call(scene.b, *call) for call in on_way]
    made = [await _made(scene, *call) for call in in_hold]
    scene.a.thaw()
    scene.upstream.speak(sent, bare)
    woken = await asyncio.gather(*calling)
    again = [await scene.call(host, *call) for call in in_hold for host in (scene.a, scene.b)]

    assert kinds(found) == {"outcome_unknown": 2}
    assert kinds([*made, *again]) == {"done": 6}
    assert kinds(woken)["conflict"] == 2, woken
    assert [scene.upstream.of(device) for device in (sent, bare, *waiting)] == [1, 1, 1, 1]
    assert await scene.faults() == []
    return took


async def test_kills_at_random(at_work: dict[str, Scene], record_property: Figure) -> None:
    """TE-4: callers that repeat a key on either host until they know; every answer is the truth, and caps hold."""
    for kind, found in zip(at_work, await asyncio.gather(*map(_kills, at_work.values())), strict=True):
        record_property(f"answers on {kind}", str(kinds(found)))


async def _kills(scene: Scene) -> list[Said]:
    """Kill a host at random moments, at last both, and start it again; gives what callers were told in the end."""
    connection, stop = await scene.connected(destroys_per_10_minutes=MOST_ERASED), asyncio.Event()
    scene.upstream.delay, found = 0.3, dict[str, tuple[str, Said]]()
    callers = [asyncio.create_task(_calls(scene, connection, stop, found)) for _ in range(CALLERS)]

    for left in reversed(range(ROUNDS)):
        await asyncio.sleep(random.uniform(0.1, 1.0))
        killed = random.sample((scene.a, scene.b), 1 if left else 2)
        for host in killed:
            host.kill()
        assert await scene.faults() == []
        for host in killed:
            await asyncio.to_thread(host.start)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*callers), 30)

    sent = {device: scene.upstream.of(device) for device in found}
    assert set(kinds(said for _, said in found.values())) <= {"done", "outcome_unknown", "safety_cap"}
    assert max(sent.values()) == 1
    assert {sent[device] for device, (_, said) in found.items() if said.kind == "done"} == {1}
    assert {sent[device] for device, (_, said) in found.items() if said.kind == "safety_cap"} <= {0}
    assert sum(sent[device] for device, (card, _) in found.items() if card == "erase_device") <= MOST_ERASED
    assert await asyncio.to_thread(_verified, scene.a) == 0
    return [said for _, said in found.values()]


async def _calls(scene: Scene, connection: str, stop: asyncio.Event, found: dict[str, tuple[str, Said]]) -> None:
    """Commands one after the other, each again with its key until its outcome is told."""
    while not stop.is_set():
        card, (device,), said = random.choice(["restart_device", "erase_device", "lock_device"]), new(), Said(0)
        while said.kind in ("broken", "in_progress", "unavailable"):
            said = await scene.call(random.choice((scene.a, scene.b)), card, device, connection, device)
            await asyncio.sleep(0.1)
        found[device] = card, said


async def _final(scene: Scene, host: HostProcess, card: str, device: str, connection: str, **headers: str) -> Said:
    """What the key `k` gives once it is not in progress."""

    async def look() -> Said | None:
        said = await scene.call(host, card, device, connection, "k", **headers)
        return None if said.kind in ("in_progress", "approval_required") else said

    found = await until(look, 10)
    assert found
    return found


async def _made(scene: Scene, *call: Any) -> Said:
    """What the second host gives as soon as it may make a call that the first one held."""
    said = Said(0)
    async with asyncio.timeout(10):
        while said.kind != "done":
            assert said.kind in ("broken", "in_progress", "unavailable"), said
            said = await scene.call(scene.b, *call)
    return said


async def _is_unknown(scene: Scene, *call: Any) -> bool:
    return (await scene.call(scene.b, *call)).kind == "outcome_unknown"


async def _are_unknown(scene: Scene, found: list[Said], *devices: str) -> None:
    """One command each was sent, and the answers, the runs and the audit say that nobody knows what became of it."""
    runs = {said.body["run"] for said in found}
    assert kinds(found) == {"outcome_unknown": len(found)}
    assert len(runs) == len(devices)
    assert [await scene.state(scene.b, run) for run in runs] == [("failed", "outcome_unknown")] * len(runs)
    assert [await scene.outcomes(run) for run in runs] == [["outcome_unknown"]] * len(runs)
    assert [scene.upstream.of(device) for device in devices] == [1] * len(devices)


async def _approval(scene: Scene, run: str) -> str:
    """Where the approval of a run is given."""
    found = (await scene.ask(scene.b, "GET", "/v1/approvals?state=waiting")).body["items"]
    (id_,) = (each["id"] for each in found if each["run"] == run)
    return f"/v1/approvals/{id_}/approve"


async def _refused(ask: Any) -> float:
    """Seconds until it is answered 401 or 403."""
    began = time.monotonic()

    async def look() -> bool:
        return (await ask()).status in (401, 403)

    await until(look, 10)
    return time.monotonic() - began


def _length(scene: Scene) -> int:
    return Audit(scene.store, seals.load("", scene.a.folder)).head().seq


def _verified(host: HostProcess) -> int:
    """The exit status of `upcard audit verify`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "UPCARD_DATA_DIR": str(host.folder)}
    environment |= {"UPCARD_DATABASE_URL": host.database_url}
    command = [sys.executable, "-m", "connector.cli", "audit", "verify"]
    return subprocess.run(command, cwd=host.folder, env=environment, check=False).returncode
