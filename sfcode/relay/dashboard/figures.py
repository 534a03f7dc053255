"""Turn the stored activity into the numbers over time that the charts show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.activity import BEYOND, BOUNDS, PEAKS, Figure
from sfcode.relay.inbox.activity import ActivitySpan

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Period:
    """A time span of the charts, divided into steps."""

    name: str
    title: str
    seconds: int
    step: int
    """The length of a step in seconds."""
    format: str
    """The format of the times on the axis."""

    def start(self, now: float) -> int:
        """Return the Unix time of the first step. The step that contains `now` is not over and is left out."""
        return int(now) // self.step * self.step - self.seconds


PERIODS: Mapping[str, Period] = {
    period.name: period
    for period in (
        Period("hour", "the last hour", 3600, 60, "%H:%M"),
        Period("day", "the last day", DAY, 900, "%H:%M"),
        Period("week", "the last week", 7 * DAY, 7200, "%a %d"),
    )
}


@dataclass(frozen=True, slots=True)
class FigureStep:
    """The figures of one direction in one step of a period."""

    at: datetime
    received: int
    delivered: int
    commit_p50: float | None
    commit_p95: float | None
    """Seconds from receipt to commit; None if nothing was committed."""
    delivery_p50: float | None
    delivery_p95: float | None
    """Seconds from receipt to delivery; None if nothing was delivered."""
    oldest: int
    """The greatest age that the oldest waiting message had in the step, in seconds."""


@dataclass(frozen=True, slots=True)
class DirectionFigures:
    """The figures of one direction over a period."""

    steps: tuple[FigureStep, ...]
    totals: Mapping[Figure, int]
    whole: FigureStep
    """The whole period as one step, for its percentiles."""


def summarize(spans: Iterable[ActivitySpan], source: str, period: Period, now: float) -> DirectionFigures:
    """
    Return the figures of one direction, with a step for each span of the period, also for spans without activity.

    The present span has no step, but is part of the totals.
    """
    counts: defaultdict[int, Counter[Figure]] = defaultdict(Counter)
    times: defaultdict[int, defaultdict[Figure, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    totals: Counter[Figure] = Counter()
    all_times: defaultdict[Figure, Counter[int]] = defaultdict(Counter)
    for span in spans:
        if span.source != source:
            continue
        if span.bound:
            times[span.slot][span.figure][span.bound] += span.number
            all_times[span.figure][span.bound] += span.number
        else:
            counts[span.slot][span.figure] += span.number
            total = totals[span.figure]
            totals[span.figure] = max(total, span.number) if span.figure in PEAKS else total + span.number
    first = period.start(now) // period.step
    slots = range(first, first + period.seconds // period.step)
    steps = tuple(_step(slot * period.step, counts[slot], times[slot]) for slot in slots)
    return DirectionFigures(steps, totals, _step(first * period.step, totals, all_times))


def _step(begins: int, counts: Mapping[Figure, int], times: Mapping[Figure, Counter[int]]) -> FigureStep:
    commit, delivery = (times.get(name, Counter()) for name in ("commit_time", "delivery_time"))
    return FigureStep(
        datetime.fromtimestamp(begins, UTC),
        counts.get("received", 0),
        counts.get("delivered", 0),
        percentile(commit, 0.5),
        percentile(commit, 0.95),
        percentile(delivery, 0.5),
        percentile(delivery, 0.95),
        counts.get("oldest_seconds", 0),
    )


def percentile(classes: Mapping[int, int], share: float) -> float | None:
    """
    Estimate a percentile in seconds from a histogram, assuming even distribution within a class; None if it is empty.

    A percentile in the last class, which is unbounded, is the lower bound of that class.
    """
    total = sum(classes.values())
    if not total:
        return None
    rank, cumulative, lower = share * total, 0, 0
    for bound in (*BOUNDS, BEYOND):
        number = classes.get(bound, 0)
        if number and cumulative + number >= rank:
            upper = BOUNDS[-1] if bound == BEYOND else bound
            return (lower + (upper - lower) * (rank - cumulative) / number) / 1000
        cumulative += number
        lower = bound
    raise AssertionError("unreachable")
