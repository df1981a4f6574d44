"""What the admin calls of a tenant take."""

from uuid import uuid4

from pydantic import Field

from sandbox.admin import Asked
from sandbox.kandji.state.tokens import EVERYTHING


class NewToken(Asked):
    token: str = Field(default_factory=lambda: str(uuid4()))
    name: str = "Added Token"
    permissions: tuple[str, ...] = EVERYTHING


class NewDevices(Asked):
    count: int = Field(1, ge=1, le=100_000)
    at_front: bool = False


class NewLimits(Asked):
    on: bool
    per_second: int = Field(50, ge=1)
    per_hour: int = Field(10_000, ge=1)


class Reset(Asked):
    """Settings to change; none to start again as before."""

    devices: int | None = Field(None, ge=0, le=10_000_000)
    seed: int | None = None
