"""`upcard run KEY name=value…`: call a card on the host that is up."""

import json
from difflib import get_close_matches

import typer

from connector.cli.ask import OK, ask, failed
from connector.cli.printing import print_json
from connector.sdk.kinds import Json


def run_card(key: str, values: list[str], said: Json, *, once: str, yes: bool) -> int:
    """Prints the outputs as JSON; returns the exit status. `said`: what a call has besides options and inputs."""
    path = f"/v1/cards/{key.replace('.', '/', 1)}"
    status, document = ask("GET", path)
    if status != 200:
        return failed(status, document)
    call: Json = {**_sorted(document, values), **said}
    if document["x-effect"] == "destroy" and not (said["dry_run"] or yes):
        typer.confirm(f"{document['title']} cannot be undone. Run it?", abort=True)
    status, answer = ask("POST", path, call, {"Idempotency-Key": once} if once else {})
    if status not in (200, 202):
        return failed(status, answer)
    print_json(answer.get("outputs", answer))
    return OK


def _sorted(document: Json, values: list[str]) -> Json:
    """`name=value` goes to the table that has the name; `stream.flow=onboard` names its table itself."""
    tables = {
        at: set(document["properties"].get(at, {}).get("properties", {})) for at in ("options", "inputs", "stream")
    }
    call: Json = {}
    for entry in values:
        name, equals, value = entry.partition("=")
        at, dot, key = name.partition(".")
        place, key = (at, key) if dot else (next((at for at, keys in tables.items() if name in keys), ""), name)
        if not equals or key not in tables.get(place, ()):
            raise typer.BadParameter(_unknown(name, {key for keys in tables.values() for key in keys}))
        call.setdefault(place, {})[key] = _loose(value)
    return call


def _loose(value: str) -> object:
    """Objects and lists are given as JSON; the host converts all else."""
    return json.loads(value) if value[:1] in ("{", "[") else value


def _unknown(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"no input named {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
