"""The start page: health, throughput, blocked messages and running processes of the relay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.dashboard.charts import DECIMAL, DURATION, Chart, draw
from sfcode.relay.dashboard.figures import PERIODS, DirectionFigures, Period, summarize
from sfcode.relay.dashboard.rendering import format_seconds
from sfcode.relay.message import Source
from sfcode.relay.reasons import alarm_reason, hint_for
from sfcode.relay.report import DIRECTIONS, REPORTED_STATES, format_duration

if TYPE_CHECKING:
    from sfcode.relay.alarms import Alarm
    from sfcode.relay.inbox import Inbox, InboxEntry, InboxStats
    from sfcode.relay.inbox.activity import ActivitySpan
    from sfcode.relay.inbox.pauses import Pause

TITLES: dict[Source, str] = {source: DIRECTIONS[source].replace("->", "→") for source in get_args(Source)}
"""The titles of the directions, by the source of their messages."""
LATE_SECONDS = 300
"""The age in seconds above which the page mentions the oldest waiting message."""


@dataclass(frozen=True, slots=True)
class DirectionView:
    """The texts and charts of one direction."""

    source: str
    title: str
    waiting: int
    claimed: int
    oldest: InboxEntry | None
    """The message that has waited longest."""
    parked: int
    dead: int
    done: int
    figures: DirectionFigures
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class BlockedGroup:
    """The parked messages or dead letters with the same source and reason."""

    source: str
    title: str
    state: str
    reason: str
    count: int
    hint: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The health of the relay, in one sentence."""

    level: Literal["good", "warn", "bad"]
    sentence: str


def view(inbox: Inbox, period: Period = PERIODS["hour"]) -> dict[str, Any]:
    """Collect the contents of the page."""
    stats, alarms = inbox.stats(), inbox.alarms()
    now = datetime.now(UTC).timestamp()
    spans = inbox.activity.spans(period.start(now), period.step)
    return {
        "now": stats.now,
        "stats": stats,
        "directions": [
            _view_direction(stats, inbox.oldest_waiting(source), source, summarize(spans, source, period, now), period)
            for source in TITLES
        ],
        "api_calls": inbox.api_calls.last_day(),
        "calls": [_calls(spans, side) for side in ("salesforce", "appcues")],
        "blocked": blocked_groups(stats),
        "alarms": [(alarm, alarm_reason(alarm.name)) for alarm in alarms],
        "processes": inbox.processes(),
        "runs": inbox.scheduled_runs(),
        "pauses": inbox.pauses(),
        "changes": inbox.bulk_changes.under_way(),
    }


def title_of(source: str) -> str:
    """Return the title of the direction of messages from a source."""
    return next((title for name, title in TITLES.items() if name == source), source)


def blocked_groups(stats: InboxStats) -> list[BlockedGroup]:
    """Return parked messages and dead letters grouped by reason, the largest group first."""
    groups = [
        BlockedGroup(source, title_of(source), state, reason, count, hint_for(reason))
        for (source, state, reason), count in stats.reasons.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.title, group.reason))


def judge(
    problems: Sequence[str], stats: InboxStats | None, alarms: Sequence[Alarm], pauses: Sequence[Pause]
) -> Verdict:
    """Return the health of the relay: the most severe problem, or else how many messages wait."""
    if stats is None:
        return Verdict("bad", "The database does not answer: nothing is accepted until it does.")
    if problems:
        return Verdict("bad", f"The relay is not ready: {problems[0]}.")
    if alarms:
        count = "An alarm waits" if len(alarms) == 1 else f"{len(alarms)} alarms wait"
        return Verdict("bad", f"{count} for a person.")
    blocked = stats.count("parked") + stats.count("dead")
    waiting = stats.count("ready") + stats.count("leased")
    age = max(((stats.now - since).total_seconds() for since in stats.oldest.values()), default=0.0)
    if pauses:
        return Verdict("warn", f"Paused: {', '.join(map(str, pauses))}. {_messages(waiting)} to be delivered.")
    if age > LATE_SECONDS:
        return Verdict("warn", f"{_messages(waiting)} to be delivered, the oldest for {format_seconds(age)}.")
    if blocked:
        return Verdict("warn", f"{_messages(blocked)} for a person; everything else is on its way.")
    if waiting:
        return Verdict("good", f"All is well: {_messages(waiting)} to be delivered.")
    return Verdict("good", "All is well: nothing waits.")


def _messages(count: int) -> str:
    return "1 message waits" if count == 1 else f"{count:,} messages wait"


def _view_direction(
    stats: InboxStats, oldest: InboxEntry | None, source: Source, figures: DirectionFigures, period: Period
) -> DirectionView:
    counts = {state: stats.count(state, source) for state in REPORTED_STATES}
    return DirectionView(
        source,
        TITLES[source],
        counts["ready"],
        counts["leased"],
        oldest,
        counts["parked"],
        counts["dead"],
        counts["done"],
        figures,
        tuple(_charts(figures, period)),
    )


def _charts(figures: DirectionFigures, period: Period) -> list[Chart]:
    steps = figures.steps
    moments = [step.at for step in steps]

    def draw_numbers(title: str, **series: Sequence[float | None]) -> Chart:
        return draw(
            title, moments, tuple(series.items()), time_format=period.format, scale=DECIMAL, value_format=_number
        )

    def draw_times(title: str, **series: Sequence[float | None]) -> Chart:
        return draw(
            title,
            moments,
            tuple(series.items()),
            time_format=period.format,
            scale=DURATION,
            value_format=format_seconds,
        )

    return [
        draw_numbers(
            f"Messages per {name_step(period)}",
            received=[step.received for step in steps],
            delivered=[step.delivered for step in steps],
        ),
        draw_times(
            "Receipt to delivery",
            p50=[step.delivery_p50 for step in steps],
            p95=[step.delivery_p95 for step in steps],
        ),
        draw_times(
            "Receipt to commit",
            p50=[step.commit_p50 for step in steps],
            p95=[step.commit_p95 for step in steps],
        ),
        draw_times("Age of the oldest waiting message", age=[step.oldest for step in steps]),
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def name_step(period: Period) -> str:
    """Return the length of a period's steps, such as `minute` or `15 min`."""
    return "minute" if period.step == 60 else format_duration(timedelta(seconds=period.step))


def _calls(spans: Sequence[ActivitySpan], side: str) -> tuple[str, int, int]:
    """Return the name of the called side, and the numbers of successful and of failed calls."""
    ok, failed = (
        sum(span.number for span in spans if (span.source, span.figure) == (side, figure))
        for figure in ("calls", "failed_calls")
    )
    return side.capitalize(), ok, failed
