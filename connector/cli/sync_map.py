"""`upcard sync map`: the mapping file of a sync, printed, proposed, checked and saved."""

import sys
from pathlib import Path

from connector.cli.ask import OK, ask, failed
from connector.cli.printing import print_json
from connector.cli.sync import at, read_file
from connector.sdk.kinds import Json

NEW = 2  # the exit status where the mapping says nothing of something


def print_mapping(name: str, *, as_json: bool) -> int:
    """To the letter, so that it can be written to a file; returns the exit status."""
    return _printed(*ask("GET", at(name, "mapping")), as_json=as_json)


def propose_mapping(name: str, file: Path | None, *, as_json: bool) -> int:
    """Returns the exit status. A file that could not be extended stays as it is."""
    given = {"mapping": read_file(file)} if file and file.exists() else {}
    status, answer = ask("POST", at(name, "mapping", "propose"), given)
    if status != 200 or file is None:
        return _printed(status, answer, as_json=as_json)
    file.write_bytes(answer["mapping"].encode())
    sys.stderr.write(f"wrote {file}; save it with: upcard sync map save {name} {file}\n")
    if as_json:
        print_json(answer)
    return OK


def print_strangers(name: str, *, as_json: bool) -> int:
    """Returns the exit status: 2 where something is new."""
    status, answer = ask("POST", at(name, "mapping", "check"), {})
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        sides = {"property of the MDM": "properties", "column of the asset system": "columns"}
        lines = [f"{what}: {each['name']} ({each['kind']})\n" for what, side in sides.items() for each in answer[side]]
        sys.stdout.write("".join(lines) or "The mapping says something of everything there is.\n")
    return NEW if any(answer.values()) else OK


def save_mapping(name: str, file: Path, *, as_json: bool) -> int:
    """Returns the exit status; every error is told with its line."""
    status, answer = ask("PATCH", at(name), {"mapping": read_file(file)})
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        sys.stdout.write(f"saved {file} as the mapping of {name}\n")
    return OK


def _printed(status: int, answer: Json, *, as_json: bool) -> int:
    if status != 200:
        return failed(status, answer, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        sys.stdout.write(answer["mapping"])
    return OK
