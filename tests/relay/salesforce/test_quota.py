"""The relay slows down before it stops, and leaves the rest of the org's API requests to others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.relay.salesforce.quota import Quota, QuotaBounds, delay

BOUNDS = QuotaBounds(slow_at=0.8, stop_at=0.95, spread=3600, longest=10, ask_again=300)


@pytest.mark.parametrize(
    ("used", "limit", "seconds"),
    [
        (0, 100_000, 0),
        (79_999, 100_000, 0),
        (80_000, 100_000, 0.24),
        (91_400, 100_000, 1.0),
        (94_990, 100_000, 10),
        (95_000, 100_000, None),
        (100_000, 100_000, None),
        (110_000, 100_000, None),
        (0, 0, 0),
    ],
)
def test_from_four_fifths_on_calls_are_spread_and_from_19_of_20_on_there_are_none(used, limit, seconds) -> None:
    assert delay(used, limit, BOUNDS) == seconds


@given(st.integers(1, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_wait_grows_with_the_usage(limit: int, first: int, second: int) -> None:
    def order(used: int) -> float:
        seconds = delay(used, limit, BOUNDS)
        return float("inf") if seconds is None else seconds

    less, more = sorted((first, second))
    assert order(less) <= order(more)


def test_a_stopped_relay_checks_the_limits_from_time_to_time() -> None:
    quota = Quota(BOUNDS)
    assert quota.delay(10, 100) == 0
    quota.record_exceeded()
    assert quota.delay(10, 100) is None, "the org has said so, whatever the header said before"
    assert quota.may_ask(1000.0)
    assert not quota.may_ask(1299.0)
    assert quota.wait(1100.0) == 200
    assert quota.may_ask(1300.0)
    quota.record_answer()
    assert quota.delay(10, 100) == 0
