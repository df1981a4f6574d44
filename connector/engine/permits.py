"""What a connection's policy says to a call: whether it may destroy, and how much of the fleet (DA-1 to DA-4).

Some of it is looked up at the service, before anything is put on record; caps are counted in the gate's transaction.
"""

from dataclasses import dataclass

from connector.engine import policies
from connector.engine.calls import Ready
from connector.engine.connections import Connections
from connector.engine.store import Store
from connector.engine.switch import Switch
from connector.sdk.client import CHANGES, EVERYTHING, WouldSend
from connector.sdk.errors import Conflict, Fault, Forbidden, InvalidCall, SafetyCap


@dataclass(frozen=True)
class Permits:
    """One for all calls of a host."""

    store: Store
    connections: Connections
    switch: Switch

    async def check(self, ready: Ready) -> None:
        """All the questions, for a dry run, which is not put on record (DA-3)."""
        if ready.deed.disruptive:
            self.switch.refuse()
        if ready.deed.effect != "read" or ready.deed.secret:
            await self.may_destroy(ready)
        if ready.deed.disruptive:
            fleet = await self.fleet_allows(ready)
            name, policy = ready.account.name, ready.account.policy
            await self.store.run(lambda db: policies.refuse_over(db, name, ready.deed, policy, fleet))

    async def may_destroy(self, ready: Ready) -> str | None:
        """The target where a second person has to agree (DA-1, DA-2). Raises Forbidden, InvalidCall, Conflict."""
        mode = ready.account.policy.destroy if ready.deed.effect == "destroy" else "on"
        if mode == "off":
            name = ready.account.name
            raise Forbidden(f"Cards that destroy are off for the connection {name}; its policy can turn them on.")
        if mode == "confirm" and ready.confirm is None:
            raise InvalidCall.of([Fault("confirm", "Repeat the name of the target, such as a serial number.")])
        if mode == "on" and ready.confirm is None:
            return None
        target = await self._target(ready)
        if ready.confirm is not None and target != ready.confirm:
            raise Conflict("Confirm is not the name of the target, such as its serial number. Nothing was sent.")
        return target or "" if mode == "approve" else None

    async def fleet_allows(self, ready: Ready) -> int | None:
        """How many may be destroyed in a day at most, by the size of the fleet (DA-4)."""
        policy, name = ready.account.policy, ready.account.name
        if ready.deed.effect != "destroy" or policy.destroys_percent_of_fleet is None:
            return None
        destroyed = await self.store.run(lambda db: policies.destroyed_today(db, name))
        least = policy.least_fleet(destroyed)
        if least and not await self.connections.client(ready.account).has_fleet(least):
            percent = policy.destroys_percent_of_fleet
            raise SafetyCap(f"This connection takes cards that destroy for {percent} % of its devices in 24 hours.")
        return destroyed + 1

    async def _target(self, ready: Ready) -> str | None:
        """Look up what the call is about, as the service has it now."""
        held = EVERYTHING if ready.card.by_name or ready.card.effect == "read" else CHANGES
        try:
            await ready.card.ask(ready.options, ready.inputs, self.connections.client(ready.account, held))
        except WouldSend as request:
            return await self.connections.client(ready.account).target(request.parts)
        return None
