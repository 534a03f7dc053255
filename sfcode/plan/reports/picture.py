"""The picture of the data flows: one per mapping, which the page's template draws as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sfcode.plan.data_flows import FlowOfData

WIDTH, ROW, HEIGHT, TOP = 960, 32, 24, 40
SIDE, MIDDLE = 276, 244
"""Widths of the boxes at both sides, and of the middle."""
HEAD = 5
"""How long the head of an arrow is."""
MOST_LETTERS = 36
"""How much of a name fits into a box."""
LEFT, RIGHT = (WIDTH - MIDDLE) / 2, (WIDTH + MIDDLE) / 2


@dataclass(frozen=True, slots=True)
class Box:
    """A frame with one or several lines of text; `whole` is the text without truncation."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    whole: str
    lines: tuple[tuple[float, str], ...]
    """Lines of text with their vertical positions."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line between two boxes, as the commands of an SVG path."""

    way: str
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of one mapping."""

    title: str
    left: str
    right: str
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    words: tuple[str, ...]
    """The same in sentences, for those who do not see it."""


def picture(flow: FlowOfData) -> Picture:
    """Lay out one mapping: Salesforce on the left, Appcues on the right, the transport between them."""
    canvas = _Canvas()
    if flow.sent:
        canvas.out(
            [(f"{flow.object}.{field}", attribute) for field, attribute in flow.sent], (*flow.senders, flow.carrier)
        )
    if flow.written:
        canvas.back(flow.written, (flow.carrier,))
    return Picture(
        title=f"{flow.mapping}: {flow.object} and Appcues {flow.match}s",
        left=f"Salesforce {flow.object}",
        right=f"Appcues {flow.match} profile and events",
        height=canvas.bottom,
        boxes=tuple(canvas.boxes),
        arrows=tuple(canvas.arrows),
        words=tuple(_words(flow)),
    )


@dataclass
class _Canvas:
    """A picture in progress, from top to bottom."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    bottom: float = TOP

    def out(self, pairs: Sequence[tuple[str, str]], between: Sequence[str]) -> None:
        """Draw the data that is sent: a field and its attribute in one row."""
        for y, (source, attribute) in zip(self._band(len(pairs), between), pairs, strict=True):
            self._box(0, y, source, "salesforce")
            self._box(WIDTH - SIDE, y, attribute, "appcues")
            self.arrows.append(_arrow((SIDE, y), (LEFT, y), "out"))
            self.arrows.append(_arrow((RIGHT, y), (WIDTH - SIDE, y), "out"))

    def back(self, pairs: Sequence[tuple[str, str]], between: Sequence[str]) -> None:
        """Draw the data that returns: one row per event, and what they become beside the middle row."""
        targets = list(dict.fromkeys(target for _, target in pairs))
        ordered = sorted(pairs, key=lambda pair: targets.index(pair[1]))
        rows = dict(zip(ordered, self._band(len(pairs), between), strict=True))
        for target in targets:
            ys = [y for (_, into), y in rows.items() if into == target]
            middle = sum(ys) / len(ys)
            self._box(0, middle, target, "salesforce")
            self.arrows.extend(_arrow((LEFT, y), (SIDE, middle), "back") for y in ys)
        for (event, _), y in rows.items():
            self._box(WIDTH - SIDE, y, event, "appcues")
            self.arrows.append(_arrow((WIDTH - SIDE, y), (RIGHT, y), "back"))

    def _band(self, count: int, between: Sequence[str]) -> list[float]:
        """Draw the transport beside some rows, and return the middle of each row."""
        top, count = self.bottom, max(count, 1)
        needed = max(count, len(between))
        middle, height = top + needed * ROW / 2, needed * ROW - ROW + HEIGHT
        first = middle - (len(between) - 1) * ROW / 2
        lines = [(first + index * ROW + 4, name) for index, name in enumerate(between)]
        arrows = [(first + (index + 0.5) * ROW + 4, "↓") for index in range(len(between) - 1)]
        label = ", ".join(between)
        self.boxes.append(
            Box(LEFT, middle - height / 2, MIDDLE, height, "carrier", label, _truncate([*lines, *arrows]))
        )
        self.bottom += needed * ROW + ROW / 2
        return [middle + (index - (count - 1) / 2) * ROW for index in range(count)]

    def _box(self, x: float, y: float, name: str, kind: str) -> None:
        self.boxes.append(Box(x, y - HEIGHT / 2, SIDE, HEIGHT, kind, name, _truncate([(y + 4, name)])))


def _truncate(lines: Sequence[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    return tuple((y, text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…") for y, text in lines)


def _arrow(start: tuple[float, float], end: tuple[float, float], kind: str) -> Arrow:
    (x1, y1), (x2, y2) = start, end
    bend, x2 = (x1 + x2) / 2, x2 - HEAD if x2 > x1 else x2 + HEAD
    return Arrow(f"M {x1:g} {y1:g} C {bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}", kind)


def _words(flow: FlowOfData) -> Iterator[str]:
    if flow.sent:
        pairs = ", ".join(f"{field} as {attribute}" for field, attribute in flow.sent)
        by = ", ".join((*flow.senders, flow.carrier))
        yield f"{flow.object} to Appcues by {by}: {pairs}."
    if flow.written:
        pairs = ", ".join(f"{event} to {into}" for event, into in flow.written)
        yield f"Appcues to Salesforce by {flow.carrier}: {pairs}."
