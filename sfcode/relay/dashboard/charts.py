"""Charts as coordinates: the templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from sfcode.lazy_dataclasses import dataclass

WIDTH, HEIGHT = 320.0, 96.0
"""Width and height of the plot area, in SVG units."""
LABELED_TIMES = 4
DECIMAL_STEPS = (1, 2, 5, 10)
DECIMAL: Sequence[float] = ()
"""The scale of numbers: 1, 2 and 5 times a power of ten."""
DURATION: Sequence[float] = (
    10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 172_800, 345_600, 604_800,
)  # fmt: skip
"""The scale of seconds; beyond ten seconds the steps are whole minutes, hours and days."""
SMALLEST_TOP = 0.001

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A line of a chart."""

    name: str
    paths: tuple[str, ...]
    """SVG path data of each segment: a missing value interrupts the line."""
    points: tuple[tuple[float, float], ...]
    """Values without neighbors, drawn as dots since a line of one point is invisible."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A labeled position on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over time, with labeled axes."""

    title: str
    summary: str
    """A text alternative of the chart."""
    lines: tuple[ChartLine, ...]
    times: tuple[Tick, ...]
    values: tuple[Tick, ...]
    is_empty: bool


def draw(
    title: str,
    moments: Sequence[datetime],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    time_format: str,
    scale: Sequence[float],
    value_format: Format,
) -> Chart:
    """Return the chart of some series, each with a value per moment; None is a missing value."""
    present = [value for _, values in series for value in values if value is not None]
    largest = max(present, default=0.0)
    top = round_up(largest, scale)
    across = WIDTH / max(1, len(moments) - 1)
    lines = tuple(
        _line(name, [None if value is None else (n * across, _height(value, top)) for n, value in enumerate(values)])
        for name, values in series
    )
    peaks = "; ".join(
        f"{name}: at most {value_format(max((value for value in values if value is not None), default=0.0))}"
        for name, values in series
    )
    return Chart(
        title,
        f"{title}. {peaks}." if largest else f"{title}: nothing.",
        lines,
        tuple(_time_ticks(moments, across, time_format)),
        tuple(Tick(_height(value, top), value_format(value)) for value in (0.0, top / 2, top)),
        not largest,
    )


def round_up(value: float, scale: Sequence[float]) -> float:
    """
    Round a value up to a step of a scale, for the top of an axis; 1 for 0.

    Beyond the scale the steps are 1, 2 and 5 times a power of ten.
    """
    if value <= 0:
        return 1.0
    value = max(value, SMALLEST_TOP)
    power = 10.0 ** math.floor(math.log10(value))
    steps = scale if scale and scale[0] <= value <= scale[-1] else [step * power for step in DECIMAL_STEPS]
    return next(step for step in steps if step >= value * (1 - 1e-9))


def _height(value: float, top: float) -> float:
    return round(HEIGHT * (1 - value / top), 1)


def _line(name: str, places: Sequence[tuple[float, float] | None]) -> ChartLine:
    pieces: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is None:
            pieces.append([])
        else:
            pieces[-1].append((round(place[0], 1), place[1]))
    paths = ("M" + "L".join(f"{x:g} {y:g}" for x, y in piece) for piece in pieces if len(piece) > 1)
    return ChartLine(name, tuple(paths), tuple(piece[0] for piece in pieces if len(piece) == 1))


def _time_ticks(moments: Sequence[datetime], across: float, time_format: str) -> list[Tick]:
    if not moments:
        return []
    gap = max(1, (len(moments) - 1) // (LABELED_TIMES - 1))
    positions = list(range(0, len(moments), gap))[:LABELED_TIMES]
    return [Tick(round(position * across, 1), f"{moments[position]:{time_format}}") for position in positions]
