"""One service over HTTP: what is repeated, what is not, and what each kind of failure means.

A refused connection and one that was dropped after sending are easily mistaken, so these are real sockets.
"""

import asyncio
import gzip
import math
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import httpx
import orjson
import pytest
import respx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.engine.addresses import Allowed
from connector.engine.network import open_session
from connector.sdk import http
from connector.sdk.errors import InvalidCall, OutcomeUnknown, Refused, Throttled, Unavailable, Unexpected
from connector.sdk.http import ATTEMPTS, Reply, Service, retry_after
from tests.connector.sdk.anyjson import JSON
from tests.connector.sdk.wire import HANG, HANG_UP, Serve, Slept, answer

URL = "https://acme.test/x"
ACME = Service("https://acme.test", {})
READS, WRITES = ["GET", "HEAD"], ["POST", "PUT", "PATCH", "DELETE"]
CUT = answer(b'{"a":', "200 OK", "Content-Length: 900", "Connection: close")


def service(slept: Slept) -> Service:
    """A service that respx plays: one for all tests, since each would load the certificates of this machine anew."""
    ACME.sleep = slept
    return ACME


# What is asked


async def test_a_request_is_sent_as_it_was_asked(serve: Serve) -> None:
    """Credentials of the service, JSON both ways, and nothing that says more of us than a name."""
    there = await serve(answer(b'{"id":1}', "201 Created"))

    reply = await there.service.ask("POST", "/x", query={"a": ["1", 2]}, json={"n": "\u00e9"}, headers={"X-Own": "y"})

    (head, body), lines = there.wire.asked[0], there.wire.heads[0].lower().split("\r\n")
    assert (reply.status, reply.body, head.split("\r\n")[0]) == (201, {"id": 1}, "POST /x?a=1&a=2 HTTP/1.1")
    assert body == '{"n":"\u00e9"}'.encode()
    assert {"authorization: bearer t0ken", "x-own: y", "content-type: application/json"} <= set(lines)
    assert {"accept: application/json", "user-agent: upcard"} <= set(lines)


async def test_a_refusal_that_repeats_the_token_is_masked(played: respx.MockRouter) -> None:
    """SEC-5: wherever it is in the body, which Custom API Action gives to its caller."""
    service = Service("https://acme.test", {"Authorization": "Bearer t0ken"})
    body = {"detail": "t0ken is not good", "seen": [{"header": "Bearer t0ken"}], "count": 2}
    played.get("https://acme.test/x").respond(401, json=body)

    reply = await service.ask("GET", "/x")

    assert reply.body == {"detail": "[redacted] is not good", "seen": [{"header": "Bearer [redacted]"}], "count": 2}
    assert "t0ken" not in (reply.said or "")


async def test_cookies_are_not_kept(serve: Serve) -> None:
    """SSRF-6: nothing of one answer is in the next request."""
    there = await serve(answer(b"{}", "200 OK", "Set-Cookie: session=s3cret; Path=/"))

    await there.service.ask("GET", "/one")
    await there.service.ask("GET", "/two")

    assert "s3cret" not in there.wire.heads[1]


@pytest.mark.parametrize("method", [*READS, *WRITES])
async def test_a_redirect_is_not_followed(method: str, played: respx.MockRouter) -> None:
    """SSRF-6: the token is not led elsewhere, and a redirect is no success."""
    route = played.route().respond(302, headers={"Location": "https://evil.example/"})

    with pytest.raises((Unexpected, OutcomeUnknown), match="a redirect, which is not followed"):
        await service(Slept()).ask(method, "/x")

    assert route.call_count == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
