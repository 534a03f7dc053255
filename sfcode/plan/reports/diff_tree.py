"""A change as signed lines, which the text, Markdown and HTML reports show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Body, Value
from sfcode.metadata.diff import Path, spell_as
from sfcode.metadata.normalize import normalize
from sfcode.plan.change import Cause, Change
from sfcode.text import count_noun, printable

Items = list[Value] | tuple[Value, ...]

INLINE = 60
"""The maximum width in characters of a small mapping that stays on one line."""

CONTEXT = 32
"""The number of characters of a long text that are shown on each side of a difference."""

WHO_MOVED = {
    Cause.CONFIG: "",
    Cause.DRIFT: "  # changed in the org",
    Cause.BOTH: "  # changed in the org and in the config",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff: its sign (`+`, `-`, `~` or a blank), its depth and its text."""

    sign: str
    depth: int
    text: str


def lines(change: Change) -> tuple[Line, ...]:
    """Return the attributes that differ, nested; unchanged ones are only counted."""
    before, after = (normalize(side).body if side else None for side in (change.before, change.after))
    return tuple(_Tree(lambda path: WHO_MOVED[change.cause(path)]).mapping(_spell(before, after), after, ()))


def body_lines(before: Body | None, after: Body | None) -> tuple[Line, ...]:
    """Return the values that differ between two bodies; names are compared case-sensitively."""
    return tuple(_Tree(lambda _: "").mapping(before, after, ()))


def drift_lines(change: Change) -> tuple[Line, ...]:
    """Return the changes in the org since the last apply."""
    applied, now = (normalize(side).body if side else None for side in (change.applied, change.before))
    return tuple(_Tree(lambda _: "").mapping(_spell(applied, now), now, ()))


def _spell(before: Body | None, after: Body | None) -> Body | None:
    """Return a body with names in the case of the other body, since Salesforce ignores case."""
    return cast(Body, spell_as(dict(before), dict(after))) if before and after else before


@dataclass(frozen=True)
class _Tree:
    note: Callable[[Path], str]
    """Returns the note after the attribute at a path."""

    def mapping(self, before: Body | None, after: Body | None, path: Path) -> Iterator[Line]:
        old, new = before or {}, after or {}
        names = sorted({*old, *new})
        changed_names = [name for name in names if old.get(name) != new.get(name)]
        width = max((len(_key(name)) for name in changed_names), default=0)
        for name in changed_names:
            yield from self.attribute(_key(name).ljust(width), old.get(name), new.get(name), (*path, name))
        if hidden_count := len(names) - len(changed_names):
            yield Line(" ", len(path), f"# ({count_noun(hidden_count, 'unchanged attribute')} hidden)")

    def attribute(self, key: str, before: Value, after: Value, path: Path) -> Iterator[Line]:
        depth = len(path) - 1
        sign = "+" if before is None else "-" if after is None else "~"
        present_value = after if before is None else before
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield Line(sign, depth, f"{key} = {{")
            yield from self.mapping(before, after, path)
            yield Line(" ", depth, "}")
        elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
            yield Line(sign, depth, f"{key} = [")
            yield from self.items(before, after, path)
            yield Line(" ", depth, "]")
        elif sign == "~" and isinstance(before, str) and isinstance(after, str) and len(before + after) > 2 * INLINE:
            old, new = _where_they_differ(before, after)
            yield Line(sign, depth, f"{key} ={self.note(path)}")
            yield Line("-", depth + 1, _text(old))
            yield Line("+", depth + 1, _text(new))
        elif sign == "~":
            yield Line(sign, depth, f"{key} = {_text(before)} -> {_text(after)}{self.note(path)}")
        elif isinstance(present_value, Mapping) and len(_text(present_value)) > INLINE:
            yield Line(sign, depth, f"{key} = {{{self.note(path)}")
            unnoted = _Tree(lambda _: "")
            yield from unnoted.mapping(
                present_value if sign == "-" else None, present_value if sign == "+" else None, path
            )
            yield Line(" ", depth, "}")
        else:
            yield Line(sign, depth, f"{key} = {_text(present_value)}{self.note(path)}")

    def items(self, before: Items, after: Items, path: Path) -> Iterator[Line]:
        for sign, elements, other_elements in (("-", before, after), ("+", after, before)):
            for item in elements:
                if item not in other_elements:
                    yield Line(sign, len(path), f"{_text(item)},{self.note((*path, str(item)))}")
        if hidden_count := sum(item in after for item in before):
            yield Line(" ", len(path), f"# ({count_noun(hidden_count, 'unchanged element')} hidden)")


def _where_they_differ(before: str, after: str) -> tuple[str, str]:
    """Shorten two long texts to the part that differs, with some context."""
    start = _common_prefix(before, after)
    end = _common_prefix(before[start:][::-1], after[start:][::-1])
    first, last = max(0, start - CONTEXT), max(0, end - CONTEXT)

    def cut(text: str) -> str:
        return f"{'…' if first else ''}{text[first : len(text) - last]}{'…' if last else ''}"

    return cut(before), cut(after)


def _common_prefix(first: str, second: str) -> int:
    """Return the length of the common prefix of two texts."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(first), len(second)))


def _key(name: str) -> str:
    return name if name.isidentifier() and "__" not in name else printable(json.dumps(name, ensure_ascii=False))


def _text(value: Value) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(name)} = {_text(part)}" for name, part in sorted(value.items()))
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(part) for part in value)}]"
    # JSON does not escape characters that control a terminal or change the direction of writing.
    return printable(json.dumps(value, ensure_ascii=False))
