"""Everything one host is made of, opened in order and closed again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from connector.catalog.find import Catalog, catalog
from connector.engine import seals
from connector.engine.abandoned import Abandoned
from connector.engine.addresses import Allowed
from connector.engine.answers import Answers
from connector.engine.approvals import Approvals
from connector.engine.audit import LOGGED, Audit
from connector.engine.budget import Budgets
from connector.engine.calls import Reader
from connector.engine.connections import Connections
from connector.engine.destinations import SHARED, Destinations
from connector.engine.durable import Queue, Works, take_over, working
from connector.engine.duties import again, on_duty
from connector.engine.fingerprints import Fingerprints
from connector.engine.flows import Flows
from connector.engine.gate import Gate
from connector.engine.gauges import EVERY as GAUGED
from connector.engine.gauges import Gauges
from connector.engine.hosts import BEAT, Presence, present
from connector.engine.jobs import Jobs
from connector.engine.keys import NOTE, Keys
from connector.engine.ledger import Ledger
from connector.engine.network import open_session
from connector.engine.permits import Permits
from connector.engine.retention import EVERY as FORGET
from connector.engine.retention import forget
from connector.engine.runner import Runner
from connector.engine.runs import Runs
from connector.engine.settings import Settings
from connector.engine.store import Store
from connector.engine.streams import Streams
from connector.engine.sweep import EVERY as SWEEP
from connector.engine.sweep import sweep
from connector.engine.switch import Switch
from connector.engine.telemetry import Telemetry
from connector.engine.trials import Trials
from connector.engine.worker import WATCH, Worker
from connector.sync.actions import QuickActions
from connector.sync.apply.worker import SyncWorker
from connector.sync.assets import Assets
from connector.sync.proposals import Proposals
from connector.sync.schedule import Schedule
from connector.sync.store.retention import forget as forget_syncs
from connector.sync.store.runs import KIND as SYNC
from connector.sync.syncs import Syncs
from connector.sync.systems.systems import Systems

LOOK = 0.5  # seconds until what other hosts changed is seen
CALLS = 10.0  # seconds that calls in flight get when the host stops
MOMENT = 0.05  # seconds; readiness is told within 0.1
MOST_TO_SERVICES = 256  # connections open at once
MOST_TO_FLOWS = 4000  # many more than one origin may have: a slow one leaves room for others (CB-8)


@dataclass(frozen=True)
class Host:
    """The parts that the faces use."""

    settings: Settings
    catalog: Catalog
    keys: Keys
    audit: Audit
    switch: Switch
    approvals: Approvals
    connections: Connections
    flows: Flows
    trials: Trials
    runs: Runs
    streams: Streams
    worker: Worker
    reader: Reader
    gate: Gate
    abandoned: Abandoned
    runner: Runner
    syncs: Syncs
    proposals: Proposals
    actions: QuickActions
    telemetry: Telemetry
    store: Store
    presence: Presence
    duties: "list[asyncio.Task[None]]"
    draining: asyncio.Event  # set when the host is about to stop: no calls are taken any more

    async def drain(self) -> None:
        """Let calls and pages in flight end, with the time that they have."""
        self.draining.set()
        await asyncio.gather(self.runner.stop(CALLS), self.worker.drain())

    async def is_ready(self) -> bool:
        """Whether calls are taken: there are keys, the store takes writes, and every duty is done (OB-4)."""
        if not self.presence.is_shown:
            await asyncio.sleep(MOMENT)  # this process may have been frozen until now
        on_duty = not any(duty.done() for duty in self.duties)
        return on_duty and self.presence.is_shown and bool(self.keys) and not self.draining.is_set()


@asynccontextmanager
async def open_host(settings: Settings) -> AsyncIterator[Host]:
    """Open the store and the network, take up what was left undone, and close all of it when the host stops."""
    store = Store(settings.store_url)
    await asyncio.to_thread(store.migrate)
    queue = Queue(store)
    await asyncio.to_thread(queue.migrate)
    sealed = seals.load(settings.secret_keys, settings.data_dir)
    services, receivers = Allowed.parse(settings.allow_services), Allowed.parse(settings.allow_receivers)
    # Two sessions, one guard each: an address that is allowed for a service must not become one for a callback.
    async with (
        open_session(services, limit=MOST_TO_SERVICES) as upstream,
        open_session(receivers, limit=MOST_TO_FLOWS) as callbacks,
        AsyncExitStack() as stack,
    ):
        found, runs, streams = catalog(), Runs(store), Streams(store, sealed, queue)
        budgets = Budgets(store)
        stack.callback(budgets.close)
        telemetry = Telemetry()
        connections = Connections(found, store, sealed, upstream, services, budgets, telemetry.heard)
        keys = Keys(store)
        audit = Audit(store, sealed)
        switch = Switch(store, audit, settings.data_dir, always=settings.kill_switch)
        approvals = Approvals(store, sealed, keys, audit)
        flows = Flows(store, sealed, receivers)
        reader = Reader(found, connections, flows, receivers, settings.unregistered_flows)
        draining = asyncio.Event()
        presence = await stack.enter_async_context(present(store, settings.data_dir, budgets.divide))
        answers = Answers(sealed, Fingerprints(store, sealed), settings.repeat_window)
        permits = Permits(store, connections, switch)
        gate = Gate(store, runs, connections, answers, approvals, permits, audit, switch, telemetry, keys, presence.id)
        abandoned = Abandoned(store, audit)
        await abandoned.cut_off(presence.id)  # those of the process before this one
        runner = Runner(reader, connections, runs, streams, gate, telemetry, draining)
        destinations = Destinations(store, presence)
        stack.callback(destinations.close)
        jobs = Jobs(found, connections, flows, sealed, callbacks, destinations, settings.schedule)
        ledger = Ledger(store, sealed)
        worker = Worker(ledger, jobs, telemetry, streams.ended)
        trials = Trials(found, flows, receivers, callbacks)
        gauges = Gauges(telemetry, ledger, destinations, connections)
        systems = Systems(found, runner, settings.data_dir / "assets")
        syncs = Syncs(store, queue, systems)
        schedule = Schedule(syncs)
        runner.heard.append(schedule.heard)
        works: dict[str, Works] = {"stream": worker, SYNC: SyncWorker(store, systems, draining)}
        duties = [
            again(connections.look, LOOK),
            again(keys.look, LOOK),
            again(switch.look, LOOK),
            again(approvals.expire, SWEEP),
            again(audit.log_head, LOGGED),
            again(keys.note, NOTE),
            again(gauges.look, GAUGED),
            again(gauges.listen, 0.0),
        ]
        if settings.worker:
            await stack.enter_async_context(working(store, queue, presence, works, connections.look))
            duties += [
                again(worker.watch, WATCH),
                again(schedule.look, LOOK),
                again(destinations.share, SHARED),
                again(lambda: take_over(queue, presence, abandoned.cut_off), BEAT),
                again(lambda: sweep(store, queue), SWEEP),
                again(abandoned.give_up, SWEEP),
                again(lambda: forget(store, settings.retention_days), FORGET),
                again(lambda: forget_syncs(store, settings.retention_days), FORGET),
            ]
        tasks = await stack.enter_async_context(on_duty(*duties))
        yield Host(
            settings=settings,
            catalog=found,
            keys=keys,
            audit=audit,
            switch=switch,
            approvals=approvals,
            connections=connections,
            flows=flows,
            trials=trials,
            runs=runs,
            streams=streams,
            worker=worker,
            reader=reader,
            gate=gate,
            abandoned=abandoned,
            runner=runner,
            syncs=syncs,
            proposals=Proposals(systems),
            actions=QuickActions(Assets(syncs), runner),
            telemetry=telemetry,
            store=store,
            presence=presence,
            duties=tasks,
            draining=draining,
        )
        await runner.stop()
        await runs.stop()
    store.close()
