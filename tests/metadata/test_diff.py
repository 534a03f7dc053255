"""Differences are listed attribute by attribute, with readable paths."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Value
from sfcode.metadata.diff import AttributeChange, Path, diff, path_text


def compare(before: dict[str, Value] | None, after: dict[str, Value] | None) -> list[tuple[str, Value, Value]]:
    return [(path_text(change.path), change.before, change.after) for change in diff(before, after)]


def test_a_new_component_is_compared_value_by_value() -> None:
    after: dict[str, Value] = {
        "label": "P",
        "fieldPermissions": {"Contact.Title": {"editable": False, "readable": True}},
    }
    assert compare(None, after) == [
        ('fieldPermissions["Contact.Title"].editable', None, False),
        ('fieldPermissions["Contact.Title"].readable', None, True),
        ("label", None, "P"),
    ]
    assert compare(after, None) == [(path, new, old) for path, old, new in compare(None, after)]


def test_an_added_or_removed_field_of_a_message_is_one_change() -> None:
    """Each text of a set is a separate change, and unchanged texts are not listed."""
    assert diff({"fields": ["Email", "Id"]}, {"fields": ["Id", "Title"]}) == (
        AttributeChange(("fields", "Email"), "Email", None, item=True),
        AttributeChange(("fields", "Title"), None, "Title", item=True),
    )


def test_an_ordered_list_is_one_change() -> None:
    assert compare({"fields": ["Name", "Id"]}, {"fields": ["Id", "Name"]}) == [
        ("fields", ["Name", "Id"], ["Id", "Name"])
    ]


def test_groups_in_a_list_of_the_same_length_are_compared_by_index() -> None:
    before: dict[str, Value] = {"filters": [{"field": "A", "value": "1"}, {"field": "B"}]}
    assert compare(before, {"filters": [{"field": "A", "value": "2"}, {"field": "B"}]}) == [
        ("filters[0].value", "1", "2")
    ]
    longer: dict[str, Value] = {"filters": [{"field": "A"}]}
    assert compare(before, longer) == [("filters", before["filters"], longer["filters"])]


def test_true_differs_from_one_and_an_empty_group_from_a_missing_one() -> None:
    assert compare({"a": True}, {"a": 1}) == [("a", True, 1)]
    assert compare({}, {"a": {}}) == [("a", None, {})]
    assert compare({"a": {"b": "c"}}, {"a": {}}) == [("a", None, {}), ("a.b", "c", None)]


def test_a_value_that_becomes_a_group_is_a_removal_and_an_addition() -> None:
    assert compare({"a": "x"}, {"a": {"b": "y"}}) == [("a", "x", None), ("a.b", None, "y")]


def test_a_tuple_equals_a_list() -> None:
    assert diff({"a": ("x", "y")}, {"a": ["x", "y"]}) == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("label",), "label"),
        (("fieldPermissions", "Contact.Title", "editable"), 'fieldPermissions["Contact.Title"].editable'),
        (("userPermissions", "ApiEnabled", "enabled"), 'userPermissions["ApiEnabled"].enabled'),
        (("start", "filters", "0", "value"), "start.filters[0].value"),
        (("actions", 'say "hi"'), 'actions["say \\"hi\\""]'),
    ],
)
def test_a_path_is_rendered_with_dots_and_brackets(path: Path, text: str) -> None:
    assert path_text(path) == text
