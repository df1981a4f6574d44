"""`upcard approvals` and `upcard kill-switch`: what a second person does, and whoever has to stop everything."""

import urllib.parse

from rich.table import Column, Table

from connector.cli.ask import OK, ask, failed
from connector.cli.printing import print_items, print_json
from connector.sdk.kinds import Json

SHOWN = ("card", "connection", "target", "caller", "reason", "state", "expires")


def print_approvals(state: str, *, as_json: bool) -> int:
    """Those in this state; returns the exit status."""
    path = f"/v1/approvals?state={urllib.parse.quote(state, safe='')}"
    return print_items(path, _table, as_json=as_json)


def decide(id_: str, verb: str, reason: str) -> int:
    """Approve or refuse; returns the exit status."""
    status, answer = ask("POST", f"/v1/approvals/{urllib.parse.quote(id_, safe='')}/{verb}", {"reason": reason or None})
    return _printed(status, answer)


def turn(on: bool | None, reason: str) -> int:
    """Turn the kill switch, or say where it is (None); returns the exit status."""
    if on is None:
        return _printed(*ask("GET", "/v1/kill-switch"))
    return _printed(*ask("PUT", "/v1/kill-switch", {"on": on, "reason": reason or None}))


def _printed(status: int, answer: Json) -> int:
    if status != 200:
        return failed(status, answer)
    print_json(answer)
    return OK


def _table(approvals: list[Json]) -> Table:
    printed = Table(Column("id", no_wrap=True), *SHOWN, box=None)
    for approval in approvals:
        printed.add_row(approval["id"], *(approval[name] or "" for name in SHOWN))
    return printed
