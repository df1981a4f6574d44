"""`python -m connector.cli`: the same as `upcard`."""

from connector.cli import app

app()
