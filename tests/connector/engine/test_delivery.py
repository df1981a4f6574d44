"""Records are handed over signed, retried, and never further than the flow: against real receivers on the loopback."""

import asyncio
import base64
import hashlib
import hmac
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from connector.engine import delivery
from connector.engine.delivery import Asked, Attempt, Handover, Parcel
from connector.engine.destinations import Destination
from connector.engine.flows import Target, new_secret
from connector.engine.network import open_session
from connector.engine.sender import Sender
from tests.connector.engine.parts import Clock, OpenFlow
from tests.receiver import Script, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RECORDS: list[dict[str, Any]] = [{"id": number, "name": "N\u00f6ra"} for number in range(5)]


def signature(secret: str, id_: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks 1.0.0, written down a second time: HMAC-SHA256 over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(delivery, "time", made)
    return made


Open = Callable[..., Handover]


@pytest.fixture
def handover(session: aiohttp.ClientSession, clock: Clock) -> Open:
    """`handover(url)`: a way to a flow, on which nobody waits."""

    def make(url: str, **target: Any) -> Handover:
        flow = Target(url, **{"secret": SECRET, **target})
        return Handover(session, Destination(), flow, "run_1", sleep=clock.sleep)

    return make


Failed = list[tuple[int, int | None]]


def parcels(records: list[dict[str, Any]], first: int = 0) -> list[Parcel]:
    return [Parcel(position, 1, orjson.dumps({"Record": record})) for position, record in enumerate(records, first)]


async def handed(way: Handover, some: list[Parcel], at_once: int = 1) -> dict[int, Attempt]:
    """Hand parcels over, so many at once; what became of each."""
    idle = asyncio.Event()
    sender = Sender(way.send, at_once, idle.set)
    sender.put(some)
    while some and not sender.is_idle:
        await idle.wait()
        idle.clear()
    sender.check()
    return {parcel.position: attempt for parcel, attempt in sender.done()}


async def failed(way: Handover, records: list[dict[str, Any]], first: int = 0, at_once: int = 1) -> Failed:
    """Hand records over; position and status of those that were not taken."""
    done = await handed(way, parcels(records, first), at_once)
    return [(position, attempt.status) for position, attempt in done.items() if not attempt.taken]


def answers(*some: int | web.Response) -> Script:
    """These answers in turn, then 204."""
    left = list(some)

    def script(_: dict[str, Any]) -> web.Response:
        told = left.pop(0) if left else 204
        return web.Response(status=told) if isinstance(told, int) else told

    return script


def after(status: int, seconds: str) -> web.Response:
    return web.Response(status=status, headers={"Retry-After": seconds})


# What is sent


def test_the_test_vector_of_standard_webhooks_is_met() -> None:
    """CB-3: our second writing of the signature gives what every official library gives."""
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_parcel_is_sent_as_it_is(handover: Open) -> None:
    """CB-2: byte for byte."""
    async with receiving() as flow:
        failures = await failed(handover(flow.url), RECORDS[:1], 0, 1)

    assert (failures, flow.raw) == ([], [parcels(RECORDS[:1])[0].body])
    assert flow.headers[0]["content-type"] == "application/json"


async def test_what_is_sent_is_signed(handover: Open) -> None:
    """CB-3: over the exact bytes, so that the official library and our second writing agree."""
    async with receiving() as flow:
        await failed(handover(flow.url), RECORDS[:1], 41, 1)

    head, body = flow.headers[0], flow.raw[0]
    assert head["webhook-id"] == "run_1_41"
    assert head["webhook-signature"] == signature(SECRET, "run_1_41", head["webhook-timestamp"], body)
    assert Webhook(SECRET).verify(body, head) == {"Record": RECORDS[0]}


async def test_another_secret_does_not_verify(handover: Open) -> None:
    """CB-3: a secret belongs to one flow."""
    async with receiving() as flow:
        await failed(handover(flow.url, secret=new_secret()), RECORDS[:1], 0, 1)

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(flow.raw[0], flow.headers[0])


async def test_an_id_has_no_dot(handover: Open) -> None:
    """CB-3: id and timestamp are told apart by dots."""
    async with receiving() as flow:
        await failed(handover(flow.url), RECORDS, 0, 1)

    assert not any("." in head["webhook-id"] + head["webhook-timestamp"] for head in flow.headers)
    assert len({head["webhook-id"] for head in flow.headers}) == len(RECORDS)


async def test_a_retry_has_the_same_id_and_the_same_bytes(handover: Open) -> None:
    """CB-2: so that a receiver knows what it has seen; every attempt is signed anew."""
    async with receiving(answers(500, 503)) as flow:
        way, (parcel,) = handover(flow.url), parcels(RECORDS[:1], 7)
        first, second = await way.send(parcel), await way.send(parcel)

    assert (first.status, second.status, len(flow.raw), len(set(flow.raw))) == (500, 204, 3, 1)
    assert {head["webhook-id"] for head in flow.headers} == {"run_1_7"}
    assert all(Webhook(SECRET).verify(flow.raw[0], head) for head in flow.headers)


async def test_a_flow_s_headers_are_sent(handover: Open) -> None:
    """CB-13: the flow's own credential goes along."""
    async with receiving() as flow:
        way = handover(flow.url, headers={"x-api-client-token": "t0ken"})
        await failed(way, RECORDS[:1], 0, 1)

    assert flow.headers[0]["x-api-client-token"] == "t0ken"
    assert flow.headers[0]["accept-encoding"] == "identity"


async def test_a_request_tells_what_it_goes_back_to(session: aiohttp.ClientSession) -> None:
    """OB-2: the id of the caller's request, and the caller's trace with a span of its own for each attempt."""
    asked = Asked("req_1", ("0af7651916cd43dd8448eb211c80319c", "01"))
    async with receiving() as flow:
        way = Handover(session, Destination(), Target(flow.url, SECRET), "run_1", asked=asked)
        await handed(way, parcels(RECORDS[:2]))

    assert [head["x-request-id"] for head in flow.headers] == ["req_1"] * 2
    assert {head["traceparent"][:36] for head in flow.headers} == {"00-0af7651916cd43dd8448eb211c80319c-"}
    assert len({head["traceparent"] for head in flow.headers}) == 2


async def test_the_address_is_sent_byte_for_byte(handover: Open, open_flow: OpenFlow) -> None:
    """CB-12: escapes of a signed address are not touched."""
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response()

    await failed(handover(await open_flow(take) + "?sig=a%2Fb%2B+c%7E&x=%C3%A9"), RECORDS[:1], 0, 1)

    assert asked == ["/flow?sig=a%2Fb%2B+c%7E&x=%C3%A9"]


# What is taken


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_takes_the_record(handover: Open, status: int) -> None:
    """CB-4: and it is sent once."""
    async with receiving(answers(status)) as flow:
        failures = await failed(handover(flow.url), RECORDS[:1], 0, 1)

    assert (failures, len(flow.sent)) == ([], 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(handover: Open, status: int) -> None:
    """CB-4, SSRF-6: the record goes to nobody else."""
    async with receiving() as elsewhere:
        moved = lambda _: web.Response(status=status, headers={"Location": elsewhere.url})  # noqa: E731
        async with receiving(moved) as flow:
            failures = await failed(handover(flow.url), RECORDS[:1], 0, 1)

    assert (failures, elsewhere.sent) == ([(0, status)], [])


async def test_a_flow_that_is_gone_is_sent_nothing_more(handover: Open, clock: Clock) -> None:
    """CB-4: 410 ends it at once: no further record."""
    async with receiving(answers(204, 410)) as flow:
        way = handover(flow.url)
        done = await handed(way, parcels(RECORDS[:3]))

    assert len(flow.sent) == 2
    assert done == {0: Attempt(204), 1: Attempt(410, final=True), 2: Attempt(410, final=True)}
    assert (way.gone, clock.slept) == (True, [])


async def test_what_is_in_flight_when_a_flow_goes_fails_with_it(handover: Open, open_flow: OpenFlow) -> None:
    """CB-4: another record's retry is not sent either."""
    together = asyncio.Barrier(2)

    async def take(request: web.Request) -> web.Response:
        body = await request.json()
        await together.wait()
        return web.Response(status=410 if body["Record"]["id"] else 500)

    failures = await failed(handover(await open_flow(take)), RECORDS[:2], 0, 2)

    assert sorted(failures) == [(0, 500), (1, 410)]
    assert together.n_waiting == 0


async def test_a_dead_flow_takes_no_record(handover: Open) -> None:
    """CB-8: nobody listens; what is said of it has no status, and may heal."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = await handed(handover(f"http://127.0.0.1:{unused.getsockname()[1]}/flow"), parcels(RECORDS), 5)

    assert set(done.values()) == {Attempt(None)}
    assert (Attempt(None).may_heal, Attempt(None).is_blocked) == (True, False)


async def test_a_dropped_connection_is_no_answer(handover: Open, open_flow: OpenFlow) -> None:
    """CB-4: nor sent again by anybody below us, who would not sign it anew."""
    seen: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(await request.read())
        if request.transport:
            request.transport.abort()
        return web.Response()

    failures = await failed(handover(await open_flow(take)), RECORDS[:1], 0, 1)

    assert (failures, len(seen)) == ([(0, None)], 1)


async def test_a_refused_destination_is_final(clock: Clock) -> None:
    """SSRF-8: an address that leads to a refused one by now is blocked, not retried."""
    async with receiving() as flow, open_session(None, limit=5) as strict:
        way = Handover(strict, Destination(), Target(flow.url, SECRET), "run_1", sleep=clock.sleep)
        attempt = await way.send(parcels(RECORDS)[0])

    assert (attempt.is_blocked, attempt.final, flow.sent) == (True, True, [])


@pytest.mark.parametrize(
    ("status", "heals"), [(None, True), (408, True), (425, True), (429, True), (500, True), (400, False), (409, False)]
)
def test_some_refusals_may_heal(status: int | None, heals: bool) -> None:
    """CB-4: other 4xx stay what they are."""
    assert Attempt(status).may_heal is heals


# Pauses


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_flow_is_left_alone(handover: Open, clock: Clock, status: int) -> None:
    """CB-5: Retry-After holds back every record, not just the one that was told."""
    times: list[float] = []

    def script(_: dict[str, Any]) -> web.Response:
        times.append(clock.now)
        return after(status, "30") if len(times) == 1 else web.Response(status=204)

    async with receiving(script) as flow:
        way = handover(flow.url)
        failures = await failed(way, RECORDS, 0, 2)

    assert (failures, way.waits_for) == ([], None)
    assert all(time >= times[0] + 30 for time in times[2:])


async def test_a_flow_that_is_busy_is_waited_for(handover: Open, clock: Clock) -> None:
    """CB-5: being asked to slow down costs time, and no attempt; without Retry-After it is a second."""
    async with receiving(answers(*[429] * 20, *[503] * 20)) as flow:
        failures = await failed(handover(flow.url), RECORDS[:1], 0, 1)

    assert (failures, len(flow.sent)) == ([], 41)
    assert clock.now >= 1040


async def test_a_flow_that_stays_busy_is_given_up(session: aiohttp.ClientSession, clock: Clock) -> None:
    """CB-4, CB-5: after a hundred such answers it counts as an attempt; a run can say what it waits for."""
    assert delivery.PATIENCE == 100
    async with receiving(lambda _: after(503, "60")) as flow:
        target = Target(flow.url, SECRET)
        way = Handover(session, Destination(), target, "run_1", sleep=clock.sleep, patience=2)
        failures = await failed(way, RECORDS[:1], 3, 1)

    assert (failures, len(flow.sent)) == ([(3, 503)], 2)
    assert way.waits_for == "the helper flow asks to slow down"


@pytest.mark.parametrize(
    ("header", "least"), [("120", 120), ("0", 0), ("-5", 0), ("soon", 0), ("NaN", 0), ("1e9", 3600)]
)
@pytest.mark.parametrize("status", [409, 500])
async def test_retry_after_is_read_of_any_answer(handover: Open, status: int, header: str, least: int) -> None:
    """CB-5: clamped to an hour; garbage neither crashes nor stalls."""
    async with receiving(lambda _: after(status, header)) as flow:
        attempt = await handover(flow.url).send(parcels(RECORDS)[0])

    assert attempt == Attempt(status, least)


# Limits


async def test_one_deadline_stands_over_an_attempt(
    handover: Open, open_flow: OpenFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CB-6: a flow that drips a byte now and then does not hold its slot longer."""
    assert delivery.DEADLINE.total == 20
    monkeypatch.setattr(delivery, "DEADLINE", aiohttp.ClientTimeout(total=0.05))

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.005)

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failures = await failed(handover(f"http://127.0.0.1:{port}/flow"), RECORDS[:1], 0, 1)

    assert failures == [(0, None)]


async def test_little_of_an_answer_is_read(handover: Open, open_flow: OpenFlow) -> None:
    """CB-7: a flow that answers without end is taken at its status."""
    sent = [0]

    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while sent[0] < 64 << 20:
            await response.write(b"x" * 65536)
            sent[0] += 65536
        return response

    failures = await failed(handover(await open_flow(pour)), RECORDS[:1], 0, 1)

    assert failures == []
    assert sent[0] < 32 << 20


async def test_an_answer_is_not_unpacked(handover: Open) -> None:
    """CB-4, CB-7: 2xx is success whatever the body is; the record is not sent three times."""
    packed = web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async with receiving(answers(packed)) as flow:
        failures = await failed(handover(flow.url), RECORDS[:1], 0, 1)

    assert (failures, len(flow.sent)) == ([], 1)


async def test_a_cut_answer_is_taken_at_its_status(handover: Open) -> None:
    """CB-4: 2xx is success, and the receiver has the record."""
    heads: list[bytes] = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failures = await failed(handover(f"http://127.0.0.1:{port}/flow"), RECORDS[:1], 0, 1)

    assert (failures, len(heads)) == ([], 1)


async def test_no_cookie_is_kept(handover: Open) -> None:
    """SSRF-6: nothing of an answer is in the next request."""
    cookie = web.Response(headers={"Set-Cookie": "session=s3cret; Path=/"})

    async with receiving(answers(cookie)) as flow:
        await failed(handover(flow.url), RECORDS[:2], 0, 1)

    assert not any("cookie" in head for head in flow.headers)