async def test_proxies_of_the_environment_are_not_used(
    name: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSRF-1: whoever sets a variable does not see the requests."""
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    there = await serve(answer())

    assert (await there.service.ask("GET", "/x")).status == 200


# What is answered


@settings(max_examples=25, deadline=None)
@given(JSON)
async def test_any_json_is_an_answer(value: object) -> None:
    """What the service answers is handed on as it is."""
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _fits(value) else b"1"
    with respx.mock(using="httpx") as router:
        router.get(URL).respond(200, content=body)

        reply = await ACME.ask("GET", "/x")

    assert reply.body == orjson.loads(body)


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_empty_answer_is_accepted(method: str, status: int, played: respx.MockRouter) -> None:
    """Kandji answers commands with 200 and nothing (kandji-api.md 1)."""
    played.route().respond(status)

    assert (await service(Slept()).ask(method, "/x")).body is None


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Sign in</title>", b"OK", b"{", b'{"a": NaN}', b"[Infinity]", b"{'a': 1}", b'{"a":1}x',
        b"\xff\xfe{}", b'"\xed\xa0\x80"', b"[" * 2000 + b"]" * 2000,
    ],
)  # fmt: skip
async def test_what_is_not_json_is_no_answer(body: bytes, played: respx.MockRouter) -> None:
    """UP-2: HTML, NaN, cut and endlessly nested JSON are unexpected; after a change the outcome is unknown."""
    played.route().respond(200, content=body)

    with pytest.raises(Unexpected, match="not JSON"):
        await service(Slept()).ask("GET", "/x")
    with pytest.raises(OutcomeUnknown, match="may have been carried out"):
        await service(Slept()).ask("POST", "/x")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 410, 415, 422, 451])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_refusal_is_a_reply_and_not_repeated(method: str, status: int, played: respx.MockRouter) -> None:
    """UP-3: what was refused once is refused again; the card judges it."""
    route = played.route().respond(status, json={"detail": "No."})
    slept = Slept()

    reply = await service(slept).ask(method, "/x")

    assert (reply.status, reply.said, route.call_count, slept.seconds) == (status, "No.", 1, [])


def test_a_reply_is_accepted_or_refused() -> None:
    """The refusal has the status and the words of the service."""
    assert Reply(204, None, {}).accepted().status == 204
    with pytest.raises(Refused, match=r"^The service answered 404: Not found\.$"):
        Reply(404, None, {}, "Not found.").accepted()
    with pytest.raises(Refused, match=r"^The service answered 400\.$"):
        Reply(400, None, {}).accepted()


@pytest.mark.parametrize("body", [None, [], [{}], "x", 1])
def test_a_change_without_its_record_may_have_been_carried_out(body: object) -> None:
    """UP-2: 200 in a shape that was never promised is no plain success of a command."""
    assert Reply(200, {"a": 1}, {}).record() == {"a": 1}
    with pytest.raises(OutcomeUnknown, match="the answer has no record"):
        Reply(200, body, {}).record()


# What is repeated


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_read_is_repeated_until_it_is_answered(method: str, status: int, played: respx.MockRouter) -> None:
    """UP-3: what may heal is asked again, with pauses of 0.5 s to 20 s."""
    answers = [httpx.Response(status)] * 3 + [httpx.Response(200, json={})]
    route, slept = played.route().mock(side_effect=answers), Slept()

    assert (await service(slept).ask(method, "/x")).status == 200

    assert route.call_count == 4
    assert all(0.5 <= pause <= 20 for pause in slept.seconds)


@pytest.mark.parametrize(
    "failure", [502, 503, 504, httpx.ReadError("cut"), httpx.ConnectError("no"), httpx.ReadTimeout("")]
)
async def test_a_read_is_given_up_after_four_attempts(failure: int | Exception, played: respx.MockRouter) -> None:
    """UP-3: then it is unavailable, and nothing was changed."""
    route, slept = played.route().mock(side_effect=_failing(failure)), Slept()

    with pytest.raises(Unavailable):
        await service(slept).ask("GET", "/x")

    assert (route.call_count, len(slept.seconds)) == (ATTEMPTS, ATTEMPTS - 1)


@pytest.mark.parametrize("status", [500, 501, 505, 507])
async def test_a_read_is_not_repeated_where_that_does_not_help(status: int, played: respx.MockRouter) -> None:
    """UP-3: only what may heal is asked again."""
    route = played.route().respond(status)

    with pytest.raises(Unavailable, match=f"The service answered {status}"):
        await service(Slept()).ask("GET", "/x")

    assert route.call_count == 1


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    "failure", [500, 502, 503, 504, httpx.ReadError("cut"), httpx.ReadTimeout("slow"), httpx.WriteError("")]
)
async def test_a_change_without_an_answer_is_never_repeated(
    method: str, failure: int | Exception, played: respx.MockRouter
) -> None:
    """DA-9, ID-5: it may have been carried out."""
    route, slept = played.route().mock(side_effect=_failing(failure)), Slept()

    with pytest.raises(OutcomeUnknown):
        await service(slept).ask(method, "/x")

    assert (route.call_count, slept.seconds) == (1, [])


@pytest.mark.parametrize("method", [*READS, *WRITES])
async def test_a_throttled_request_is_repeated(method: str, played: respx.MockRouter) -> None:
    """DA-9: 429 proves that nothing was carried out, so a change is repeated too; Retry-After is the pause."""
    answers = [httpx.Response(429, headers={"Retry-After": "3"}), httpx.Response(200)]
    route, slept = played.route().mock(side_effect=answers), Slept()

    assert (await service(slept).ask(method, "/x")).status == 200

    assert (route.call_count, slept.seconds) == (2, [3.0])


@pytest.mark.parametrize(
    ("header", "pauses"), [("7", [7.0, 7.0, 7.0]), ("0", [0.0, 0.0, 0.0]), ("31", []), ("1e9", [])]
)
async def test_a_pause_longer_than_the_deadline_is_the_caller_s(
    header: str, pauses: list[float], played: respx.MockRouter
) -> None:
    """UP-1, UP-3: Retry-After is honoured up to the deadline of 30 s; beyond, the caller is told at once."""
    played.route().respond(429, headers={"Retry-After": header})
    slept = Slept()

    with pytest.raises(Throttled) as raised:
        await service(slept).ask("GET", "/x")

    assert slept.seconds == pauses
    assert raised.value.retry_after == min(float(header), 3600)


@pytest.mark.parametrize("header", ["soon", "", "NaN", "-5", f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", None])
async def test_a_pause_that_cannot_be_read_is_our_own(header: str | None, played: respx.MockRouter) -> None:
    """UP-3: garbage in Retry-After neither crashes nor stalls."""
    played.route().respond(429, headers={} if header is None else {"Retry-After": header})
    slept = Slept()

    with pytest.raises(Throttled):
        await service(slept).ask("GET", "/x")

    assert len(slept.seconds) == 3
    assert all(0 <= pause <= 20 for pause in slept.seconds)


# Real sockets


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_refused_connection_is_tried_again(method: str) -> None:
    """DA-9: nothing was sent, so even a change is repeated; it was certainly not carried out."""
    slept = Slept()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with open_session(Allowed.parse("127.0.0.1:*"), limit=20) as session:
            closed = Service(f"http://127.0.0.1:{unused.getsockname()[1]}", {}, session, slept)

            with pytest.raises(Unavailable, match="could not be reached"):
                await closed.ask(method, "/x")

    assert len(slept.seconds) == ATTEMPTS - 1


@pytest.mark.parametrize("method", WRITES)
async def test_a_change_that_is_dropped_after_sending_is_not_repeated(method: str, serve: Serve) -> None:
    """DA-9: the service read it and hung up; only it knows what it did."""
    there = await serve(HANG_UP)

    with pytest.raises(OutcomeUnknown):
        await there.service.ask(method, "/x", json={"n": 1})

    assert (there.wire.lines, there.slept.seconds) == ([f"{method} /x"], [])


@pytest.mark.parametrize("method", WRITES)
async def test_a_change_that_is_dropped_on_a_kept_connection_is_not_repeated(method: str, serve: Serve) -> None:
    """DA-9: no library below repeats it either."""
    there = await serve(answer(), HANG_UP, answer())
    await there.service.ask("GET", "/before")

    with pytest.raises(OutcomeUnknown):
        await there.service.ask(method, "/x")

    assert there.wire.lines == ["GET /before", f"{method} /x"]


async def test_a_read_that_is_dropped_is_asked_again(serve: Serve) -> None:
    """UP-3: a read does no harm."""
    there = await serve(HANG_UP, CUT, answer(b"[1]"))

    assert (await there.service.ask("GET", "/x")).body == [1]

    assert len(there.wire.asked) == 3


@pytest.mark.parametrize(("method", "error"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
async def test_a_cut_answer_is_no_answer(method: str, error: type[Exception], serve: Serve) -> None:
    """UP-2: fewer bytes than were announced are a broken connection, never a short answer."""
    there = await serve(CUT)

    with pytest.raises(error):
        await there.service.ask(method, "/x")


@pytest.mark.parametrize(("method", "error"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
@pytest.mark.parametrize(
    "told",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        answer(b"{}", "200 OK", "X-Policy: " + "x" * 9000),
        answer(b"{}", "200 OK", *(f"X-{count}: y" for count in range(200))),
        answer(b"{}", "200 OK", "Content-Length: two"),
    ],
    ids=["no HTTP", "long header", "many headers", "bad length"],
)
async def test_an_answer_that_is_not_http_is_no_answer(
    told: bytes, method: str, error: type[Exception], serve: Serve
) -> None:
    """UP-2, DA-9: what cannot be read is never a fault of ours; a change that was sent may have been carried out."""
    there = await serve(told)

    with pytest.raises(error):
        await there.service.ask(method, "/x")


async def test_a_compressed_answer_is_read(serve: Serve) -> None:
    """Kong compresses long lists."""
    there = await serve(answer(gzip.compress(b'[{"a":1}]'), "200 OK", "Content-Encoding: gzip"))

    assert (await there.service.ask("GET", "/x")).body == [{"a": 1}]


@pytest.mark.parametrize(("method", "error"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
async def test_an_answer_that_cannot_be_unpacked_is_no_answer(
    method: str, error: type[Exception], serve: Serve
) -> None:
    """UP-2: bytes that are not what they say are a broken answer."""
    there = await serve(answer(b"{}", "200 OK", "Content-Encoding: gzip"))

    with pytest.raises(error):
        await there.service.ask(method, "/x")


@pytest.mark.parametrize(
    "told", [b"[" + b" " * (32 << 20) + b"]", gzip.compress(b" " * (33 << 20))], ids=["plain", "gzip"]
)
async def test_an_answer_over_32_mib_is_not_read_on(told: bytes, serve: Serve) -> None:
    """UP-2: counted after decompression, so that a small answer cannot become a large one."""
    packed = ["Content-Encoding: gzip"] if told[:1] != b"[" else []
    there = await serve(answer(told, "200 OK", *packed))

    with pytest.raises(Unexpected, match="more than 32 MiB"):
        await there.service.ask("GET", "/x")

    assert len(there.wire.asked) == 1


async def test_an_answer_of_32_mib_is_read(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """UP-2: the limit itself is allowed."""
    assert http.LARGEST_ANSWER == 32 * 1024 * 1024
    monkeypatch.setattr(http, "LARGEST_ANSWER", 4)
    there = await serve(answer(b"1234"))

    assert (await there.service.ask("GET", "/x")).body == 1234


async def test_a_change_with_too_large_an_answer_may_have_been_carried_out(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ID-7: like any other answer to a change that cannot be read."""
    monkeypatch.setattr(http, "LARGEST_ANSWER", 4)
    there = await serve(answer(b"12345"))

    with pytest.raises(OutcomeUnknown):
        await there.service.ask("POST", "/x")


@pytest.mark.parametrize(("method", "error"), [("GET", Unavailable), ("POST", OutcomeUnknown)])
async def test_one_deadline_stands_over_all_attempts(
    method: str, error: type[Exception], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-1: a service that never answers ends the request at its deadline, and leaves no time for a second."""
    monkeypatch.setattr(http, "DEADLINE", 0.02)
    there = await serve(HANG)

    with pytest.raises(error):
        await there.service.ask(method, "/x")

    assert (len(there.wire.asked), there.slept.seconds) == (1, [])


async def test_the_deadline_stands_over_the_body_as_well(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """UP-1: a body that never ends is a slow answer."""
    monkeypatch.setattr(http, "DEADLINE", 0.02)
    there = await serve(answer(b"[1", "200 OK", "Content-Length: 900"))

    with pytest.raises(Unavailable):
        await there.service.ask("GET", "/x")


async def test_a_slow_read_is_asked_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """UP-1, UP-3: 15 s of silence end an attempt, not the request."""
    assert (http.TIMEOUT.connect, http.TIMEOUT.sock_connect, http.TIMEOUT.sock_read, http.DEADLINE) == (10, 5, 15, 30)
    monkeypatch.setattr(http, "TIMEOUT", aiohttp.ClientTimeout(sock_read=0.02))
    there = await serve(HANG, answer(b"[1]"))

    assert (await there.service.ask("GET", "/x")).body == [1]


async def test_requests_do_not_wait_for_each_other(serve: Serve) -> None:
    """A slow answer holds up nobody else."""
    there = await serve(HANG, answer(b"[1]"))
    slow = asyncio.create_task(there.service.ask("GET", "/slow"))
    await there.wire.came.wait()

    assert (await there.service.ask("GET", "/quick")).body == [1]

    slow.cancel()


async def test_a_value_too_long_for_an_address_is_a_fault_of_the_call(played: respx.MockRouter) -> None:
    """UP-2: text inputs have no limit of their own; a filter of 70,000 characters is not a fault of ours."""
    with pytest.raises(InvalidCall, match="cannot be written"):
        await service(Slept()).ask("GET", "/x", query={"name": "x" * 70_000})

    assert played.calls.call_count == 0


# Retry-After


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("NaN", None), ("nan", None), ("1 2", None), ("0", 0.0), ("7", 7.0),
        (" 7 ", 7.0), ("1.5", 1.5), ("-5", 0.0), ("-inf", 0.0), ("3600", 3600.0), ("3601", 3600.0), ("1e400", 3600.0),
        ("inf", 3600.0), ("9" * 5000, 3600.0), ("Mon, 01 Jan 99999 00:00:00 GMT", None), ("2026-11-22", None),
        ("Mon, 01 Jan 2024 00:00:00 +9999", None), ("Mon, 32 Jan 2024 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0), ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
    ],
)  # fmt: skip
def test_retry_after_is_read_and_clamped(header: str | None, seconds: float | None) -> None:
    """CB-5: seconds or a date, from nothing to an hour; garbage says nothing."""
    assert retry_after(header) == seconds


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_retry_after_can_be_a_date(zone: str) -> None:
    """CB-5: a date says how long from now, whatever way its zone is written."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100)).replace("+0000", zone)

    assert retry_after(later) == pytest.approx(100, abs=2)


DATES = st.from_regex(r"\A(Mon|Xyz)?,? ?[0-9]{0,3} (Jan|Foo|1) [0-9]{0,6} [0-9:.]{0,10} ?([A-Z]{0,4}|[+-][0-9]{0,6})\Z")


@given(st.text(st.characters(max_codepoint=255)) | DATES | st.floats().map(str) | st.integers().map(str))
@example("0 0 0 0 0")
@example(",")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example(f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT")
@example(f"Mon, 01 Jan 2030 00:00:00 +{'9' * 20}")
def test_any_retry_after_is_some_time_or_none(header: str) -> None:
    """CB-5: it never raises, and never stalls beyond the clamp."""
    found = retry_after(header)

    assert found is None or (math.isfinite(found) and 0 <= found <= 3600)


def _failing(failure: int | Exception) -> Exception | Callable[[httpx.Request], httpx.Response]:
    return failure if isinstance(failure, Exception) else lambda _: httpx.Response(failure)


def _fits(value: object) -> bool:
    """Whether JSON can say it and reads the same: no halves of surrogate pairs, no whole numbers beyond 64 bits."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True
