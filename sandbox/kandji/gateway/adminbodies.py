"""What the admin calls take; unknown keys are refused."""

from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from sandbox.kandji.state.faults import Kind
from sandbox.kandji.state.tokens import EVERYTHING


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewFault(Asked):
    kind: Kind
    method: str = "*"
    path: str = "*"
    after: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    probability: float = Field(1.0, ge=0, le=1)
    milliseconds: int = Field(0, ge=0)
    status: int | None = Field(None, ge=200, le=599)
    retry_after: str | None = None


class NewToken(Asked):
    token: str = Field(default_factory=lambda: str(uuid4()))
    name: str = "Added Token"
    permissions: tuple[str, ...] = EVERYTHING


class NewDevices(Asked):
    count: int = Field(1, ge=1, le=100_000)
    at_front: bool = False


class Span(Asked):
    """Devices by their place in the list."""

    offset: int = Field(0, ge=0)
    count: int = Field(1, ge=1)


class Skip(Asked):
    seconds: float = Field(ge=0)


class NewLimits(Asked):
    on: bool
    per_second: int = Field(50, ge=1)
    per_hour: int = Field(10_000, ge=1)


class Reset(Asked):
    """Settings to change; none to start again as before."""

    devices: int | None = Field(None, ge=0, le=10_000_000)
    seed: int | None = None
