"""
Compare two bodies attribute by attribute.

* A dict is compared key by key, so that each change concerns one leaf. The case of keys is ignored.
* A list of distinct, sorted texts is a set: each added or removed text is one change, marked `item`,
  with the text as the last step of its path.
* Any other list is ordered. Dicts in lists of equal length are compared one by one, the index being
  the step of the path; otherwise the whole list is one change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TypeGuard

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Body, Value

Path = tuple[str, ...]

_PLAIN = re.compile(r"[a-z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute that differs; None is a missing value."""

    path: Path
    before: Value
    after: Value
    item: bool = False
    """Whether the change adds or removes a text of a set."""


def diff(before: Body | None, after: Body | None) -> tuple[AttributeChange, ...]:
    """List the changes from `before` to `after`, sorted by path; None is the empty body."""
    return tuple(sorted(_compare_dicts((), before or {}, after or {}), key=lambda change: change.path))


def path_text(path: Path) -> str:
    """Format a path: `fieldPermissions["Contact.Title"].editable`, `start.filters[0].value`."""
    text = ""
    for step in path:
        if step.isascii() and step.isdigit():
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def _compare(path: Path, before: Value, after: Value) -> Iterator[AttributeChange]:
    if _is_dict(before) and _is_dict(after):
        yield from _compare_dicts(path, before, after)
    elif _is_set(before) and _is_set(after):
        for old, new in _pair_names(before, after):
            if old is None or new is None:
                yield _item(path, old or new or "", comes=old is None)
    elif _is_sequence(before) and _is_sequence(after) and len(before) == len(after):
        for index, (item_before, item_after) in enumerate(zip(before, after, strict=True)):
            yield from _compare((*path, str(index)), item_before, item_after)
    elif not (_has_parts(before) or _has_parts(after)) or (
        isinstance(before, list | tuple) and isinstance(after, list | tuple)
    ):
        if not _is_same(before, after):
            yield AttributeChange(path, before, after)
    else:  # a value of another kind replaces the whole value
        yield from _diff_whole(path, before, comes=False)
        yield from _diff_whole(path, after, comes=True)


def _compare_dicts(path: Path, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[AttributeChange]:
    for old, new in _pair_names(before, after):
        name = old if new is None else new
        yield from _compare((*path, name or ""), before.get(old or ""), after.get(new or ""))


def _diff_whole(path: Path, value: Value, *, comes: bool) -> Iterator[AttributeChange]:
    if _is_dict(value):
        for key, part in value.items():
            yield from _diff_whole((*path, key), part, comes=comes)
    elif _is_set(value):
        for text in value:
            yield _item(path, text, comes=comes)
    elif value is not None:
        yield AttributeChange(path, None if comes else value, value if comes else None)


def _item(path: Path, text: str, *, comes: bool) -> AttributeChange:
    return AttributeChange((*path, text), None if comes else text, text if comes else None, item=True)


def spell_as(value: Value, model: Value) -> Value:
    """Return a value with names in the case of another value, so that a comparison shows only real differences."""
    if isinstance(value, Mapping) and isinstance(model, Mapping):
        spellings = {old: new for old, new in _pair_names(value, model) if old is not None and new is not None}
        return {
            spellings.get(key, key): spell_as(part, model.get(spellings.get(key, key))) for key, part in value.items()
        }
    if _is_set(value) and _is_set(model):
        spellings = {old: new for old, new in _pair_names(value, model) if old is not None and new is not None}
        return [spellings.get(text, text) for text in value]
    return value


def _pair_names(before: Iterable[str], after: Iterable[str]) -> Iterator[tuple[str | None, str | None]]:
    """Pair the names of both sides, ignoring case like Salesforce."""
    sides = (list(before), list(after))
    folded = [{name.lower(): name for name in names} for names in sides]
    if any(
        len(names) < len(side) for names, side in zip(folded, sides, strict=True)
    ):  # two names on one side differ only in case
        folded = [{name: name for name in names} for names in sides]
    for key in {**folded[0], **folded[1]}:
        yield folded[0].get(key), folded[1].get(key)


def _is_dict(value: Value) -> TypeGuard[dict[str, Value]]:
    """Return whether a value is a dict with entries; an empty dict is a leaf."""
    return isinstance(value, dict) and bool(value)


def _is_set(value: Value) -> TypeGuard[list[str]]:
    if not isinstance(value, list | tuple) or not value:
        return False
    texts = [item for item in value if isinstance(item, str)]
    return len(texts) == len(value) and all(first < second for first, second in pairwise(texts))


def _is_sequence(value: Value) -> TypeGuard[list[Value]]:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, dict) for item in value)


def _has_parts(value: Value) -> bool:
    return _is_dict(value) or _is_set(value)


def _is_same(before: Value, after: Value) -> bool:
    """Compare as JSON does: true is not 1, and a tuple equals a list."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_is_same(before[key], after[key]) for key in before)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(_is_same, before, after))
    return type(before) is type(after) and before == after
