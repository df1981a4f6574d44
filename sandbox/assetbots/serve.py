"""The command `python -m sandbox assetbots`: a workspace on a port of this machine."""

import argparse
import sys

import uvicorn

from sandbox.assetbots import workspace


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    app = workspace(
        assets=given.assets,
        people=given.people,
        seed=given.seed,
        key=given.key,
        custom_fields=given.custom_fields,
        updates=given.updates,
        unknown_fields=given.unknown_fields,
        check_ins=given.check_ins,
        asset_limit=given.asset_limit,
        per_second=given.per_second,
    )
    sys.stdout.write(
        f"Assetbots sandbox: {given.assets} assets, {given.people} people, seed {given.seed}\n"
        f"  address  http://{given.host}:{given.port}\n"
        f"  key      {app.database.key}\n"
    )
    sys.stdout.flush()
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning", server_header=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox assetbots", description="A simulated Assetbots workspace.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8702)
    parser.add_argument("--assets", type=int, default=200)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same workspace")
    parser.add_argument("--key", help="the API key; the default follows the seed")
    parser.add_argument("--custom-fields", choices=("bare", "wrapped"), default="bare", help="their form")
    parser.add_argument("--updates", choices=("merge", "replace"), default="merge", help="of what they do not name")
    parser.add_argument("--unknown-fields", choices=("refuse", "ignore"), default="refuse")
    parser.add_argument("--check-ins", choices=("empty", "listed"), default="empty", help="their answer")
    parser.add_argument("--asset-limit", type=int, help="of the plan; beyond it 402")
    parser.add_argument("--per-second", type=int, help="requests taken; beyond them 429")
    return parser
