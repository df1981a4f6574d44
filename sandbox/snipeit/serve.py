"""The command `python -m sandbox snipeit`: a server on a port of this machine."""

import argparse
import sys

import uvicorn

from sandbox.snipeit import server


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    app = server(
        assets=given.assets,
        users=given.users,
        seed=given.seed,
        token=given.token,
        unique_serial=given.unique_serial,
        auto_increment=given.auto_increment,
        require_notes=given.require_notes,
        show_archived=given.show_archived,
        max_results=given.max_results,
        per_minute=given.per_minute or None,
    )
    sys.stdout.write(
        f"Snipe-IT sandbox: {given.assets} assets, {given.users} users, seed {given.seed}\n"
        f"  address  http://{given.host}:{given.port}\n"
        f"  token    {app.database.token}\n"
    )
    sys.stdout.flush()
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning", server_header=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox snipeit", description="A simulated Snipe-IT server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8703)
    parser.add_argument("--assets", type=int, default=200)
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same server")
    parser.add_argument("--token", help="the API token; the default follows the seed")
    parser.add_argument("--unique-serial", action="store_true", help="no two assets have the same serial number")
    parser.add_argument("--auto-increment", action="store_true", help="the server gives asset tags itself")
    parser.add_argument("--require-notes", action="store_true", help="checkouts and check-ins need a note")
    parser.add_argument("--show-archived", action="store_true", help="lists have archived assets")
    parser.add_argument("--max-results", type=int, default=500, help="in one page, whatever is asked for")
    parser.add_argument("--per-minute", type=int, default=120, help="requests taken, beyond them 429; 0 for any number")
    return parser
