"""`upcard sync plan`, `apply`, `undo` and `history`, as an operator uses them, over real sockets."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.cli import sync_runs
from connector.cli.ask import ask
from connector.sdk.kinds import Json
from connector.sync.store.runs import SyncRun, end, insert
from sandbox.faults import Fault
from tests.connector.cli.conftest import Command
from tests.connector.cli.sync.conftest import MAPPING, STUDIO, Fleet, Settled
from tests.connector.sync.office import NAME, Office

ROOT = Path(__file__).parents[4]
TVS = "scope: { platforms: [AppleTV] }\n"


async def test_a_plan_is_printed_as_people_read_it(fleet: Fleet) -> None:
    """By step, with what is held and why; exit status 3, since something is."""
    planned = await fleet("plan")

    assert planned.exit_code == 3, planned.output
    assert planned.stdout.startswith("Plan: ")
    assert "Create assets (3)" in planned.stdout
    assert "devices and 2 assets have the serial number" in planned.stdout
    assert "cannot: no Kandji user for maeve.odell@freelance.example" in planned.stdout


async def test_a_plan_says_how_it_is_applied(here: Office, fleet: Fleet) -> None:
    """With its run, and with what a limit wants of it."""
    planned = await fleet("plan")
    await here.syncs.change(NAME, mapping=MAPPING + STUDIO + "safety: { max_creates: 0 }\n")
    beyond = await fleet("plan")
    runs = [run["run"] for run in json.loads((await fleet("history", "--json")).stdout)]

    assert planned.stdout.endswith(f"\nApply it with: upcard sync apply {NAME} {runs[1]}\n")
    assert beyond.stdout.endswith(f"\nApply it with: upcard sync apply {NAME} {runs[0]} --force-limits\n")


async def test_a_plan_is_printed_as_json(fleet: Fleet) -> None:
    """The run with all of its lines, and the same exit status."""
    planned = await fleet("plan", "--json")

    run = json.loads(planned.stdout)
    assert planned.exit_code == run["exit_code"] == 3
    assert len(run["lines"]) == sum(run["counts"].values()) > 40


async def test_exit_statuses_of_plans(here: Office, fleet: Fleet) -> None:
    """2 for changes and nothing held, 0 for nothing to do."""
    await here.syncs.change(NAME, mapping=MAPPING + TVS)

    before = await fleet("plan")
    await fleet("apply", "--yes")
    after = await fleet("plan")

    assert (before.exit_code, after.exit_code) == (2, 0)
    assert after.stdout == "Nothing to do.\n"


async def test_a_plan_that_cannot_be_made(here: Office, fleet: Fleet) -> None:
    """Exit status 1, and why."""
    here.workspace.database.key = "another"

    planned = await fleet("plan")

    assert (planned.exit_code, planned.stdout) == (1, "")
    assert "401" in planned.stderr or "refused" in planned.stderr


@pytest.mark.slow
async def test_a_plan_that_is_worth_another_try(here: Office, fleet: Fleet) -> None:
    """Exit status 6, as of every other command: the service is away."""
    here.workspace.database.faults.add(Fault("status", status=503))

    done = [await fleet(*words) for words in (("plan",), ("apply", "--yes"), ("check",))]

    assert [each.exit_code for each in done] == [6, 6, 6], [each.stderr for each in done]


async def test_a_side_that_is_implausibly_empty_stops_the_plan(here: Office, fleet: Fleet) -> None:
    """Exit status 3, and nothing is carried out."""
    here.tenant.tenant.devices.page = lambda *_: iter(())  # type: ignore[method-assign]

    applied = await fleet("apply", "--yes")

    assert applied.exit_code == 3
    assert applied.stdout.startswith("Stopped: The MDM lists no devices. If that is right, ")


async def test_without_a_terminal_nothing_is_carried_out(here: Office, fleet: Fleet) -> None:
    """Unless --yes says so: the plan is printed, and what is missing is told."""
    before = await here.assets()

    applied = await fleet("apply")

    assert applied.exit_code == 2
    assert (applied.stdout.startswith("Plan: "), "--yes" in applied.stderr) == (True, True)
    assert await here.assets() == before


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
async def test_at_a_terminal_it_is_asked(
    here: Office, fleet: Fleet, environment: dict[str, str], answer: str, code: int
) -> None:
    """What was printed is what is agreed to."""
    env = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    before = await here.assets()

    done = await asyncio.to_thread(_typed, ["sync", "apply", NAME], answer, env)

    assert done.returncode == code, done.stderr
    assert "Carry out" in done.stderr
    assert (await here.assets() == before) == bool(code)


async def test_exactly_the_plan_is_carried_out(here: Office, fleet: Fleet) -> None:
    """Printed, then what became of it; a second plan has nothing to do, and holds what it held."""
    applied = await fleet("apply", "--yes")
    again = json.loads((await fleet("plan", "--json")).stdout)
    runs = json.loads((await fleet("history", "--json")).stdout)

    assert applied.exit_code == 0, applied.output
    assert applied.stdout.startswith("Plan: ")
    assert " succeeded: " in applied.stdout
    assert again["counts"] == {"waiting": 1}
    assert [run["state"] for run in runs] == ["planned", "succeeded"]


async def test_a_plan_that_was_printed_before_is_carried_out(here: Office, fleet: Fleet) -> None:
    """By its ID; what moved since is left alone, and told."""
    plan = json.loads((await fleet("plan", "--json")).stdout)
    line = next(line for line in plan["lines"] if line["op"] == "update_asset")
    here.workspace.database.assets[line["target"]].fields["osVersion"] = "1.0"

    applied = await fleet("apply", plan["run"], "--yes")
    again = await fleet("apply", plan["run"], "--yes")

    assert applied.exit_code == 0, applied.output
    assert f"stale: update_asset {line['name']}: osVersion  [it changed since the plan was made]" in applied.stdout
    assert (again.exit_code, "only a plan that was not applied yet" in again.stderr) == (1, True)


async def test_a_plan_that_was_printed_before_is_printed_again_and_asked_about(here: Office, fleet: Fleet) -> None:
    """As one that is made now; nothing is carried out before that."""
    plan = json.loads((await fleet("plan", "--json")).stdout)
    before = await here.assets()

    applied = await fleet("apply", plan["run"])

    assert applied.exit_code == 2
    assert (applied.stdout.startswith("Plan: "), "--yes" in applied.stderr) == (True, True)
    assert await here.assets() == before


async def test_a_blank_run_is_no_word_for_a_new_plan(fleet: Fleet) -> None:
    """A script whose variable is empty: nothing is begun."""
    applied = await fleet("apply", "", "--yes")

    assert (applied.exit_code, "blank" in applied.stderr) == (2, True)
    assert json.loads((await fleet("history", "--json")).stdout) == []


async def test_a_line_that_fails_is_told(here: Office, fleet: Fleet) -> None:
    """With what the service said; exit status 1, and the rest is carried out."""
    here.workspace.database.faults.add(Fault("status", method="POST", path="/assets", status=400, times=1))

    applied = await fleet("apply", "--yes")

    assert applied.exit_code == 1, applied.output
    assert "  failed: create_asset " in applied.stdout
    assert "1 failed" in applied.stdout


async def test_an_apply_is_printed_as_json(fleet: Fleet) -> None:
    """The run and its lines alone; the plan is told beside."""
    applied = await fleet("apply", "--yes", "--json")

    run = json.loads(applied.stdout)
    assert (applied.exit_code, run["state"]) == (0, "succeeded")
    assert {line["status"] for line in run["lines"]} == {"done", "waiting"}
    assert "Create assets (3)" in applied.stderr


async def test_what_is_not_carried_out_is_printed_as_json(here: Office, fleet: Fleet) -> None:
    """The plan that a limit stops; else the problem, also of a run that ended with it."""
    await here.syncs.change(NAME, mapping=MAPPING + STUDIO + "safety: { max_creates: 0 }\n")
    stopped = await fleet("apply", "--yes", "--json")
    here.workspace.database.key = "another"
    broken = await fleet("plan", "--json")
    nothing = [await fleet(*words, "--json") for words in (("apply", "none"), ("undo", "none"), ("history", "none"))]

    plan = json.loads(stopped.stdout)
    assert (stopped.exit_code, plan["state"], bool(plan["brakes"])) == (3, "planned", True)
    assert len(plan["lines"]) == sum(plan["counts"].values())
    assert (broken.exit_code, json.loads(broken.stdout)["type"]) == (1, "not_connected")
    assert {json.loads(each.stdout)["type"] for each in nothing} == {"no_such_run"}


async def test_a_limit_stops_a_plan(here: Office, fleet: Fleet) -> None:
    """Exit status 3, unless it is forced."""
    await here.syncs.change(NAME, mapping=MAPPING + STUDIO + "safety: { max_creates: 0 }\n")

    stopped = await fleet("apply", "--yes")
    forced = await fleet("apply", "--yes", "--force-limits")

    assert (stopped.exit_code, "--force-limits" in stopped.stderr) == (3, True)
    assert "Brake: 3 lines create_asset; max_creates allows 0." in stopped.stdout
    assert forced.exit_code == 0, forced.output


async def test_a_run_is_taken_back(here: Office, fleet: Fleet) -> None:
    """Printed, asked, carried out."""
    await fleet("apply", "--yes")
    run = next(run["run"] for run in json.loads((await fleet("history", "--json")).stdout))

    refused = await fleet("undo", run)
    undone = await fleet("undo", run, "--yes")

    assert (refused.exit_code, undone.exit_code) == (2, 0), undone.output
    assert f"[undoes {run}]" in undone.stdout
    assert "assets that were created stay" in undone.stdout


async def test_a_host_that_goes_away_takes_its_run_up_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is told to whoever waits for it."""

    def gone(method: str, *asked: Any) -> tuple[int, Json]:
        return ask(method, *asked) if method == "POST" else (0, {"detail": "No host answers."})

    monkeypatch.setattr(sync_runs, "ask", gone)

    planned = await fleet("plan")

    assert planned.exit_code == 1
    assert planned.stderr.startswith(
        "No host answers.\nOnce it is back the run goes on by itself: upcard sync history "
    )


