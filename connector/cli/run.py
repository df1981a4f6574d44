"""`upcard run KEY name=value…`: call a card on the host that is up."""

import json
import sys
import urllib.error
import urllib.request
from difflib import get_close_matches

import typer

from connector.engine.settings import Settings
from connector.sdk.kinds import Json

# Exit statuses, as the README has them.
OK, FAILED, USAGE, REFUSED, KEY, RETRY = 0, 1, 2, 3, 4, 6


def run_card(key: str, values: list[str], connection: str, *, dry_run: bool, yes: bool) -> int:
    """Prints the outputs as JSON; returns the exit status."""
    settings = Settings()
    path = f"/v1/cards/{key.replace('.', '/', 1)}"
    status, document = _ask(settings, "GET", path)
    if status != 200:
        return _failed(status, document)
    call: Json = {**_sorted(document, values), "dry_run": dry_run}
    if connection:
        call["connection"] = connection
    if document["x-effect"] == "destroy" and not (dry_run or yes):
        typer.confirm(f"{document['title']} cannot be undone. Run it?", abort=True)
    status, answer = _ask(settings, "POST", path, call)
    if status not in (200, 202):
        return _failed(status, answer)
    sys.stdout.write(json.dumps(answer.get("outputs", answer), indent=2, ensure_ascii=False) + "\n")
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


def _failed(status: int, problem: Json) -> int:
    sys.stderr.write(f"{problem.get('detail', 'The host gave no reason.')}\n")
    for error in problem.get("errors", []):
        sys.stderr.write(f"  {error['at']}: {error['why']}\n")
    if status in (401, 403):
        return KEY
    if problem.get("retry"):
        return RETRY
    return {400: USAGE, 502: REFUSED}.get(status, FAILED)


def _ask(settings: Settings, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
    """One request to our own host."""
    file = settings.data_dir / "key"
    key = file.read_text().strip() if file.exists() else ""
    request = urllib.request.Request(  # noqa: S310
        settings.address + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except urllib.error.URLError:
        return 0, {"detail": f"No host answers at {settings.address}. Start one with: upcard up"}
