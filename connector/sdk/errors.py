"""Every way a call can fail. The class tells the caller what to do next, not where it happened.

The slugs, statuses and retry advice are the contract of the HTTP surface (README, "Errors").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

MOST_FAULTS = 100  # of one call that are told


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a call: `at` is a path like `inputs/device_id`, `why` a sentence without the value."""

    at: str
    why: str


@dataclass(frozen=True)
class Said:
    """What a service answered when it refused: its HTTP status and its words, shortened and made safe to show."""

    status: int
    said: str


class UpcardError(Exception):
    """The root: `detail` is one plain sentence that is safe to show."""

    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"
    status: ClassVar[int] = 500
    retry: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        service: Said | None = None,
        retry_after: float | None = None,
        run: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.service = service
        self.retry_after = retry_after
        self.run = run

    def shown(self, run: str | None = None) -> dict[str, Any]:
        """The members of its problem document (RFC 9457)."""
        found: dict[str, Any] = {"type": self.slug, "title": self.title, "status": self.status, "detail": self.detail}
        found["retry"] = self.retry
        found |= {"retry_after": math.ceil(self.retry_after)} if self.retry_after is not None else {}
        found |= {"run": run or self.run} if run or self.run else {}
        found |= {"errors": [{"at": fault.at, "why": fault.why} for fault in self.faults]} if self.faults else {}
        return found | ({"service": {"status": self.service.status, "said": self.service.said}} if self.service else {})

    @classmethod
    def told(cls, problem: dict[str, Any]) -> "UpcardError":
        """The error again that a problem document tells of."""
        kinds = {kind.slug: kind for kind in reversed(_below(UpcardError))}  # of one slug, the most general
        said, faults = problem.get("service"), problem.get("errors", ())
        return kinds.get(problem["type"], UpcardError)(
            problem["detail"],
            faults=[Fault(each["at"], each["why"]) for each in faults],
            service=Said(said["status"], said["said"]) if said else None,
            retry_after=problem.get("retry_after"),
            run=problem.get("run"),
        )


def _below(kind: type[UpcardError]) -> list[type[UpcardError]]:
    """All kinds of a kind."""
    return [kind, *(each for direct in kind.__subclasses__() for each in _below(direct))]


class InvalidCall(UpcardError):
    """Options, inputs or stream are not what the card takes; every fault is listed, 100 at most."""

    slug, title, status = "invalid_call", "The call is not valid", 400

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> "InvalidCall":
        faults = faults[:MOST_FAULTS]
        more = f" ({len(faults) - 1} more: see errors.)" if len(faults) > 1 else ""
        return cls(faults[0].why + more, faults=faults)


class DestinationNotAllowed(UpcardError):
    """A callback address outside what is allowed; says nothing about addresses or ports."""

    slug, title, status = "destination_not_allowed", "The destination is not allowed", 400


class Unauthenticated(UpcardError):
    """The caller's key is missing or wrong."""

    slug, title, status = "unauthenticated", "A valid key is needed", 401


class Forbidden(UpcardError):
    """The caller's key does not allow this."""

    slug, title, status = "forbidden", "The key does not allow this", 403


class NotFound(UpcardError):
    """Nothing has this name; subclasses say what was looked for."""

    slug, title, status = "not_found", "There is nothing here", 404


class NoSuchCard(NotFound):
    slug, title = "no_such_card", "There is no such card"


class NoSuchConnector(NotFound):
    slug, title = "no_such_connector", "There is no such connector"


class NoSuchConnection(NotFound):
    slug, title = "no_such_connection", "There is no such connection"


class NoSuchRun(NotFound):
    slug, title = "no_such_run", "There is no such run"


class NoSuchFlow(NotFound):
    slug, title = "no_such_flow", "There is no such helper flow"


class NoSuchSync(NotFound):
    slug, title = "no_such_sync", "There is no such sync"


class NoSuchKey(NotFound):
    slug, title = "no_such_key", "There is no such key"


class NoSuchApproval(NotFound):
    slug, title = "no_such_approval", "There is no such approval"


class MethodNotAllowed(UpcardError):
    slug, title, status = "method_not_allowed", "This address does not take this method", 405


class NotConnected(UpcardError):
    """No connection to the service, or the service refused its token."""

    slug, title, status = "not_connected", "The service is not connected", 409


class Conflict(UpcardError):
    """The thing is in a state in which this cannot be done."""

    slug, title, status = "conflict", "This cannot be done now", 409


class AlreadyExists(UpcardError):
    slug, title, status = "already_exists", "The name is taken", 409


class InProgress(UpcardError):
    """The first call with this Idempotency-Key is still going."""

    slug, title, status, retry = "in_progress", "The call is still going", 409, True


class IdempotencyMismatch(UpcardError):
    """The Idempotency-Key was used for another call."""

    slug, title, status = "idempotency_mismatch", "The Idempotency-Key belongs to another call", 422


class ResultExpired(UpcardError):
    """The call was carried out, and its answer is not kept any more; it is never done again."""

    slug, title, status = "result_expired", "The answer is not kept any more", 409


class ApprovalRequired(UpcardError):
    """A destructive card waits for a second person; nothing was sent."""

    slug, title, status = "approval_required", "A second person has to approve this", 409

    @classmethod
    def of(cls, approval: str, run: str) -> "ApprovalRequired":
        return cls(f"A second person has to approve this: POST /v1/approvals/{approval}/approve.", run=run)


class SafetyCap(UpcardError):
    """More disruptive cards were run than the connection's policy allows; nothing was sent."""

    slug, title, status = "safety_cap", "The safety cap is reached", 429


class TooManyCalls(UpcardError):
    """This caller's own limit, or too many wrong keys."""

    slug, title, status, retry = "too_many_calls", "Too many calls", 429, True


class RequestTimeout(UpcardError):
    slug, title, status, retry = "request_timeout", "The request did not come in time", 408, True


class TooLarge(UpcardError):
    slug, title, status = "too_large", "The body is too large", 413


class HeadersTooLarge(UpcardError):
    slug, title, status = "headers_too_large", "The headers are too large", 431


class UnsupportedMediaType(UpcardError):
    slug, title, status = "unsupported_media_type", "The body is not plain JSON", 415


class Refused(UpcardError):
    """The service said 4xx. A card with a Status Code reports it; on any other card it is this error."""

    slug, title, status = "refused", "The service refused the request", 502

    @classmethod
    def saying(cls, status: int, words: str) -> "Refused":
        """The refusal with this status and these words of the service."""
        sentence = f"The service answered {status}: {words}" if words else f"The service answered {status}."
        return cls(sentence, service=Said(status, words))


class Throttled(Refused):
    """The service asks to slow down and the retries are spent, or would: the budget is used up. Nothing was done."""

    slug, title, status, retry = "throttled", "The service asks to slow down", 503, True


class Unavailable(UpcardError):
    """A request that only reads got no good answer; nothing was changed."""

    slug, title, status, retry = "unavailable", "The service is not available", 503, True


class OutcomeUnknown(UpcardError):
    """A request that changes something was sent and no answer came: it may have been done. Never repeat it blindly."""

    slug, title, status = "outcome_unknown", "The outcome is not known", 502


class DeliveryFailed(UpcardError):
    """A stream ended because its helper flow is gone, or did not take a record and the stream was told to stop."""

    slug, title, status = "delivery_failed", "The helper flow did not take a record", 502


class Unexpected(UpcardError):
    """The service answered 2xx in a shape it never promised."""

    slug, title, status = "unexpected", "The service answered in an unexpected shape", 502
