from __future__ import annotations

import random

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.org import Runtime
from sfcode.org.retry import ATTEMPTS, LONGEST_DELAY, NoAnswer, call, compute_delay

LOCKED = OrgError("locked", code="UNABLE_TO_LOCK_ROW")
NEVER_SENT = NoAnswer("no route", sent=False)
LOST = NoAnswer("lost", sent=True)


@pytest.mark.parametrize(
    ("error", "reads", "writes"),
    [
        (NEVER_SENT, True, True),
        (LOST, True, False),
        (NoAnswer("certificate", sent=False, permanent=True), False, False),
        (LOCKED, True, True),
        (OrgError("down", code="SERVER_UNAVAILABLE"), True, False),
        (OrgError("bad", code="MALFORMED_QUERY"), False, False),
        (SignInError("over", code="INVALID_SESSION_ID"), False, False),
        (ValueError("a bug"), False, False),
    ],
    ids=repr,
)
def test_a_read_is_retried_after_a_temporary_failure_and_a_write_only_if_it_was_not_executed(
    error, reads, writes
) -> None:
    rng = random.Random(1)
    assert (compute_delay(1, error, rng) is not None) is reads
    assert (compute_delay(1, error, rng, repeatable=False) is not None) is writes


def test_gives_up_after_the_last_attempt() -> None:
    rng = random.Random(1)
    assert compute_delay(ATTEMPTS - 1, LOST, rng) is not None
    assert compute_delay(ATTEMPTS, LOST, rng) is None


def test_waits_grow_at_random_and_within_bounds() -> None:
    rng = random.Random(7)
    longest = [max(compute_delay(attempt, LOST, rng) or 0.0 for _ in range(200)) for attempt in range(1, ATTEMPTS)]
    assert longest == sorted(longest)
    assert 0 < longest[-1] <= LONGEST_DELAY


def test_retry_after_is_obeyed_unless_it_is_too_long() -> None:
    rng = random.Random(1)
    assert compute_delay(1, NoAnswer("busy", sent=True, retry_after=7), rng) == 7
    assert compute_delay(1, NoAnswer("busy", sent=True, retry_after=3600), rng) is None


def test_call_retries_and_returns_the_result(runtime: Runtime, time) -> None:
    errors = [LOST, LOCKED]

    def action() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert call(action, runtime) == "done"
    assert len(time.slept) == 2


def test_call_raises_the_last_error(runtime: Runtime, time) -> None:
    def action() -> str:
        raise LOST

    with pytest.raises(NoAnswer):
        call(action, runtime)
    assert len(time.slept) == ATTEMPTS - 1
