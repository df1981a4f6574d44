"""Every error is a problem document, for every route; our own faults show an ID and nothing more."""

import json
import logging

import pytest
import respx

from connector.rest.problems import problem, problem_answer
from connector.sdk import errors
from connector.sdk.errors import Fault, Refused, Throttled, Unauthenticated, Unavailable, UpcardError
from tests.conftest import TOKEN, Log, Upcard
from tests.connector.rest.conftest import Fresh

# design/api.md, "Errors": slug, status, whether the same call may be repeated.
CONTRACT = {
    "invalid_call": (400, False),
    "destination_not_allowed": (400, False),
    "unauthenticated": (401, False),
    "forbidden": (403, False),
    "not_found": (404, False),
    "no_such_card": (404, False),
    "no_such_connector": (404, False),
    "no_such_connection": (404, False),
    "no_such_run": (404, False),
    "no_such_flow": (404, False),
    "method_not_allowed": (405, False),
    "not_connected": (409, False),
    "conflict": (409, False),
    "already_exists": (409, False),
    "no_such_key": (404, False),
    "no_such_approval": (404, False),
    "no_such_sync": (404, False),
    "in_progress": (409, True),
    "idempotency_mismatch": (422, False),
    "result_expired": (409, False),
    "approval_required": (409, False),
    "safety_cap": (429, False),
    "too_many_calls": (429, True),
    "request_timeout": (408, True),
    "too_large": (413, False),
    "headers_too_large": (431, False),
    "unsupported_media_type": (415, False),
    "internal": (500, False),
    "refused": (502, False),
    "outcome_unknown": (502, False),
    "delivery_failed": (502, False),
    "unexpected": (502, False),
    "throttled": (503, True),
    "unavailable": (503, True),
}
ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UpcardError)]


def test_the_errors_are_the_contract() -> None:
    """The slugs, statuses and advice that callers were promised."""
    assert {kind.slug: (kind.status, kind.retry) for kind in ERRORS} == CONTRACT


def test_what_okta_repeats_by_itself_was_not_carried_out() -> None:
    """ID-7: it repeats 429 and 504, so these only say that nothing was sent."""
    assert {kind.slug for kind in ERRORS if kind.status in (429, 504)} == {"safety_cap", "too_many_calls"}


def test_an_error_says_what_it_is() -> None:
    """ER-1: slug, title, status, one sentence, and whether to try again."""
    answer = problem_answer(Unavailable("The service answered 500.").shown("run_1"))

    assert answer.media_type == "application/problem+json"
    assert bytes(answer.body) == (
        b'{"type":"unavailable","title":"The service is not available","status":503,'
        b'"detail":"The service answered 500.","retry":true,"run":"run_1"}'
    )


def test_an_error_lists_its_faults() -> None:
    """ER-1: each with its place."""
    answer = problem(errors.InvalidCall.of([Fault("inputs/a", "A."), Fault("inputs/b", "B.")]))

    assert b'"errors":[{"at":"inputs/a","why":"A."},{"at":"inputs/b","why":"B."}]' in bytes(answer.body)
    assert b'"detail":"A. (1 more: see errors.)"' in bytes(answer.body)


