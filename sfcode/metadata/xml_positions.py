"""The position of each element of an XML file with its column, which lxml does not keep."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from lxml import etree

from sfcode.lazy_dataclasses import dataclass

Point = tuple[int, int]
"""Line and column, from 1."""


@dataclass(slots=True)
class Span:
    """The positions of an element's start, of the end of its start tag, and of the end of its end tag."""

    start: Point = (0, 0)
    opened: Point = (0, 0)
    closed: Point = (0, 0)


class _Recorder:
    """Records spans in document order; a tag ends where the next token starts."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._open: list[Span] = []
        self._last: Span | None = None
        self._ended = False
        self._reader = expat.ParserCreate()
        self._reader.StartElementHandler = self._start
        self._reader.EndElementHandler = self._end
        self._reader.DefaultHandler = self._settle

    def run(self, data: bytes) -> list[Span]:
        self._reader.Parse(data, True)
        self._settle()
        return self.spans

    def _settle(self, _text: str = "") -> None:
        if self._last is not None:
            point = (self._reader.CurrentLineNumber, self._reader.CurrentColumnNumber + 1)
            if self._ended:
                self._last.closed = point
            else:
                self._last.opened = point
            self._last = None

    def _start(self, _name: str, _attributes: object) -> None:
        self._settle()
        self._last = Span(start=(self._reader.CurrentLineNumber, self._reader.CurrentColumnNumber + 1))
        self._ended = False
        self.spans.append(self._last)
        self._open.append(self._last)

    def _end(self, _name: str) -> None:
        self._settle()
        self._last = self._open.pop()
        self._ended = True


def find_spans(data: bytes, root: etree._Element) -> Mapping[etree._Element, Span]:
    """Return the span of each element of `root`, which `xml.parse` made from the same bytes."""
    try:
        spans = _Recorder().run(data)
    except expat.ExpatError:  # an encoding that expat does not know: only lines are reported
        spans = []
    lines = [Span((line, 1), (line, 1), (line, 1)) for line in (_line(element) for element in root.iter("*"))]
    return dict(zip(root.iter("*"), spans if len(spans) == len(lines) else lines, strict=True))


def _line(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 1
