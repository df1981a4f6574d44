"""The command line: `upcard up`, `serve`, `cards`, `run`, `keys`, `new`, `publish`.

Imports the server only where it is run.
"""

from connector.cli.app import app

__all__ = ["app"]