def test_a_refusal_says_what_the_service_said() -> None:
    """ER-4: its status and its words."""
    answer = problem(Refused.saying(404, "Not found."))

    assert b'"service":{"status":404,"said":"Not found."}' in bytes(answer.body)


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (Throttled("-", retry_after=7), "7"),
        (Throttled("-", retry_after=6.2), "7"),
        (Throttled("-", retry_after=0), "0"),
        (Throttled("-"), None),
        (Unavailable("-", retry_after=5), "5"),
        (Unavailable("-"), None),
        (Unauthenticated("-"), None),
    ],
)
def test_a_caller_is_told_how_long_to_wait(error: UpcardError, header: str | None) -> None:
    """Whole seconds, rounded up."""
    assert problem(error).headers.get("retry-after") == header


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/v1/cards/kandji/nothing", 404, "no_such_card"),
        ("GET", "/v1/cards/nobody/nothing/schema", 404, "no_such_card"),
        ("POST", "/v1/cards/kandji/nothing", 404, "no_such_card"),
        ("POST", "/v1/cards/kandji/_client", 404, "no_such_card"),
        ("POST", "/v1/cards/Kandji/Lock", 404, "no_such_card"),
        ("POST", "/v1/cards/kandji/lock-device", 404, "no_such_card"),
        ("POST", "/v1/cards/kandji/caf%C3%A9", 404, "no_such_card"),
        ("POST", "/v1/cards/nobody/nothing/schema", 404, "no_such_card"),
        ("GET", "/schemas/kandji/nothing.json", 404, "no_such_card"),
        ("GET", "/v1/connectors/nobody", 404, "no_such_connector"),
        ("GET", "/v1/connections/nobody", 404, "no_such_connection"),
        ("DELETE", "/v1/connections/nobody", 404, "no_such_connection"),
        ("POST", "/v1/connections/nobody/check", 404, "no_such_connection"),
        ("GET", "/v1/flows/nobody", 404, "no_such_flow"),
        ("GET", "/v1/runs/run_0", 404, "no_such_run"),
        ("POST", "/v1/runs/run_0/cancel", 404, "no_such_run"),
        ("GET", "/v1/runs/run_0/failures", 404, "no_such_run"),
        ("GET", "/v1/cards/kandji/get_device/choices/device_id", 404, "not_found"),
        ("PUT", "/v1/cards", 405, "method_not_allowed"),
        ("DELETE", "/v1/cards/kandji/lock_device", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("PATCH", "/openapi.json", 405, "method_not_allowed"),
    ],
)
async def test_the_host_answers_with_a_problem(upcard: Upcard, method: str, path: str, status: int, slug: str) -> None:
    """ER-1: what is not there, and what cannot be done there; never cached, never sniffed."""
    answer = await upcard.http.request(method, path)

    assert (answer.status_code, answer.json()["status"], answer.json()["type"]) == (status, status, slug)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize(
    "path", ["/v1/\u00e9", "/%00", "/v1/connections/%F0%9F%98%80", "/v1/cards/%2e%2e/x", "/" + "x" * 9000]
)
async def test_any_address_is_answered(upcard: Upcard, path: str) -> None:
    """ER-1: it is not there, and it is not repeated."""
    answer = await upcard.http.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/runs/%00", "/v1/flows/%00", "/v1/connections/a%00", "/v1/runs/x%00/failures"])
async def test_no_database_is_asked_for_a_nul(fresh: Fresh, database: str, path: str) -> None:
    """ER-1: PostgreSQL refuses it, which is no fault of ours."""
    upcard = await fresh(database_url=database)

    answer = await upcard.http.get(path)

    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")


BROKEN = [("POST", "/v1/connections/acme/check"), ("POST", "/v1/cards/kandji/list_blueprints")]


@pytest.mark.parametrize(("method", "path"), BROKEN)
async def test_a_fault_of_ours_shows_an_id_only(
    fresh: Fresh, log: Log, kandji: respx.MockRouter, method: str, path: str
) -> None:
    """SEC-6: the caller gets an ID that is in the log as well; the log has the stack, without local variables."""
    upcard = await fresh()
    kandji.route().mock(side_effect=ZeroDivisionError("s3cret"))

    answer = await upcard.http.request(method, path, json={"options": {"result_set": "first_200"}})

    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "s3cret" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert f'"id":"{answer.json()["detail"][-13:-1]}"' in log()
    assert '"error":"ZeroDivisionError"' in log()
    assert not any(secret in log() for secret in (TOKEN, upcard.http.headers["authorization"][7:]))


async def test_a_fault_of_ours_logs_no_secret(fresh: Fresh, log: Log, kandji: respx.MockRouter) -> None:
    """SEC-4: the tokens of live connections and callers' keys are masked in every line, whatever wrote them."""
    upcard = await fresh()
    key = upcard.http.headers["authorization"][7:]
    kandji.route().mock(side_effect=ValueError(f"cannot use {TOKEN} with {key}"))

    await upcard.http.post("/v1/connections/acme/check")
    logging.getLogger("a.library").error("cannot use %s with %s", TOKEN, key)

    assert log().count("cannot use [redacted] with [redacted]") == 2
    assert not any(secret in log() for secret in (TOKEN, key))


async def test_a_refused_call_logs_no_value(fresh: Fresh, log: Log, kandji: respx.MockRouter) -> None:
    """OB-1, SEC-3: a call is one line that says who called what and how it ended; a call that was not read is none."""
    upcard = await fresh()
    kandji.route().respond(403, json={"detail": "s3cret"})

    await upcard.call("kandji.get_device", inputs={"pin": "s3cret"})
    await upcard.call("kandji.get_device", options={"details": "basic"}, inputs={"device_id": "s3cret"})

    (line,) = map(json.loads, log().splitlines())
    assert {**line, "run": "", "caller": "", "request": "", "timestamp": "", "milliseconds": 0} == {
        **{"event": "call", "level": "info", "card": "kandji.get_device", "connection": "acme", "outcome": "refused"},
        **{"run": "", "caller": "", "request": "", "timestamp": "", "milliseconds": 0},
    }
