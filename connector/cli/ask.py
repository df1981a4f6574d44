"""Ask the host at UPCARD_HOST and UPCARD_PORT, with the key in UPCARD_DATA_DIR; and say what it refused."""

import http.client
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import MappingProxyType

from connector.engine.settings import Settings
from connector.sdk.kinds import Json

# Exit statuses, as the README has them.
OK, FAILED, USAGE, REFUSED, KEY, RETRY = 0, 1, 2, 3, 4, 6


def ask(
    method: str, path: str, body: Json | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, Json]:
    """The status and the document of the answer; the status is 0 where no host answers."""
    status, said = _answer(method, path, body, headers)
    return status, said if isinstance(said, dict) else json.loads(said or b"{}")


def ask_text(path: str) -> tuple[int, str, Json]:
    """The status, the text of the answer, and where it is none the problem."""
    status, said = _answer("GET", path, None, {"Accept": "text/plain"})
    if isinstance(said, dict):
        return status, "", said
    return (status, said.decode(), {}) if status == 200 else (status, "", json.loads(said))


def _answer(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> tuple[int, bytes | Json]:
    settings = Settings()
    file = settings.data_dir / "key"
    key = file.read_text().strip() if file.exists() else ""
    request = urllib.request.Request(  # noqa: S310
        settings.address + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, http.client.HTTPException):  # also a host that is gone before it has answered
        return 0, {"detail": f"No host answers at {settings.address}. Start one with: upcard up"}


def failed(status: int, problem: Json, *, as_json: bool = False) -> int:
    """Print what went wrong, for programs as well where they asked for JSON; returns the exit status."""
    if as_json:
        sys.stdout.write(json.dumps(problem, indent=2, ensure_ascii=False) + "\n")
    sys.stderr.write(f"{problem.get('detail', 'The host gave no reason.')}\n")
    for error in problem.get("errors", []):
        if error["at"] or error["why"] != problem["detail"]:
            sys.stderr.write(f"  {error['at'] or 'the call'}: {error['why']}\n")
    if status in (401, 403):
        return KEY
    if problem.get("retry"):
        return RETRY
    return {400: USAGE, 502: REFUSED}.get(status, FAILED)
