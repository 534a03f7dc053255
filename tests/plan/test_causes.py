"""The cause of a changed attribute: the config, the org, or both, at any depth."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.metadata.component import Component
from sfcode.plan.change import Cause, Change

CONFIG, DRIFT, BOTH = Cause.CONFIG, Cause.DRIFT, Cause.BOTH


def change(applied: dict[str, Any] | None, before: dict[str, Any], after: dict[str, Any]) -> Change:
    observed_component, desired_component = (Component("Thing", "X", body) for body in (before, after))
    applied_component = None if applied is None else Component("Thing", "X", applied)
    return Change(observed_component.address, observed_component, desired_component, applied_component)


@pytest.mark.parametrize(
    ("applied", "before", "after", "causes"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, {("a",): CONFIG}),
        ({"a": 1}, {"a": 3}, {"a": 1}, {("a",): DRIFT}),
        ({"a": 1}, {"a": 3}, {"a": 2}, {("a",): BOTH}),
        (None, {"a": 3}, {"a": 2}, {("a",): CONFIG}),
        ({"a": 1, "b": 1}, {"a": 3, "b": 1}, {"a": 1, "b": 2}, {("a",): DRIFT, ("b",): CONFIG}),
        # One row was changed in the org, another one in the config.
        (
            {"rows": {"x": 1, "y": 1}},
            {"rows": {"x": 3, "y": 1}},
            {"rows": {"x": 1, "y": 2}},
            {("rows", "x"): DRIFT, ("rows", "y"): CONFIG},
        ),
        # The org replaced the element by a text and the config changed a row of it, and the reverse.
        ({"rows": {"x": 1}}, {"rows": "text"}, {"rows": {"x": 2}}, {("rows",): BOTH, ("rows", "x"): BOTH}),
        ({"rows": "text"}, {"rows": {"x": 3}}, {"rows": {"x": 1}}, {("rows", "x"): BOTH}),
        ({"rows": {"x": 1}}, {}, {"rows": {"x": 2}}, {("rows", "x"): BOTH}),
        ({"rows": {"x": 1}}, {"rows": {"x": 3}}, {}, {("rows", "x"): BOTH}),
        ({"rows": {"x": 1}}, {"rows": {"x": 3}}, {"rows": {"x": 1}}, {("rows", "x"): DRIFT}),
    ],
)
def test_each_changed_attribute_has_its_cause(
    applied: dict[str, Any] | None, before: dict[str, Any], after: dict[str, Any], causes: dict[Any, Cause]
) -> None:
    new_change = change(applied, before, after)
    assert {attribute.path: new_change.cause(attribute.path) for attribute in new_change.attributes} == causes


def test_an_attribute_with_the_same_prefix_is_another_attribute() -> None:
    new_change = change({"rows": {"x": 1, "xy": 1}}, {"rows": {"x": 3, "xy": 1}}, {"rows": {"x": 3, "xy": 2}})
    assert {attribute.path: new_change.cause(attribute.path) for attribute in new_change.attributes} == {
        ("rows", "xy"): CONFIG
    }
    assert new_change.cause(("rows",)) is BOTH
    assert new_change.cause(("rows", "x", "deeper")) is BOTH


def test_without_drift_no_cause_is_recorded() -> None:
    new_change = change({"a": 1}, {"a": 1}, {"a": 2})
    assert (new_change.applied, new_change.drift) == (None, ())
