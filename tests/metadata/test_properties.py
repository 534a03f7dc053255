"""Properties that hold for every component of every type."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from sfcode.metadata import schema_table
from sfcode.metadata.component import Component
from sfcode.metadata.diff import AttributeChange, diff
from sfcode.metadata.normalize import normalize
from sfcode.metadata.schema import validate_loosely, validate_strictly
from sfcode.metadata.types import identity_key, is_unordered
from sfcode.metadata.xml import from_element, parse, to_bytes, to_element
from tests.metadata.bodies import components

calm = settings(
    max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)

LEAVES = st.booleans() | st.integers(-3, 3) | st.text("ab1", max_size=2)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@calm
@given(components())
def test_what_is_written_is_read_back_and_valid(component: Component) -> None:
    """Any component is unchanged after it is rendered and parsed, and its file passes both validations."""
    data = to_bytes(to_element(component))
    assert from_element(component.type, component.full_name, parse(data)) == component
    assert validate_strictly(data) == validate_loosely(data) == ()


@calm
@given(components(), st.randoms(use_true_random=False))
def test_the_order_of_siblings_is_no_difference(component: Component, chance: random.Random) -> None:
    """Elements in another order are the same component, except in lists whose order matters."""
    root = to_element(component)
    _shuffle(root, component.type, chance)
    second = from_element(component.type, component.full_name, root)
    assert second == component
    assert diff(component.body, second.body) == ()


def _shuffle(element: etree._Element, type_: str, chance: random.Random) -> None:
    specs = schema_table.elements(type_)
    if specs is None:
        return
    groups: dict[str, list[etree._Element]] = {}
    for child in element:
        groups.setdefault(etree.QName(child).localname, []).append(child)
        _shuffle(child, specs[etree.QName(child).localname].type, chance)
    names = list(groups)
    chance.shuffle(names)
    for name in names:
        if identity_key(type_, name) or is_unordered(type_, name):
            chance.shuffle(groups[name])
    element[:] = [child for name in names for child in groups[name]]


@calm
@given(components())
def test_a_normal_form_is_its_own_normal_form(component: Component) -> None:
    once = normalize(component)
    assert normalize(once) == once
    assert diff(once.body, normalize(once).body) == ()


@calm
@given(BODIES)
def test_a_body_does_not_differ_from_itself(body: dict[str, Any]) -> None:
    assert diff(body, body) == ()


@calm
@given(BODIES, BODIES)
def test_the_changes_applied_to_before_give_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The list of changes is complete: applied to the first body, it results in the second one."""
    changes = diff(before, after)
    assert [change.path for change in changes] == sorted(change.path for change in changes)
    assert _plain(_patched(before, changes)) == _plain(after)


@calm
@given(BODIES, BODIES)
def test_a_diff_is_empty_only_for_equal_bodies(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert (diff(before, after) == ()) is (_plain(before) == _plain(after))


def _plain(value: Any) -> Any:
    """Leave out keys without a value, and distinguish true from 1."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return (type(value).__name__, value)


def _patched(before: dict[str, Any], changes: tuple[AttributeChange, ...]) -> Any:
    body = _copy(before)
    for change in sorted(changes, key=lambda change: (change.after is not None, -len(change.path))):
        body = _put(body, change.path, change)
    return {} if body is None else body


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items() if part is not None}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _put(value: Any, path: tuple[str, ...], change: AttributeChange) -> Any:
    if not path:
        return change.after
    if change.item and len(path) == 1:
        texts = {*(value if isinstance(value, list) else [])} - {change.before} | {change.after}
        return sorted(texts - {None}) or None
    if isinstance(value, list):
        index = int(path[0])
        return [*value[:index], _put(value[index], path[1:], change), *value[index + 1 :]]
    copy = dict(value) if isinstance(value, dict) else {}
    copy[path[0]] = _put(copy.get(path[0]), path[1:], change)
    return {key: part for key, part in copy.items() if part is not None} or (None if change.after is None else {})
