"""Errors become problem documents, and problem documents errors again."""

import pytest

from connector.engine.answers import Canceled
from connector.engine.runner import Stopping
from connector.sdk.errors import (
    Conflict,
    Fault,
    InvalidCall,
    NotConnected,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
    UpcardError,
)


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("It is away.", retry_after=2),
        Conflict("It is at work."),
        Refused.saying(409, "It is checked out."),
        Throttled.saying(429, "Slow down."),
        NotConnected("No token.", run="run_1"),
        OutcomeUnknown("No answer came."),
        InvalidCall.of([Fault("inputs/tag", "Tag is too long.")]),
        UpcardError("Ours."),
    ],
)
def test_a_problem_is_told_again_as_the_error_it_was(error: UpcardError) -> None:
    """Of its own kind, not one that a part of the product made of it, which says something else."""
    assert {Canceled.slug, Stopping.slug} == {Conflict.slug, Unavailable.slug}  # parts of the product have theirs

    told = UpcardError.told(error.shown())

    assert type(told) is type(error)
    assert told.shown() == error.shown()
