"""The host as `bench.serve` runs it, but it asks nobody for a key and keeps no record: what trust costs is the rest."""

from typing import Any

from starlette.types import Scope

from cards.kandji._client import Kandji
from connector.cli.serve import run_host
from connector.engine.callers import Caller, Grant
from connector.engine.gate import Gate, Pass
from connector.rest.admission import Admission
from connector.sdk.client import Limits

ANYBODY = Caller("anybody", Grant.everything())


def admit(_: Admission, __: Scope) -> Caller:
    return ANYBODY


async def enter(_: Gate, ready: Any, run: Any, __: Any = None) -> Pass:
    return Pass(ready, run)


async def leave(*_: Any) -> None:
    """Nothing is written."""


def allow(*_: Any) -> None:
    """Everybody may do everything."""


async def still_open(*_: Any) -> None:
    """Nobody is asked before something is sent."""


if __name__ == "__main__":
    Kandji.limits = Limits(per_second=10_000, per_hour=1_000_000_000)
    Admission.admit = admit  # type: ignore[assignment,method-assign]
    Gate.enter, Gate.leave, Gate.still_open = enter, leave, still_open  # type: ignore[method-assign,assignment]
    Caller.need = Caller.need_card = allow  # type: ignore[method-assign,assignment]
    run_host()
