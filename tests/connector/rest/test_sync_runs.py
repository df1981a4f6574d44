"""Runs of a sync through HTTP: a host at work, a simulated Kandji, and the built-in asset system or Assetbots."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.processes import ROOT, HostProcess, admin, free_port, tenant, until

pytestmark = pytest.mark.slow

DEVICES = 12
MAPPING = """\
version: 1
mdm: {{ kind: kandji, connection: mdm }}
assets: {{ kind: file, connection: {name} }}
create: {{ default_category: Laptops }}
fields:
  - {{ to: serial, from: serial_number, key: true }}
  - {{ to: name, from: device_name }}
  - {{ to: tag, from: asset_tag, direction: both, winner: asset }}
assignment: {{ direction: both }}
safety: {{ max_creates: {creates} }}
"""
SLOW = {"kind": "latency", "milliseconds": 2000, "path": "/devices"}
SOON = {"Prefer": "respond-async"}
TEXT = {"Accept": "text/plain"}


@dataclass(frozen=True)
class Stage:
    """A host at work, and the services that its connections `mdm` and `office` lead to."""

    host: HostProcess
    mdm: str
    http: httpx.AsyncClient

    async def made(self, name: str, creates: int = 200, *, applied: bool = False) -> str:
        """A sync with a file of its own; gives its address."""
        mapping = MAPPING.format(name=name, creates=creates)
        answer = await self.http.post("/v1/syncs", json={"name": name, "mapping": mapping})
        assert answer.status_code == 201, answer.text
        if applied:
            assert (await self.json("POST", f"/v1/syncs/{name}/apply", force_limits=True))["state"] == "succeeded"
        return f"/v1/syncs/{name}"

    async def json(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.http.request(method, path, json=body or None)
        found: dict[str, Any] = answer.json()
        assert answer.status_code < 300, found
        return found

    async def ended(self, path: str) -> dict[str, Any]:
        """The run, when it is over."""

        async def look() -> dict[str, Any]:
            run = await self.json("GET", path)
            return run if run["state"] not in ("queued", "running") else {}

        return await until(look)

    def rows(self, name: str, query: str) -> list[Any]:
        """What is in the file of the built-in asset system."""
        with sqlite3.connect(self.host.folder / "assets" / f"{name}.sqlite") as db:
            return db.execute(query).fetchall()


@contextmanager
def workspace() -> Iterator[tuple[str, str]]:
    """`python -m sandbox assetbots`; gives its address and key."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "assetbots", "--port", str(port), "--assets", "8", "--people", "5"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        key = next(line.split()[1] for line in running.stdout if "key" in line)
        try:
            yield f"http://127.0.0.1:{port}", key
        finally:
            running.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostProcess, str]]:
    with tenant(DEVICES) as (mdm, token), workspace() as (office, key):
        settings = {"UPCARD_ALLOW_SERVICES": ",".join(url.partition("://")[2] for url in (mdm, office))}
        host = HostProcess(tmp_path_factory.mktemp("syncs"), mdm, settings=settings)
        host.start()
        try:
            for name, connector, fields in (
                ("mdm", "kandji", {"url": mdm, "token": token}),
                ("office", "assetbots", {"url": office, "api_key": key}),
            ):
                made = host.ask("POST", "/v1/connections", {"name": name, "connector": connector, "fields": fields})
                assert "created" in made, made
            yield host, mdm
        finally:
            host.kill()


@pytest.fixture
async def stage(served: tuple[HostProcess, str]) -> AsyncIterator[Stage]:
    host, mdm = served
    async with httpx.AsyncClient(base_url=host.url, headers=host.key, timeout=90) as http:
        yield Stage(host, mdm, http)
    await admin(mdm, "DELETE", "/faults")


async def test_a_plan_is_read_and_then_applied(stage: Stage) -> None:
    """It says line by line what would be done, as JSON and as people read it; apply does just that."""
    sync = await stage.made("planned")

    plan = await stage.json("POST", f"{sync}/plan")
    empty = stage.rows("planned", "SELECT * FROM assets")
    text = await stage.http.get(f"{sync}/runs/{plan['run']}", headers=TEXT)
    done = await stage.json("POST", f"{sync}/apply", plan=plan["run"])

    assert (plan["mode"], plan["state"], plan["exit_code"], empty) == ("plan", "planned", 2, [])
    assert plan["counts"] == {"planned": len(plan["lines"])}
    creates = [line for line in plan["lines"] if line["op"] == "create_asset"]
    assert (len(creates), creates[0]["target"][:4]) == (DEVICES, "new:")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text.startswith(f"Plan: {len(plan['lines'])} changes")
    assert f"Create assets ({DEVICES})" in text.text
    assert (done["run"], done["state"], done["counts"]) == (plan["run"], "succeeded", {"done": len(plan["lines"])})
    assert [line["seq"] for line in done["lines"]] == [line["seq"] for line in plan["lines"]]
    assert len(stage.rows("planned", "SELECT * FROM assets")) == DEVICES


