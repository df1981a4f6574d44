"""`upcard sync plan`, `apply`, `undo` and `cancel`: runs that are begun, awaited and told."""

import sys
import time
from collections import Counter
from collections.abc import Iterator

from rich.console import Console

from connector.cli.ask import FAILED, OK, USAGE, ask, ask_text, failed
from connector.cli.printing import print_json
from connector.cli.sync import agreed, at, counted, ended
from connector.sdk.kinds import Json

SOON, LATER = 0.05, 1.0  # seconds until it is looked how far a run is: soon at first, then less and less often
PAGE = 1000  # the most lines that are given at once
HELD = 3  # the exit status of a plan that holds something, or that a limit stops
AT_WORK = ("queued", "running")
UNDONE = ("failed", "begun", "stale")  # `begun`: nobody knows what became of it
NO_ANSWER = "no answer came; the next plan looks what became of it"


def print_plan(name: str, *, as_json: bool) -> int:
    """Returns the exit status of the plan, or why there is none."""
    status, run = _begun(name, "plan", {})
    if not _is_plan(status, run):
        return _refused(status, run, as_json=as_json)
    if as_json:
        print_json({**run, "lines": list(lines(name, run["run"], as_json=as_json))})
        return int(run["exit_code"])
    if wrong := _told(name, run["run"], as_json=False):
        return wrong
    if run["counts"].get("planned"):
        forced = " --force-limits" if run["brakes"] else ""
        sys.stdout.write(f"\nApply it with: upcard sync apply {name} {run['run']}{forced}\n")
    return int(run["exit_code"])


def apply_plan(name: str, plan: str | None, *, forced: bool, yes: bool, as_json: bool) -> int:
    """Returns the exit status. The plan, made now unless one is named, is told, asked about, and done exactly."""
    status, run = ask("GET", at(name, "runs", plan)) if plan else _begun(name, "plan", {})
    if _is_plan(status, run):
        return _asked(name, run, forced=forced, yes=yes, as_json=as_json)
    if plan and status == 200:
        why = f"The run is {run['state']}: only a plan that was not applied yet can be."
        return failed(0, {"detail": why}, as_json=as_json)
    return _refused(status, run, as_json=as_json)


def undo_run(name: str, run: str, *, yes: bool, as_json: bool) -> int:
    """Returns the exit status."""
    status, back = ask("POST", at(name, "undo"), {"run": run})
    if status != 201:
        return failed(status, back, as_json=as_json)
    return _asked(name, back, forced=False, yes=yes, as_json=as_json)


def cancel_run(name: str, run: str | None, *, as_json: bool) -> int:
    """Let a run end where it is, the one that is at work unless one is named; returns the exit status."""
    status, sync = ask("GET", at(name))
    if status != 200:
        return failed(status, sync, as_json=as_json)
    wanted = run or sync["at_work"]
    if wanted is None:
        return failed(0, {"detail": f"No run of {name} is at work."}, as_json=as_json)
    status, found = ask("POST", at(name, "runs", wanted, "cancel"))
    if status != 200:
        return failed(status, found, as_json=as_json)
    if as_json:
        print_json(found)
    else:
        later = "; it ends after the line that is under way" if found["state"] in AT_WORK else ""
        sys.stdout.write(f"{ended(found)}{later}\n")
    return OK


def lines(name: str, run: str, *, as_json: bool) -> Iterator[Json]:
    """The lines of a run. Raises SystemExit where the host does not give them."""
    wanted, cursor = f"{at(name, 'runs', run, 'changes')}?limit={PAGE}", ""
    while True:
        status, page = ask("GET", wanted + cursor)
        if status != 200:
            raise SystemExit(failed(status, page, as_json=as_json))
        yield from page["items"]
        if not page["next"]:
            return
        cursor = f"&cursor={page['next']}"


