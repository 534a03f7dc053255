"""The numbers over time of the dashboard, and the coordinates of its charts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.relay.activity import BEYOND, BOUNDS, PendingActivity
from sfcode.relay.dashboard.charts import DECIMAL, DURATION, HEIGHT, WIDTH, draw, round_up
from sfcode.relay.dashboard.figures import PERIODS, percentile, summarize
from sfcode.relay.inbox.activity import ActivitySpan

NOW = 1_800_014_400.0 + 125
START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_ends_with_the_last_whole_step_and_shows_the_empty_ones(name: str) -> None:
    period = PERIODS[name]
    slot = int(NOW) // period.step
    spans = [
        ActivitySpan(slot, "appcues", "received", 0, 7),
        ActivitySpan(slot, "salesforce", "received", 0, 1000),
        ActivitySpan(slot - 1, "appcues", "received", 0, 5),
        ActivitySpan(slot - 1, "appcues", "oldest_seconds", 0, 90),
        ActivitySpan(slot, "appcues", "oldest_seconds", 0, 60),
    ]
    figures = summarize(spans, "appcues", period, NOW)
    assert len(figures.steps) == period.seconds // period.step
    assert [step.received for step in figures.steps[-3:]] == [0, 0, 5], "the present step is not over"
    assert figures.steps[-1].oldest == 90
    assert figures.totals["oldest_seconds"] == 90
    assert figures.steps[-1].at == datetime.fromtimestamp((slot - 1) * period.step, UTC)
    assert figures.steps[0].at == datetime.fromtimestamp(period.start(NOW), UTC)
    assert figures.totals["received"] == 12
    assert figures.whole.delivery_p50 is None


@given(st.lists(st.floats(0, 200_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_a_percentile_lies_in_the_class_of_the_value_that_it_estimates(values: list[float], share: float) -> None:
    pending = PendingActivity(lambda: NOW)
    for value in values:
        pending.observe("appcues", "delivery_time", {value: 1})
    classes = {key.bound: number for key, number in pending._numbers.items()}
    estimate = percentile(classes, share)
    assert estimate is not None
    # The smallest value for which at least this share of the values is not larger.
    exact = sorted(values)[max(0, -(-round(share * 100) * len(values) // 100) - 1)] * 1000
    upper = next((bound for bound in BOUNDS if exact <= bound), BEYOND)
    lower = max((bound for bound in BOUNDS if bound < exact), default=0)
    assert lower - 1e-6 <= estimate * 1000 <= min(upper, BOUNDS[-1]) + 1e-6


@given(st.floats(1e-3, 1e12))
def test_the_top_of_an_axis_is_a_round_number_not_far_above_the_largest_value(value: float) -> None:
    top = round_up(value, DECIMAL)
    assert value <= top * (1 + 1e-9)
    assert top <= value * 2.5 * (1 + 1e-9)
    assert re.fullmatch(r"[125](\.0+)?e[+-]\d+", f"{top:.1e}")


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=100))
def test_every_value_is_drawn_once_inside_of_the_picture(values: list[float | None]) -> None:
    moments = [START + timedelta(minutes=number) for number in range(len(values))]
    chart = draw(
        "Messages", moments, [("received", values)], time_format="%H:%M", scale=DECIMAL, value_format="{:g}".format
    )
    (line,) = chart.lines
    places = [tuple(map(float, place.split())) for path in line.paths for place in path[1:].split("L")]
    places += line.points
    assert len(places) == len([value for value in values if value is not None])
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert all(0 <= tick.at <= WIDTH for tick in chart.times)


def test_a_chart_has_a_text_alternative() -> None:
    moments = [START, START + timedelta(minutes=1)]
    chart = draw(
        "Messages",
        moments,
        [("received", [3, 12]), ("delivered", [0, 9])],
        time_format="%H:%M",
        scale=DECIMAL,
        value_format="{:g}".format,
    )
    assert chart.summary == "Messages. received: at most 12; delivered: at most 9."
    assert [tick.label for tick in chart.values] == ["0", "10", "20"]
    assert [tick.label for tick in chart.times] == ["00:00", "00:01"]
    assert chart.lines[0].paths == ("M0 81.6L320 38.4",)
    empty_chart = draw(
        "Messages", moments, [("received", [0, 0])], time_format="%H:%M", scale=DECIMAL, value_format="{:g}".format
    )
    assert empty_chart.is_empty
    assert empty_chart.summary == "Messages: nothing."


@pytest.mark.parametrize(
    ("seconds", "top"),
    [
        (0, 1),
        (0.0004, 0.001),
        (7, 10),
        (21, 30),
        (31, 60),
        (70, 120),
        (500, 600),
        (4000, 7200),
        (90_000, 172_800),
        (1e9, 1e9),
    ],
)
def test_the_top_of_an_axis_of_time_is_round_as_a_time(seconds: float, top: float) -> None:
    assert round_up(seconds, DURATION) == pytest.approx(top)
