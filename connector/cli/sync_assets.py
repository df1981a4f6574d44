"""`upcard sync checkout`, `checkin`, `action` and `open`: one asset of a sync, and its device."""

import sys

import typer

from connector.cli.ask import OK, USAGE, ask, failed
from connector.cli.printing import print_json
from connector.cli.sync import at, print_facts
from connector.sdk.kinds import Json

HARMLESS = ("blankpush",)  # nobody is asked to confirm it, unless the mapping says so


def change_asset(name: str, asset: str, verb: str, wanted: Json, *, as_json: bool) -> int:
    """Prints the asset as it is then; returns the exit status."""
    status, answer = ask("POST", at(name, "assets", asset, verb), wanted)
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        has = answer["assignee"]
        who = f"{has['kind']} {has['id']}" if has["id"] else "nobody"
        print_facts({key: answer[key] or "" for key in ("asset", "tag", "serial", "status")} | {"with": who})
    return OK


def act(name: str, asset: str, action: str, *, confirm: str, reason: str, yes: bool, as_json: bool) -> int:
    """Prints the card's outputs as JSON, this once; returns the exit status."""
    typed = confirm or _typed(asset, action, yes=yes)
    if typed is None:
        return USAGE
    wanted = {"asset": asset, "action": action, "confirm": typed, "reason": reason}
    status, answer = ask("POST", at(name, "actions"), {key: value for key, value in wanted.items() if value})
    if status not in (200, 202):
        return failed(status, answer, as_json=as_json)
    print_json(answer if as_json else answer.get("outputs", answer))
    return OK


def print_page(name: str, asset: str, *, as_json: bool) -> int:
    """Returns the exit status."""
    status, answer = ask("GET", at(name, "assets", asset))
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        sys.stdout.write(answer["view"] + "\n")
    return OK


def _typed(asset: str, action: str, *, yes: bool) -> str | None:
    """The serial number, as somebody types it; with --yes the asset stands for it. None where nobody can be asked."""
    if action in HARMLESS:
        return ""
    if yes:
        return asset
    if not sys.stdin.isatty():
        sys.stderr.write("Nobody can be asked here: there is no terminal. Say --confirm SERIAL, or --yes.\n")
        return None
    return str(typer.prompt(f"Serial number of the device, to {action} it", err=True))
