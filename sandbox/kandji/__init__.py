"""A simulated Kandji tenant that behaves like the service: any fleet size, seeded, with faults on demand."""

from typing import Any

from sandbox.kandji.gateway.gateway import Sandbox
from sandbox.kandji.state.tenant import Settings

__all__ = ["Sandbox", "Settings", "tenant"]


def tenant(*, devices: int = 640, seed: int = 7, token: str | None = None, **settings: Any) -> Sandbox:
    """The ASGI app of one tenant; `Settings` has the rest, `app.tenant.token` the token that may do everything."""
    return Sandbox(Settings(devices=devices, seed=seed, token=token, **settings))
