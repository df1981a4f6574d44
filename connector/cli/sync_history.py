"""`upcard sync history`, `holds`, `locks`, `lock`, `unlock`, `unlink`, `outbox`: what was done, waits, or is left."""

import sys
import urllib.parse

from rich.table import Column, Table

from connector.cli.ask import OK, ask, failed
from connector.cli.printing import open_console, print_items, print_json
from connector.cli.sync import at, became, deleted, ended
from connector.cli.sync_runs import lines
from connector.sdk.kinds import Json


def print_runs(name: str, *, as_json: bool) -> int:
    """The last runs, newest first; returns the exit status."""
    return print_items(at(name, "runs"), _runs, as_json=as_json)


def print_changes(name: str, run: str, *, as_json: bool) -> int:
    """Every line of a run, and how it ended; returns the exit status."""
    status, answer = ask("GET", at(name, "runs", run))
    if status != 200:
        return failed(status, answer, as_json=as_json)
    there = list(lines(name, run, as_json=as_json))
    if as_json:
        print_json({**answer, "lines": there})
    else:
        if there:
            open_console().print(_changes(there), markup=False)
        sys.stdout.write(f"{ended(answer)}\n")
    return OK


def print_holds(name: str, *, as_json: bool) -> int:
    return print_items(at(name, "holds"), lambda items: _table(("kind", "why", "todo"), items), as_json=as_json)


def print_locks(name: str, *, as_json: bool) -> int:
    columns = ("link", "field", "reason", "by", "since")
    return print_items(at(name, "locks"), lambda items: _table(columns, items), as_json=as_json)


def print_outbox(name: str, *, as_json: bool) -> int:
    columns = ("asset", "origin", "attempts", "due", "why")
    return print_items(at(name, "outbox"), lambda items: _table(columns, items), as_json=as_json)


def lock_field(name: str, asset: str, field: str, reason: str) -> int:
    """Returns the exit status."""
    link = _link(name, asset)
    status, answer = ask("POST", at(name, "locks"), {"link": link, "field": field, "reason": reason})
    if status != 201:
        return failed(status, answer)
    sys.stdout.write(f"{answer['field']} of {link} is reported and not written, since {answer['since']}.\n")
    return OK


def unlock_field(name: str, asset: str, field: str) -> int:
    """Returns the exit status."""
    named = urllib.parse.urlencode({"link": (link := _link(name, asset)), "field": field})
    return deleted(f"{at(name, 'locks')}?{named}", f"{field} of {link} is written again.")


def remove_link(name: str, asset: str) -> int:
    """Returns the exit status."""
    named = urllib.parse.urlencode({"link": (link := _link(name, asset))})
    then = f"{link} is no link any more; the next run matches its asset and its device anew."
    return deleted(f"{at(name, 'links')}?{named}", then)


def _link(name: str, asset: str) -> str:
    """ID of the link of an asset, which may be given in its place. Raises SystemExit where the asset has none."""
    if asset.startswith(("device/", "user/")):
        return asset
    status, answer = ask("GET", at(name, "assets", asset))
    if status != 200:
        raise SystemExit(failed(status, answer))
    return f"device/{answer['asset']}"


def _runs(runs: list[Json]) -> Table:
    printed = Table(
        Column("run", no_wrap=True), "mode", "state", "by", "started", "held", "what became of it", box=None
    )
    for run in runs:
        said = (run["mode"], run["state"], run["by"], run["started"], str(run["held"]), became(run))
        printed.add_row(run["run"], *said)
    return printed


def _changes(there: list[Json]) -> Table:
    printed = Table(Column("line", no_wrap=True), "status", "what", "of", "field", "from", "to", "why", box=None)
    for line in there:
        before, after = line["shown"] or (_value(line["before"]), _value(line["after"]))
        what = (line["status"], line["op"], line["name"], line["field"] or "", before, after)
        printed.add_row(str(line["seq"]), *what, line["error"] or line["why"])
    return printed


def _value(value: object) -> str:
    """A value in one line; a new record by its values."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return "" if value is None else str(value)


def _table(columns: tuple[str, ...], items: list[Json]) -> Table:
    printed = Table(*columns, box=None)
    for item in items:
        printed.add_row(*(_value(item.get(column)) for column in columns))
    return printed
