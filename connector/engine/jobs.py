"""What a stream is to do: sealed in its run when it is accepted, opened by the host that works on it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

import aiohttp

from connector.catalog.find import Catalog
from connector.engine.budget import Share
from connector.engine.calls import Ready
from connector.engine.connections import Connections
from connector.engine.delivery import Asked, Handover
from connector.engine.destinations import Destinations
from connector.engine.flows import Flows, Target
from connector.engine.outputs import asking
from connector.engine.seals import Seals
from connector.sdk import trace
from connector.sdk.kinds import Json
from connector.sdk.pages import Ask
from connector.sdk.results import Stream

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Job:
    """A stream's job, opened. `share` says what its requests to the service wait for."""

    card: str
    wanted: Stream
    ask: Ask
    identity: str
    handover: Handover
    share: Share | None
    schedule: Sequence[float]
    sleep: Sleep


@dataclass(frozen=True)
class Jobs:
    """Opens jobs. `schedule`: the longest pauses before further attempts of a record, in seconds."""

    catalog: Catalog
    connections: Connections
    flows: Flows
    seals: Seals
    session: aiohttp.ClientSession
    destinations: Destinations
    schedule: Sequence[float]
    sleep: Sleep = asyncio.sleep

    async def open(self, row: Json) -> Job:
        """The job of a run. Raises NotFound where its flow, connection or card is not there any more."""
        job = json.loads(self.seals.open(row["job"], _place(row["id"])))
        card = self.catalog.card(row["card"])
        wanted = Stream.model_validate(job["wanted"])
        target = (await self.flows.get(wanted.flow)).target if wanted.flow else Target(**job["target"])
        account = self.connections.get(row["connection"])
        share = account.bulk(patient=True)
        client = self.connections.client(account, share=share)
        options, inputs = card.options.model_validate(job["options"]), card.inputs.model_validate(job["inputs"])
        destination, at_once = self.destinations.of(target.url), wanted.concurrency
        asked = Asked(job.get("request", ""), job.get("trace"))
        handover = Handover(
            self.session, destination, target, row["id"], asked=asked, concurrency=at_once, sleep=self.sleep
        )
        await self.destinations.claim(target.url)
        return Job(
            card=card.key,
            wanted=wanted,
            ask=asking(card, options, inputs, client, sees_secrets=job.get("secrets", True)),
            identity=card.record.identity if card.record else "",
            handover=handover,
            share=share,
            schedule=self.schedule,
            sleep=self.sleep,
        )


def seal_job(ready: Ready, run: str, seals: Seals) -> str:
    """All that a stream needs to go on, on any host."""
    streaming = ready.streaming
    if streaming is None:
        raise ValueError("only a stream has a job")
    job = {
        "options": ready.options.model_dump(),
        "inputs": ready.inputs.model_dump(),
        "wanted": streaming.wanted.model_dump(),
        "target": asdict(streaming.unregistered) if streaming.unregistered else None,
        "secrets": ready.sees_secrets,
        "request": trace.REQUEST.get(),
        "trace": trace.TRACE.get(),
    }
    return seals.seal(json.dumps(job), _place(run))


def _place(run: str) -> str:
    return f"runs/{run}/job"
