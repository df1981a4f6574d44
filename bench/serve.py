"""`upcard serve` as a module that can be started with `python -m`."""

from connector.cli.serve import run_host

if __name__ == "__main__":
    run_host()