def _asked(name: str, plan: Json, *, forced: bool, yes: bool, as_json: bool) -> int:
    """Print a plan, ask, and carry it out; nothing is asked where there is nothing to do."""
    if wrong := _told(name, plan["run"], as_json=as_json):
        return wrong
    many = plan["counts"].get("planned", 0)
    if many and (forced or not plan["brakes"]) and not agreed(f"Carry out {many} lines?", yes=yes):
        return USAGE
    if many:
        return _applied(name, plan, forced=forced, as_json=as_json)
    return _left(name, plan, HELD if plan["stopped"] else OK, as_json=as_json)


def _left(name: str, plan: Json, code: int, *, as_json: bool) -> int:
    """The exit status of a plan that is not carried out; it is printed where JSON is wanted."""
    if as_json:
        print_json({**plan, "lines": list(lines(name, plan["run"], as_json=True))})
    return code


def _applied(name: str, plan: Json, *, forced: bool, as_json: bool) -> int:
    """Carry a plan out and print what became of it; returns the exit status."""
    if plan["brakes"] and not forced:
        sys.stderr.write("A limit of the mapping stops this plan: --force-limits carries it out all the same.\n")
        return _left(name, plan, HELD, as_json=as_json)
    wanted = {"plan": plan["run"], "force_limits": forced}
    status, run = _begun(name, "apply", wanted, plan["counts"].get("planned", 0))
    if status not in (200, 202):
        return failed(status, run, as_json=as_json)
    there = list(lines(name, run["run"], as_json=as_json))
    if as_json:
        print_json({**run, "lines": there})
    return _outcome(run, there, quiet=as_json)


def _outcome(run: Json, there: list[Json], *, quiet: bool) -> int:
    count = Counter(line["status"] for line in there)
    if not quiet:
        sys.stdout.write(f"\n{run['run']} {run['state']}: {counted(count)}.\n")
        sys.stdout.writelines(f"  {line['status']}: {_said(line)}\n" for line in there if line["status"] in UNDONE)
    if error := run.get("error"):
        return failed(0, error)
    return OK if run["state"] == "succeeded" and not count["failed"] + count["begun"] else FAILED


def _said(line: Json) -> str:
    """A line, and why it was not carried out."""
    field = f": {line['field']}" if line["field"] else ""
    return f"{line['op']} {line['name']}{field}  [{line['error'] or NO_ANSWER}]"


def _begun(name: str, verb: str, wanted: Json, many: int = 0) -> tuple[int, Json]:
    """Begin a run and wait until it ends, however long that takes. `many`: the lines that it carries out."""
    status, run = ask("POST", at(name, verb), wanted, {"Prefer": "respond-async"})
    if status not in (200, 202):
        return status, run
    began, pause = run["run"], SOON
    try:
        with Console(stderr=True).status(f"{verb} {name}") as shown:
            while status in (200, 202) and run["state"] in AT_WORK:
                time.sleep(pause := min(LATER, 1.3 * pause))
                status, run = ask("GET", at(name, "runs", began))
                if many and status == 200:
                    shown.update(f"{verb} {name}: {many - run['counts'].get('planned', 0)} of {many} lines")
    except KeyboardInterrupt:
        sys.stderr.write(f"The run goes on at the host: upcard sync history {name} {began}\n")
        raise
    if status == 0:
        goes_on = f"Once it is back the run goes on by itself: upcard sync history {name} {began}"
        return status, {**run, "detail": f"{run['detail']}\n{goes_on}"}
    return status, run


def _is_plan(status: int, run: Json) -> bool:
    """Whether both sides were read, be it only to find that there is to be no plan."""
    return status in (200, 202) and (run["state"] == "planned" or bool(run["stopped"]))


def _refused(status: int, run: Json, *, as_json: bool) -> int:
    """Say why there is no plan; returns the exit status."""
    if status not in (200, 202):
        return failed(status, run, as_json=as_json)
    return failed(0, run.get("error") or {"detail": f"The run {run['run']} was {run['state']}."}, as_json=as_json)


def _told(name: str, run: str, *, as_json: bool) -> int:
    """Print a plan as people read it, beside what is JSON; returns another exit status than 0 where it cannot be."""
    status, text, problem = ask_text(at(name, "runs", run))
    if status != 200:
        return failed(status, problem, as_json=as_json)
    (sys.stderr if as_json else sys.stdout).write(text)
    return OK