async def test_a_second_plan_has_nothing_to_do(stage: Stage) -> None:
    """Both sides agree: exit code 0, and the same in words. What was applied is not applied again."""
    sync = await stage.made("agreed", applied=True)
    first = (await stage.json("GET", sync))["last"]["run"]

    plan = await stage.json("POST", f"{sync}/plan")
    text = await stage.http.get(f"{sync}/runs/{plan['run']}", headers=TEXT)
    again = await stage.http.post(f"{sync}/apply", json={"plan": first})
    nobody = await stage.http.post(f"{sync}/apply", json={"plan": "sync_1"})

    assert (plan["exit_code"], plan["lines"], text.text) == (0, [], "Nothing to do.\n")
    assert (again.status_code, again.json()["type"]) == (409, "conflict")
    assert (nobody.status_code, nobody.json()["type"]) == (404, "no_such_run")


async def test_a_plan_without_an_id_is_no_request_to_apply_whatever_there_is(stage: Stage) -> None:
    """A script whose variable is empty would have all of both sides carried out, unseen."""
    sync = await stage.made("blank")

    answers = [await stage.http.post(f"{sync}/apply", json={"plan": plan}) for plan in ("", " ")]

    assert [(each.status_code, each.json()["errors"][0]["at"]) for each in answers] == [(400, "plan")] * 2
    assert (await stage.json("GET", f"{sync}/runs"))["items"] == []


async def test_a_plan_beyond_the_limits_waits_for_a_word(stage: Stage) -> None:
    """Which limit is told; `force_limits` carries it out."""
    sync = await stage.made("braked", creates=3)

    held = await stage.json("POST", f"{sync}/apply")
    forced = await stage.json("POST", f"{sync}/apply", plan=held["run"], force_limits=True)

    assert (held["state"], held["brakes"]) == (
        "planned",
        [
            f"{sum(line['op'] == op for line in held['lines'])} lines {op}; max_creates allows 3."
            for op in ("create_asset", "create_person")
        ],
    )
    assert forced["state"] == "succeeded"
    found = await stage.json("GET", "/v1/audit?limit=1000")
    entries = [each for each in found["items"] if each["event"] == "sync_applied" and each["sync"] == "braked"]
    assert [entry.get("forced") for entry in entries] == ["true", None]


async def test_a_run_goes_on_when_nobody_waits(stage: Stage) -> None:
    """202, and where to look; before its plan is made, its text says so."""
    sync = await stage.made("async")
    await admin(stage.mdm, "POST", "/faults", **SLOW)

    answer = await stage.http.post(f"{sync}/plan", headers=SOON)
    where = answer.headers["location"]
    early = await stage.http.get(where, headers=TEXT)
    other = await stage.http.post(f"{sync}/plan", headers=SOON)
    ended = await stage.ended(where)

    assert (answer.status_code, answer.json()["state"] in ("queued", "running")) == (202, True)
    assert where == f"{sync}/runs/{answer.json()['run']}"
    assert early.text.startswith("There is no plan: the run is ")
    assert (other.status_code, other.json()["type"]) == (409, "conflict")
    assert ended["state"] == "planned"


async def test_a_run_that_fails_says_why(stage: Stage) -> None:
    """The problem it ended with; there is no plan, and no exit code of one."""
    sync = await stage.made("failing")
    await admin(stage.mdm, "POST", "/faults", kind="status", status=403, path="/devices")

    found = await stage.json("POST", f"{sync}/plan")

    assert (found["state"], found["error"]["type"], found["exit_code"]) == ("failed", "refused", None)


async def test_a_run_is_canceled_between_its_lines(stage: Stage) -> None:
    """What is done stays done; the rest stays planned."""
    sync = await stage.made("canceled")
    plan = await stage.json("POST", f"{sync}/plan")
    await admin(stage.mdm, "POST", "/faults", kind="latency", milliseconds=1000, method="PATCH")

    began = await stage.http.post(f"{sync}/apply", json={"plan": plan["run"]}, headers=SOON)
    await until(lambda: done(stage, began.headers["location"]))
    asked = await stage.http.post(f"{began.headers['location']}/cancel")
    ended = await stage.ended(began.headers["location"])

    assert (began.status_code, asked.status_code, ended["state"]) == (202, 200, "canceled")
    assert ended["counts"]["done"] > 0
    assert ended["counts"]["planned"] > 0


async def done(stage: Stage, run: str) -> int:
    return int((await stage.json("GET", run))["counts"].get("done", 0))


