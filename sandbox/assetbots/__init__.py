"""A simulated Assetbots workspace, written from what is documented and seen; a switch where that leaves two ways."""

from typing import Any

from sandbox.assetbots.database import Settings
from sandbox.assetbots.gateway import Sandbox

__all__ = ["Sandbox", "Settings", "workspace"]


def workspace(*, assets: int = 200, people: int = 60, seed: int = 7, **settings: Any) -> Sandbox:
    """The ASGI app of one workspace; `Settings` has the rest, `app.database.key` the API key."""
    return Sandbox(Settings(assets=assets, people=people, seed=seed, **settings))
