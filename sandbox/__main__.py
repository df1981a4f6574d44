"""`python -m sandbox SYSTEM ...` starts one simulated service."""

import sys
from importlib import import_module

SYSTEMS = {"assetbots": "sandbox.assetbots.serve", "kandji": "sandbox.kandji.serve", "snipeit": "sandbox.snipeit.serve"}


def main(arguments: list[str]) -> int:
    system = SYSTEMS.get(arguments[0]) if arguments else None
    if system is None:
        sys.stderr.write(f"usage: python -m sandbox {{{','.join(SYSTEMS)}}} [options]\n")
        return 2
    serve: int = import_module(system).main(arguments[1:])
    return serve


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
