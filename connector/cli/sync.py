"""`upcard sync list`, `create`, `show`, `check`, `enable`, `disable` and `delete`: the syncs themselves."""

import sys
import urllib.parse
from pathlib import Path

import typer
from rich.table import Column, Table

from connector.cli.ask import FAILED, OK, USAGE, ask, failed
from connector.cli.printing import open_console, print_items, print_json
from connector.sdk.kinds import Json


def at(name: str, *path: str) -> str:
    """The address of a sync, or of what is below it."""
    return "/".join(["/v1/syncs", *(urllib.parse.quote(part, safe="") for part in (name, *path))])


def print_syncs(*, as_json: bool) -> int:
    return print_items("/v1/syncs", _table, as_json=as_json)


def create_sync(name: str, mdm: str, assets: str, mapping: Path | None, *, as_json: bool) -> int:
    """Returns the exit status."""
    given = {"mdm": mdm, "assets": assets, "mapping": read_file(mapping) if mapping else ""}
    return _printed(
        *ask("POST", "/v1/syncs", {"name": name, **{key: value for key, value in given.items() if value}}),
        as_json=as_json,
    )


def print_sync(name: str, *, as_json: bool) -> int:
    return _printed(*ask("GET", at(name)), as_json=as_json)


def check_sync(name: str, *, as_json: bool) -> int:
    """Returns 1 where the token lacks something, or a system is not reached."""
    status, answer = ask("POST", at(name, "check"))
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        table = Table("for", "granted", "missing", "unknown", box=None)
        for part, cards in answer.items():
            table.add_row(part, *("\n".join(cards[word]) for word in ("granted", "missing", "unknown")))
        open_console().print(table)
    return FAILED if any(cards["missing"] for cards in answer.values()) else OK


def turn_sync(name: str, *, on: bool, as_json: bool) -> int:
    return _printed(*ask("PATCH", at(name), {"enabled": on}), as_json=as_json)


def delete_sync(name: str, *, yes: bool) -> int:
    """Asks first, since the links and what was agreed are lost; returns the exit status."""
    if not agreed(f"{name} forgets its links and what both sides agreed on. Delete it?", yes=yes):
        return USAGE
    return deleted(at(name), f"{name} is forgotten; both systems are as they were.")


def deleted(address: str, then: str) -> int:
    """Delete what stands there, and say what is true then; returns the exit status."""
    status, answer = ask("DELETE", address)
    if status != 204:
        return failed(status, answer)
    sys.stdout.write(f"{then}\n")
    return OK


def agreed(question: str, *, yes: bool) -> bool:
    """Whether it may go on: somebody says so at a terminal, or has said so by --yes. Raises Abort for a no."""
    if yes:
        return True
    if not sys.stdin.isatty():
        sys.stderr.write("Nobody can be asked here: there is no terminal. Say --yes.\n")
        return False
    return typer.confirm(question, abort=True, err=True)


def read_file(path: Path) -> str:
    """A mapping file as it is written; a usage error where it cannot be read."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise typer.BadParameter(f"{path} cannot be read: {reason}") from error


def _printed(status: int, sync: Json, *, as_json: bool) -> int:
    if status not in (200, 201):
        return failed(status, sync, as_json=as_json)
    if as_json:
        print_json(sync)
    else:
        print_facts(_facts(sync))
    return OK


def print_facts(facts: Json) -> None:
    """Names and values, a line each."""
    table = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
    for name, value in facts.items():
        table.add_row(name, str(value))
    open_console().print(table, markup=False)


def _facts(sync: Json) -> Json:
    links, last = sync["links"], sync["last"]
    return {
        "sync": sync["name"],
        "enabled": f"yes, next run {sync['next_run'] or 'soon'}" if sync["enabled"] else "no",
        "at work": sync["at_work"] or "nothing",
        "last run": ended(last) if last else "none",
        "linked": f"{links['active']} assets, {links['people']} people; {links['missing']} without their device",
        "held": sync["holds"],
        "locked": sync["locks"],
        "to tell the MDM": sync["outbox"],
    }


def counted(counts: Json) -> str:
    """How many lines there are of each status."""
    return ", ".join(f"{many} {status}" for status, many in counts.items()) or "nothing to do"


def ended(run: Json) -> str:
    """A run, its state and what became of it."""
    return f"{run['run']} {run['state']}: {became(run)}".removesuffix(": ")


def became(run: Json) -> str:
    """What became of a run: its lines, and why it failed."""
    lines = counted(run["counts"]) if run["counts"] or run["state"] in ("planned", "succeeded") else ""
    error = run["error"]["detail"] if "error" in run else ""
    return "; ".join(said for said in (lines, error) if said)


def _table(syncs: list[Json]) -> Table:
    printed = Table(
        Column("name", no_wrap=True), "enabled", "next run", "last run", "state", "what became of it", box=None
    )
    for sync in syncs:
        last = sync["last"]
        run = (last["run"], last["state"], became(last)) if last else ()
        printed.add_row(sync["name"], "yes" if sync["enabled"] else "no", sync["next_run"] or "", *run)
    return printed
