"""`upcard keys list`, `create` and `revoke`: over HTTP, with the key in the data folder."""

import sys
import urllib.parse

from rich.table import Column, Table

from connector.cli.ask import OK, ask, failed
from connector.cli.printing import print_items, print_json
from connector.sdk.kinds import Json

ONCE = "This key is shown only here.\n"


def print_keys(*, as_json: bool) -> int:
    """The keys without their secrets; returns the exit status."""
    return print_items("/v1/keys", _table, as_json=as_json)


def create_key(wanted: Json, *, as_json: bool) -> int:
    """Prints the key alone, so that it can be read into a variable; returns the exit status."""
    status, answer = ask("POST", "/v1/keys", wanted)
    if status != 201:
        return failed(status, answer)
    if as_json:
        print_json(answer)
    else:
        sys.stdout.write(answer["key"] + "\n")
    sys.stderr.write(ONCE)
    return OK


def revoke_key(id_: str, *, cancel_runs: bool) -> int:
    """Returns the exit status."""
    also = "?cancel_runs=true" if cancel_runs else ""
    status, answer = ask("DELETE", f"/v1/keys/{urllib.parse.quote(id_, safe='')}{also}")
    return OK if status == 204 else failed(status, answer)


def _table(keys: list[Json]) -> Table:
    names = ("label", "scopes", "cards", "connections", "expires", "last used")
    printed = Table(Column("id", no_wrap=True), *names, box=None)
    for key in keys:
        connections = "all" if key["connections"] is None else " ".join(key["connections"])
        lists = (" ".join(key["scopes"]), " ".join(key["cards"]), connections)
        printed.add_row(key["id"], key["label"], *lists, key["expires"] or "never", key["last_used"] or "never")
    return printed
