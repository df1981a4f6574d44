"""One action that was asked of one device, with the few verbs every action needs."""

from dataclasses import dataclass
from typing import Any

from sandbox.kandji.api.bodies import REQUIRED, Fields, text
from sandbox.kandji.api.errors import invalid
from sandbox.kandji.facts.fleet import Device
from sandbox.kandji.state.commands import Effect
from sandbox.kandji.state.tenant import Tenant


@dataclass(frozen=True)
class Asked:
    tenant: Tenant
    device: Device
    action: str
    given: Fields
    by: str

    def queue(
        self,
        command_type: str,
        *,
        request_type: str = "",
        metadata: dict[str, Any] | None = None,
        effect: Effect | None = None,
        failure: str | None = None,
    ) -> None:
        self.tenant.commands.queue(
            self.device.index,
            self.action,
            command_type,
            request_type=request_type,
            metadata=metadata,
            effect=effect,
            failure=failure,
        )

    def required(self, key: str) -> Any:
        """A value that must be there; the case of the key matters."""
        if key not in self.given:
            raise invalid({key: [REQUIRED]})
        return self.given[key]

    def required_text(self, key: str) -> str:
        self.required(key)
        problems: dict[str, Any] = {}
        value = text(self.given, key, problems)
        if problems or value is None:
            raise invalid(problems)
        return value
