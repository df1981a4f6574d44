"""What is looked at now and then, rather than counted as it happens: what waits, what is left, how late the loop is."""

import asyncio
from dataclasses import dataclass

from connector.engine.connections import Connections
from connector.engine.destinations import Destinations
from connector.engine.ledger import Ledger
from connector.engine.telemetry import Telemetry

EVERY = 10.0  # seconds
SECOND = 1.0


@dataclass(frozen=True)
class Gauges:
    """Looks, and tells the telemetry."""

    telemetry: Telemetry
    ledger: Ledger
    destinations: Destinations
    connections: Connections

    async def look(self) -> None:
        due, oldest, failed = await self.ledger.backlog()
        self.telemetry.backlog(due, oldest, failed, self.destinations.out)
        left: dict[str, int] = {}
        for account in self.connections.all():
            if account.budget:
                least = (await account.budget.shown())["left"]
                left[account.connector] = min(least, left.get(account.connector, least))
        for connector, requests in left.items():
            self.telemetry.left(connector, requests)

    async def listen(self) -> None:
        """How late a second is: that long a call may wait for its turn on the event loop."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(SECOND)
        self.telemetry.late(loop.time() - began - SECOND)
