"""A simulated Snipe-IT server, written from its source (8.1.4) with the traps of its API; settings are switches."""

from typing import Any

from sandbox.snipeit.database import Settings
from sandbox.snipeit.gateway import Sandbox

__all__ = ["Sandbox", "Settings", "server"]


def server(*, assets: int = 200, users: int = 60, seed: int = 7, **settings: Any) -> Sandbox:
    """The ASGI app of one server; `Settings` has the rest, `app.database.token` the API token."""
    return Sandbox(Settings(assets=assets, users=users, seed=seed, **settings))
