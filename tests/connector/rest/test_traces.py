"""Whose request it was: an id on every answer, and the caller's trace in the log and at the service."""

import json
import re

import pytest
import respx

from tests.conftest import Log, Upcard, asked
from tests.connector.rest.conftest import Fresh

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BASIC = {"options": {"details": "basic"}, "inputs": {"device_id": "d1"}}
CARD = "/v1/cards/kandji/get_device"


@pytest.mark.parametrize("path", ["/healthz", "/v1/cards", "/nowhere", "/v1/flows/nobody"])
async def test_every_answer_has_an_id(upcard: Upcard, path: str) -> None:
    """OB-2: another one each time, with or without a key."""
    answers = [await upcard.http.get(path), await upcard.http.get(path, headers={"Authorization": "none"})]

    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len([id_ for id_ in ids if re.fullmatch("req_[0-9a-f]{16}", id_)]) == 2


async def test_a_trace_is_taken_up_and_passed_on(fresh: Fresh, log: Log, kandji: respx.MockRouter) -> None:
    """OB-2: the service sees the same trace with another span; the log has the trace and the request's id."""
    upcard = await fresh()
    kandji.get("/devices/d1").respond(json={"device_id": "d1"})
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}

    answers = [await upcard.http.post(CARD, json=BASIC, headers=headers), await upcard.http.post(CARD, json=BASIC)]

    first, second = (request.headers.get("traceparent") for request in asked(kandji)[-2:])
    assert (first[:36], first[-3:], second) == (f"00-{TRACE}-", "-01", None)
    assert SPAN not in first
    lines = [json.loads(line) for line in log().splitlines()]
    assert [line.get("trace") for line in lines] == [TRACE, None]
    assert [line["request"] for line in lines] == [answer.headers["x-request-id"] for answer in answers]


@pytest.mark.parametrize(
    "value",
    [
        "", "x", f"00-{TRACE}-{SPAN}", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-x", "\u00e9",
    ],
)  # fmt: skip
async def test_what_is_no_trace_is_not_passed_on(upcard: Upcard, kandji: respx.MockRouter, value: str) -> None:
    """W3C Trace Context: it is ignored, and is no fault of the call."""
    kandji.get("/devices/d1").respond(json={"device_id": "d1"})

    answer = await upcard.http.post(CARD, json=BASIC, headers={b"traceparent": value.encode()})

    assert (answer.status_code, asked(kandji)[-1].headers.get("traceparent")) == (200, None)