async def test_a_run_is_canceled(here: Office, fleet: Fleet) -> None:
    """The one that is named, a plan that waits as well; without a name the one that is at work."""
    await fleet("plan")
    plan = json.loads((await fleet("history", "--json")).stdout)[0]["run"]
    under_way = SyncRun(NAME, "apply", "somebody", state="running")
    await here.upcard.host.store.run(lambda db: insert(db, under_way))

    stopping = await fleet("cancel")
    await here.upcard.host.store.run(lambda db: end(db, under_way.id, "canceled"))
    none = await fleet("cancel")
    canceled = await fleet("cancel", plan)
    blank = await fleet("cancel", "")

    assert [each.exit_code for each in (stopping, none, canceled, blank)] == [0, 1, 0, 2]
    assert stopping.stdout == f"{under_way.id} running; it ends after the line that is under way\n"
    assert none.stderr == f"No run of {NAME} is at work.\n"
    assert canceled.stdout.startswith(f"{plan} canceled: ")


async def test_the_lines_of_a_run_are_listed(settled: Settled) -> None:
    """As a table and as JSON; a run that is not there is told."""
    table, document = await settled.fleet("history", settled.run), await settled.fleet("history", settled.run, "--json")
    none = await settled.fleet("history", "none")

    lines = json.loads(document.stdout)["lines"]
    assert len(table.stdout.splitlines()) == len(lines) + 2
    assert table.stdout.splitlines()[-1].startswith(f"{settled.run} succeeded: ")
    assert "nobody" in table.stdout
    assert none.exit_code == 1


