"""The command `python -m sandbox kandji`: a tenant on a port of this machine."""

import argparse
import sys
from uuid import UUID

import uvicorn

from sandbox.kandji import tenant


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    app = tenant(
        devices=given.devices,
        seed=given.seed,
        token=given.token,
        blueprints=given.blueprints,
        rate_limit=given.rate_limit == "on",
        command_seconds=given.command_seconds,
        lock_seconds=given.lock_seconds,
        forbidden_status=given.forbidden_status,
    )
    sys.stdout.write(
        f"Kandji sandbox: {given.devices} devices, seed {given.seed}\n"
        f"  address  http://{given.host}:{given.port}\n"
        f"  token    {app.tenant.token}\n"
    )
    sys.stdout.flush()
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning", server_header=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox kandji", description="A simulated Kandji tenant.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8701)
    parser.add_argument("--devices", type=int, default=640, help="how many, up to 10,000,000")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same fleet")
    parser.add_argument("--token", type=_token, help="the token that may do everything; the default follows the seed")
    parser.add_argument("--blueprints", type=int, default=8, help="how many, at least 8")
    parser.add_argument("--rate-limit", choices=("on", "off"), default="on", help="50 a second, 10,000 an hour")
    parser.add_argument("--command-seconds", type=float, default=0.5, help="how long an MDM command stays pending")
    parser.add_argument("--lock-seconds", type=float, help="how long a Mac stays locked; for ever when not given")
    parser.add_argument("--forbidden-status", type=int, choices=(401, 403), default=403, help="without permission")
    return parser


def _token(text: str) -> str:
    return str(UUID(text))
