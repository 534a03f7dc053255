"""A change as lines with a sign each: what the text, Markdown and HTML reports all show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sfcode.metadata.component import Body, Value
from sfcode.metadata.normal import normal
from sfcode.plan.change import Change

INLINE = 60
"""Widest small mapping that stays on one line, in characters."""

CONTEXT = 32
"""How much of a long text is shown on either side of a difference, in characters."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff: its sign (`+`, `-`, `~` or a blank), its depth and its text."""

    sign: str
    depth: int
    text: str


def lines(change: Change) -> tuple[Line, ...]:
    """Return the attributes that differ, nested; unchanged ones are counted, not shown."""
    before = normal(change.before).body if change.before else None
    after = normal(change.after).body if change.after else None
    return tuple(_mapping(before, after, 0))


def _mapping(before: Body | None, after: Body | None, depth: int) -> Iterator[Line]:
    names = sorted({*(before or {}), *(after or {})})
    shown = [name for name in names if (before or {}).get(name) != (after or {}).get(name)]
    width = max((len(_key(name)) for name in shown), default=0)
    for name in shown:
        yield from _attribute(_key(name).ljust(width), (before or {}).get(name), (after or {}).get(name), depth)
    if hidden := len(names) - len(shown):
        yield Line(" ", depth, f"# ({hidden} unchanged {'attribute' if hidden == 1 else 'attributes'} hidden)")


def _attribute(key: str, before: Value, after: Value, depth: int) -> Iterator[Line]:
    sign = "+" if before is None else "-" if after is None else "~"
    one = after if before is None else before
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield Line(sign, depth, f"{key} = {{")
        yield from _mapping(before, after, depth + 1)
        yield Line(" ", depth, "}")
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield Line(sign, depth, f"{key} = [")
        yield from _items(before, after, depth + 1)
        yield Line(" ", depth, "]")
    elif sign == "~" and isinstance(before, str) and isinstance(after, str) and len(before + after) > 2 * INLINE:
        old, new = _where_they_differ(before, after)
        yield Line(sign, depth, f"{key} =")
        yield Line("-", depth + 1, _text(old))
        yield Line("+", depth + 1, _text(new))
    elif sign == "~":
        yield Line(sign, depth, f"{key} = {_text(before)} -> {_text(after)}")
    elif isinstance(one, Mapping) and len(_text(one)) > INLINE:
        yield Line(sign, depth, f"{key} = {{")
        yield from _mapping(one if sign == "-" else None, one if sign == "+" else None, depth + 1)
        yield Line(" ", depth, "}")
    else:
        yield Line(sign, depth, f"{key} = {_text(one)}")


def _items(
    before: list[Value] | tuple[Value, ...], after: list[Value] | tuple[Value, ...], depth: int
) -> Iterator[Line]:
    for item in before:
        if item not in after:
            yield Line("-", depth, f"{_text(item)},")
    for item in after:
        if item not in before:
            yield Line("+", depth, f"{_text(item)},")
    if hidden := sum(item in after for item in before):
        yield Line(" ", depth, f"# ({hidden} unchanged {'element' if hidden == 1 else 'elements'} hidden)")


def _where_they_differ(before: str, after: str) -> tuple[str, str]:
    """Cut two long texts down to where they differ, with a little on either side."""
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    first, last = max(0, start - CONTEXT), max(0, end - CONTEXT)

    def cut(text: str) -> str:
        return f"{'…' if first else ''}{text[first : len(text) - last]}{'…' if last else ''}"

    return cut(before), cut(after)


def _shared(one: str, other: str) -> int:
    """Count the characters that two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))


def _key(name: str) -> str:
    return name if name.isidentifier() and "__" not in name else json.dumps(name, ensure_ascii=False)


def _text(value: Value) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(name)} = {_text(part)}" for name, part in sorted(value.items()))
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(part) for part in value)}]"
    return json.dumps(value, ensure_ascii=False)