async def test_a_run_is_taken_back_by_a_plan_of_its_own(stage: Stage) -> None:
    """201, with its lines; it is applied like any other, and what cannot be taken back is told."""
    sync = await stage.made("undone", applied=True)
    [(asset, tag)] = stage.rows("undone", "SELECT id, tag FROM assets ORDER BY id LIMIT 1")
    await stage.json("POST", f"{sync}/assets/{asset}/tag", tag="OTHER-1")
    run = await stage.json("POST", f"{sync}/apply", force_limits=True)

    answer = await stage.http.post(f"{sync}/undo", json={"run": run["run"]})
    back = await stage.json("POST", f"{sync}/apply", plan=answer.json()["run"])

    assert (answer.status_code, answer.json()["mode"], answer.json()["state"]) == (201, "undo", "planned")
    assert [(line["side"], line["before"], line["after"]) for line in answer.json()["lines"]] == [
        ("mdm", "OTHER-1", tag)
    ]
    assert answer.headers["location"] == f"{sync}/runs/{back['run']}"
    assert (back["state"], back["counts"]) == ("succeeded", {"done": 1})


async def test_a_burst_of_announcements_is_one_push(stage: Stage) -> None:
    """Whatever comes while another run is at work is told the MDM once, and what the asset says then."""
    sync = await stage.made("burst", applied=True)
    await enabled(stage, sync)
    [(asset, device)] = [(row["asset"], row["device"]) for row in [await stage.json("GET", f"{sync}/assets/1")]]
    await admin(stage.mdm, "POST", "/faults", **SLOW, times=1)
    slow = await stage.http.post(f"{sync}/plan", headers=SOON)

    await stage.json("POST", f"{sync}/assets/{asset}/tag", tag="FIRST")
    await asyncio.gather(*(stage.json("POST", f"{sync}/hook/assets/{asset}") for _ in range(20)))
    await stage.json("POST", f"{sync}/assets/{asset}/tag", tag="LAST")
    waiting = (await stage.json("GET", f"{sync}/outbox"))["items"]
    during = (await stage.json("GET", slow.headers["location"]))["state"]
    await until(lambda: told(stage, sync))

    assert (during in ("queued", "running"), len(waiting)) == (True, 1)
    pushes = [run for run in (await stage.json("GET", f"{sync}/runs"))["items"] if run["mode"] == "push"]
    assert [(run["state"], run["counts"]) for run in pushes] == [("succeeded", {"done": 1})]
    assert (await device_now(stage, device))["asset_tag"] == "LAST"


async def test_a_check_in_is_told_the_mdm_at_once(stage: Stage) -> None:
    """Long before the next whole run: the device has no user any more."""
    sync = await stage.made("at_once", applied=True)
    await enabled(stage, sync)
    query = "SELECT id FROM assets WHERE assignee_kind = 'person' ORDER BY id LIMIT 1"
    [(asset,)] = stage.rows("at_once", query)
    device = (await stage.json("GET", f"{sync}/assets/{asset}"))["device"]
    before = (await device_now(stage, device))["user"]

    await stage.json("POST", f"{sync}/assets/{asset}/check_in")
    await until(lambda: told(stage, sync))

    assert before
    assert not (await device_now(stage, device))["user"]


async def test_assetbots_is_planned_and_written_through_the_host(stage: Stage) -> None:
    """A mapping is proposed from its columns; a tag goes to it, and what it refuses is told in words."""
    made = await stage.http.post("/v1/syncs", json={"name": "office", "mdm": "mdm", "assets": "office"})
    mapping = (await stage.json("GET", "/v1/syncs/office/mapping"))["mapping"]
    plan = await stage.json("POST", "/v1/syncs/office/plan")

    call = {"connection": "office", "options": {"result_set": "first_200"}}
    assets = (await stage.json("POST", "/v1/cards/assetbots/list_assets", **call))["outputs"]
    asset = next(iter(assets.values()))[0]["id"]
    tagged = await stage.json("POST", f"/v1/syncs/office/assets/{asset}/tag", tag="NEW-1")
    refused = await stage.http.post(f"/v1/syncs/office/assets/{asset}/tag", json={"tag": "x" * 60})

    assert made.status_code == 201
    assert "assets: { kind: assetbots, connection: office }" in mapping
    # The workspace has no category of the proposal's name, and nobody but an admin of it can make one.
    assert (plan["state"], plan["exit_code"], plan.get("error")) == ("planned", 3, None)
    assert any("category" in hold["todo"] for hold in plan["holds"])
    assert (tagged["asset"], tagged["tag"]) == (asset, "NEW-1")
    assert refused.status_code in (400, 502)


async def enabled(stage: Stage, sync: str) -> None:
    """Turn a sync on, and let its first run end."""
    await stage.json("PATCH", sync, enabled=True)

    async def look() -> bool:
        found = await stage.json("GET", f"{sync}/runs")
        first = next((run for run in found["items"] if run["by"] == "schedule"), None)
        return first is not None and first["state"] not in ("queued", "running")

    await until(look)


async def told(stage: Stage, sync: str) -> bool:
    """Whether the MDM has heard of everything."""
    found = await stage.json("GET", sync)
    return found["outbox"] == 0 and found["at_work"] is None


async def device_now(stage: Stage, device: str) -> dict[str, Any]:
    call = {"options": {"request_type": "GET"}, "inputs": {"relative_url": f"/devices/{device}"}}
    found: dict[str, Any] = (await stage.json("POST", "/v1/cards/kandji/custom_api_action", **call))["outputs"]["body"]
    return found
