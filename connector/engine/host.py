"""Everything one host is made of, opened in order and closed again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from connector.catalog.find import Catalog, catalog
from connector.engine import seals
from connector.engine.addresses import Allowed
from connector.engine.budget import Budgets
from connector.engine.calls import Reader
from connector.engine.connections import Connections
from connector.engine.destinations import Destinations
from connector.engine.durable import Queue, working
from connector.engine.flows import Flows
from connector.engine.hosts import present
from connector.engine.jobs import Jobs
from connector.engine.keys import Keys
from connector.engine.ledger import Ledger
from connector.engine.network import open_session
from connector.engine.retention import forget
from connector.engine.runner import Runner
from connector.engine.runs import Runs
from connector.engine.settings import Settings
from connector.engine.store import Store
from connector.engine.streams import Streams
from connector.engine.telemetry import Telemetry
from connector.engine.trials import Trials
from connector.engine.worker import Worker

MOST_TO_SERVICES = 256  # connections open at once
MOST_TO_FLOWS = 4000  # many more than one origin may have: a slow one leaves room for others (CB-8)


@dataclass(frozen=True)
class Host:
    """The parts that the faces use."""

    settings: Settings
    catalog: Catalog
    keys: Keys
    connections: Connections
    flows: Flows
    trials: Trials
    runs: Runs
    streams: Streams
    worker: Worker
    reader: Reader
    runner: Runner
    telemetry: Telemetry
    store: Store
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    async def is_ready(self) -> bool:
        """Whether the store can be read and calls are still taken."""
        try:
            await self.store.run(lambda db: db.execute(sa.text("SELECT 1")))
        except sa.exc.SQLAlchemyError:
            return False
        return not self.draining.is_set()


@asynccontextmanager
async def open_host(settings: Settings) -> AsyncIterator[Host]:
    """Open the store and the network, take up what was left undone, and close all of it when the host stops."""
    store = Store(settings.store_url)
    await asyncio.to_thread(store.migrate)
    sealed = seals.load(settings.secret_keys, settings.data_dir)
    services, receivers = Allowed.parse(settings.allow_services), Allowed.parse(settings.allow_receivers)
    # Two sessions, one guard each: an address that is allowed for a service must not become one for a callback.
    async with (
        open_session(services, limit=MOST_TO_SERVICES) as upstream,
        open_session(receivers, limit=MOST_TO_FLOWS) as callbacks,
        AsyncExitStack() as stack,
    ):
        found, runs, streams = catalog(), Runs(store), Streams(store, sealed, Queue(store))
        budgets = Budgets(store)
        stack.callback(budgets.close)
        connections = Connections(found, store, sealed, upstream, services, budgets)
        flows = Flows(store, sealed, receivers)
        reader = Reader(found, connections, flows, receivers, settings.unregistered_flows)
        telemetry = Telemetry()
        runner = Runner(connections, runs, streams, telemetry)
        presence = await stack.enter_async_context(present(store, settings.data_dir, budgets.divide))
        destinations = Destinations(store, presence)
        jobs = Jobs(found, connections, flows, sealed, callbacks, destinations)
        worker = Worker(Ledger(store, sealed), jobs, telemetry, streams.ended)
        trials = Trials(found, flows, receivers, callbacks)
        if settings.worker:
            duties = (worker.watch(), destinations.share(), forget(store, settings.retention_days))
            await stack.enter_async_context(working(store, presence, worker, duties))
        yield Host(
            settings=settings,
            catalog=found,
            keys=Keys(store),
            connections=connections,
            flows=flows,
            trials=trials,
            runs=runs,
            streams=streams,
            worker=worker,
            reader=reader,
            runner=runner,
            telemetry=telemetry,
            store=store,
        )
        await runner.stop()
        await runs.stop()
    store.close()