async def test_runs_are_listed(settled: Settled) -> None:
    """With what became of their lines."""
    listed = await settled.fleet("history")

    assert f" {settled.run} " in listed.stdout
    assert " done, 1 waiting" in listed.stdout


async def test_a_run_that_failed_is_told_wherever_the_last_run_is(here: Office, fleet: Fleet, command: Command) -> None:
    """With what went wrong; what is held is still what the run before it found."""
    await fleet("plan")
    here.workspace.database.key = "another"
    await fleet("plan")

    told = [await fleet("show"), await command("sync", "list"), await fleet("history")]
    runs = json.loads((await fleet("history", "--json")).stdout)
    one = await fleet("history", runs[0]["run"])
    shown = json.loads((await fleet("show", "--json")).stdout)

    why = runs[0]["error"]["detail"]
    assert all(f"{runs[0]['run']}" in each.stdout and why in each.stdout for each in told), [
        each.stdout for each in told
    ]
    assert one.stdout == f"{runs[0]['run']} failed: {why}\n"
    assert (shown["last"]["state"], shown["holds"]) == ("failed", 2)


def _typed(words: list[str], answer: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """The command at a terminal, where somebody types."""
    ours, its = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    try:
        command = [sys.executable, "-m", "connector.cli", *words]
        return subprocess.run(command, stdin=its, capture_output=True, text=True, env=env, timeout=60)
    finally:
        os.close(ours)
        os.close(its)


async def test_a_link_is_removed(here: Office, fleet: Fleet) -> None:
    """The next run matches both anew."""
    await fleet("apply", "--yes")
    link = next(line for line in await here.lines((await here.syncs.runs(NAME, None, 1))[0][0]) if line.change.link)
    before = (await here.syncs.status(NAME)).active

    answers = [await fleet("unlink", f"device/{link.change.target}") for _ in range(2)]

    assert [each.exit_code for each in answers] == [0, 1], answers
    assert (await here.syncs.status(NAME)).active == before - 1
