"""When a message is retried, and when it is given up."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.relay.message import ClaimedMessage, Retry
from sfcode.relay.worker.retry import DEFAULT, RetryPolicy, retry_delay

NOW = datetime(2026, 11, 23, 17, 23, tzinfo=UTC)
FRESH = ClaimedMessage(1, "appcues", "m1", "user:1", "nps_score", {}, 0, NOW)


class LatestState(random.Random):
    """A random generator that always returns the end of the range, and so the longest possible wait."""

    def uniform(self, a: float, b: float) -> float:
        return b


def longest(message: ClaimedMessage, retry: Retry, policy: RetryPolicy = DEFAULT) -> float:
    delay = retry_delay(message, retry, LatestState(), policy)
    assert delay is not None
    return delay.total_seconds()


def test_the_longest_wait_doubles_with_each_attempt_up_to_a_limit() -> None:
    waits = [longest(replace(FRESH, attempts=attempts), Retry("no")) for attempts in range(19)]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == DEFAULT.most


def test_waits_are_uniformly_distributed_up_to_the_longest() -> None:
    rng = random.Random(5)
    delays = [retry_delay(replace(FRESH, attempts=3), Retry("no"), rng) for _ in range(2000)]
    waits = [delay.total_seconds() for delay in delays if delay is not None]
    assert 0 <= min(waits) < 0.1
    assert 7.9 < max(waits) <= 8
    assert sum(waits) / len(waits) == pytest.approx(4, rel=0.05)


def test_the_same_random_numbers_give_the_same_wait() -> None:
    assert retry_delay(FRESH, Retry("no"), random.Random(1)) == retry_delay(FRESH, Retry("no"), random.Random(1))


def test_the_last_attempt_gives_up() -> None:
    policy = RetryPolicy(attempts=3)
    assert retry_delay(replace(FRESH, attempts=1), Retry("no"), LatestState(), policy) is not None
    assert retry_delay(replace(FRESH, attempts=2), Retry("no"), LatestState(), policy) is None


def test_an_old_message_is_given_up_earlier_but_a_replayed_one_has_some_attempts() -> None:
    policy = RetryPolicy(attempts=20, age=timedelta(days=1), attempts_at_age=3)
    old = replace(FRESH, waited=timedelta(days=30))
    given_up = [
        retry_delay(replace(old, attempts=attempts), Retry("no"), LatestState(), policy) is None
        for attempts in range(4)
    ]
    assert given_up == [False, False, True, True]


@pytest.mark.parametrize("attempts", [0, 19, 10_000])
def test_an_outage_never_gives_up(attempts: int) -> None:
    old = replace(FRESH, attempts=attempts, waited=timedelta(days=365))
    assert longest(old, Retry("503", counts=False)) == DEFAULT.outage


def test_in_an_outage_a_message_waits_as_long_again_as_it_has_waited() -> None:
    ages = [0, 2, 20, 300]
    waits = [longest(replace(FRESH, waited=timedelta(seconds=age)), Retry("503", counts=False)) for age in ages]
    assert waits == [1, 2, 3, 3]


def test_a_later_retry_after_is_obeyed() -> None:
    delay = retry_delay(FRESH, Retry("429", after=90), random.Random(2))
    assert delay is not None
    assert timedelta(seconds=90) <= delay <= timedelta(seconds=91)


def test_an_earlier_retry_after_does_not_shorten_a_wait() -> None:
    assert longest(replace(FRESH, attempts=6), Retry("429", after=1)) == 64


def test_a_too_long_retry_after_is_limited() -> None:
    assert longest(FRESH, Retry("429", after=1e12)) <= DEFAULT.asked + DEFAULT.first


@pytest.mark.parametrize("after", [math.inf, math.nan, -5.0, 0.0])
def test_an_invalid_retry_after_is_ignored(after: float) -> None:
    assert longest(FRESH, Retry("429", after=after)) == 1


@given(
    attempts=st.integers(0, 10**9),
    waited=st.timedeltas(timedelta(0), timedelta(days=10_000)),
    after=st.none() | st.floats(),
    counts=st.booleans(),
    seed=st.integers(),
)
def test_a_due_time_is_never_in_the_past_or_beyond_a_limit(attempts, waited, after, counts, seed) -> None:
    message = replace(FRESH, attempts=attempts, waited=waited)
    delay = retry_delay(message, Retry("no", after, counts), random.Random(seed))
    if delay is None:
        assert counts
    else:
        assert timedelta(0) <= delay <= timedelta(seconds=DEFAULT.asked + DEFAULT.first)
